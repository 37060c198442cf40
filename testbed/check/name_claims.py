"""Traps of a name that several objects claim, or that an object claims in vain.

Source: external-dns, plan/conflict.go (PerResource): a record stays with the resource that its TXT record
names for as long as that resource claims it; otherwise the smallest target wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from testbed.address_families import parted_names
from testbed.balancer_identity import plain_dns_name
from testbed.check.findings import Severity
from testbed.check.manifest_reading import Claim, Reading, addresses_of, annotation
from testbed.check.rule_registry import Trap, rule
from testbed.external_dns.core.facts import Fact
from testbed.external_dns.offline import zone_file
from testbed.external_dns.offline.repeated_syncs import RepeatedSyncs
from testbed.kubernetes import object_fields


@rule("rollback-needs-both-edits", Severity.NOTE)
def rollback_needs_both_edits(reading: Reading) -> Iterator[Trap]:
    """After the move, restoring the claim that had the name moves nothing."""
    for host, holder, others in _contested(reading):
        titles = _titles(others)
        yield Trap(
            holder.where,
            f"{host} is claimed by {holder.manifest.title} and {titles}: the record stays with the object "
            f"that has it. Once {_titles(others, 'or')} has it, restoring {_claim_of(holder)} changes "
            "nothing, and the log says 'All records are already up to date'",
            f"to roll back, restore {_claim_of(holder)} first, then {_end_of(others, host)}",
        )


@rule("nobody-claims-between", Severity.NOTE)
def nobody_claims_between(reading: Reading) -> Iterator[Trap]:
    """A claim that ends before the next one counts deletes the record."""
    for host, holder, others in _contested(reading):
        waiting = [one for one in others if not _has_address(reading, one)]
        if len(waiting) < len(others):
            continue
        yield Trap(
            holder.where,
            f"if you {_end_of((holder,), host)} before {_titles(waiting[:1])} has an address, ExternalDNS "
            f"deletes {host} under policy sync: clients get NXDOMAIN until a later sync, and resolvers cache "
            "it",
            f"do so only after the status of {_titles(waiting[:1])} shows its load balancer's name and one "
            "sync has passed",
        )


@rule("lost-address-moves-the-name", Severity.NOTE)
def lost_address_moves_the_name(reading: Reading) -> Iterator[Trap]:
    """While several claim a name, the holder loses it for good if it has no address during one sync."""
    for host, holder, others in _contested(reading):
        title = holder.manifest.title
        yield Trap(
            holder.where,
            f"while both claim {host}, a single sync in which {title} has no address (its type or class "
            f"changed, its load balancer recreated, the object deleted) moves the record to "
            f"{_titles(others, 'or')}, and the record does not move back",
            f"keep the time in which both claim the name short, and do not touch {title} meanwhile",
        )


@rule("fresh-zone-decides-by-name", Severity.NOTE)
def fresh_zone_decides_by_name(reading: Reading) -> Iterator[Trap]:
    """If several claim a name that has no record yet, the load balancer whose name sorts first wins."""
    for host, holder, others in _contested(reading):
        records = _first_records(reading, host, holder, others)
        targets = dict.fromkeys(map(_target, records))
        first = " and ".join(f"{one['Type']} leads to {_target(one)}" for one in records)
        if len(targets) == 1:
            first = f"it leads to {next(iter(targets))}"
        yield Trap(
            holder.where,
            f"where {host} has no record yet (a new zone, a restored cluster, a record deleted by hand), the "
            "load balancer whose DNS name or address sorts first gets it, whichever object was there before"
            + (f": {first}" if first else ""),
            f"wait until {holder.manifest.title} has its record before another object claims the host",
        )


@rule("fresh-zone-parts-families", Severity.WARNING)
def fresh_zone_parts_families(reading: Reading) -> Iterator[Trap]:
    """An IP address and a load balancer's name claim one name, so A and AAAA go to different objects."""
    for host, holder, others in _contested(reading):
        for parted in parted_names(_first_records(reading, host, holder, others)):
            yield Trap(
                holder.where,
                f"where {host} has no record yet, ExternalDNS {reading.release.tag} parts it, and nothing "
                f"brings it together while both claim it. {parted}: clients of IPv4 and of IPv6 use "
                "different load balancers",
                f"let only one of {_titles((holder, *others))} claim the host",
            )


@rule("unstable-after-rollback", Severity.WARNING)
def unstable_after_rollback(reading: Reading) -> Iterator[Trap]:
    """Two objects with the host on one load balancer make the record jump after a rollback by one claim."""
    for host, holder, others in _contested(reading):
        by_balancer: dict[str, list[Claim]] = {}
        for one in others:
            by_balancer.setdefault(reading.balancer_of(one), []).append(one)
        for equal in by_balancer.values():
            if len(equal) > 1:
                yield Trap(
                    equal[1].where,
                    f"{_titles(equal)} claim {host} for one load balancer: of equal endpoints each sync "
                    "keeps one at random, so after a rollback that only restores "
                    f"{_claim_of(holder)} the record may jump back to it at any later sync, if the name of "
                    "its load balancer sorts first",
                    f"when you roll back, {_end_of(equal, host)}",
                )


@rule("two-balancers-one-name", Severity.ERROR)
def two_balancers_one_name(reading: Reading) -> Iterator[Trap]:
    """Ingresses with one host become several ALBs, but the name can point to only one of them."""
    for host, claims in reading.claims.items():
        paths: dict[str, set[str]] = {}
        first: dict[str, Claim] = {}
        for claim in claims:
            if _makes_alb(reading, claim) and not _identifier(reading, claim):
                balancer = reading.balancer_of(claim)
                first.setdefault(balancer, claim)
                paths.setdefault(balancer, set()).update(_paths(claim, host))
        for balancer, claim in first.items():
            of_first, old = next(iter(first.items()))
            # With the same paths nothing is lost: a move from one ALB to another.
            if paths[balancer] != paths[of_first]:
                yield Trap(
                    claim.where,
                    f"{claim.manifest.title} and {old.manifest.title} get an ALB each, but {host} points "
                    "to only one of them: the paths of the other answer 404",
                    "put them into one group: alb.ingress.kubernetes.io/group.name, or the group of their "
                    "IngressClassParams",
                )


@rule("claims-without-address", Severity.ERROR)
def claims_without_address(reading: Reading) -> Iterator[Trap]:
    """An Ingress or Service claims a name but never gets a load balancer, so it never gets the name."""
    for host, claims in reading.claims.items():
        for claim in claims:
            if _has_address(reading, claim):
                continue
            title, stack = claim.manifest.title, reading.stack_of(claim.manifest)
            other = reading.unplanned.get(title)
            if stack and stack.error is not None:
                others = [one for one in claims if one is not claim and one.kind != claim.kind]
                yield Trap(
                    claim.where,
                    f"{title} claims {host}, but its load balancer cannot be built, so it has no address "
                    f"(see cannot-be-built of {stack.title})",
                    "fix that first"
                    + (f"; the record is deleted if you {_end_of(others, host)} before" if others else ""),
                )
            elif other and not other.taker:
                moves = ", and a move to it deletes the record" if host in reading.contested else ""
                yield Trap(
                    claim.where,
                    f"{title} claims {host}, but no controller makes a load balancer for it, as "
                    f"{other.reason}: ExternalDNS finds no address and ignores it{moves}",
                    "give an Ingress a class that exists, or a Service a load balancer type that a "
                    "controller handles",
                )


@rule("frontend-nlb-not-published", Severity.ERROR)
def frontend_nlb_not_published(reading: Reading) -> Iterator[Trap]:
    """Of an internal ALB and its public frontend NLB, ExternalDNS publishes the ALB: its name sorts first."""
    for host, claims in reading.claims.items():
        for claim in claims:
            planned = reading.stack_of(claim.manifest)
            stack = planned.stack if planned else None
            if stack is None or stack.load_balancer is None or stack.frontend_nlb is None:
                continue
            alb, nlb = stack.load_balancer, stack.frontend_nlb.load_balancer
            told = annotation(claim.manifest, reading.prefix + "target")
            if alb.scheme == "internal" and nlb.scheme != "internal" and not told:
                yield Trap(
                    claim.where,
                    f"the status of {claim.manifest.title} has the names of the internal ALB and of its "
                    f"{nlb.scheme} NLB {nlb.name}; ExternalDNS points {host} to the ALB, as 'internal-' "
                    "sorts before 'k8s-': clients outside the VPC cannot connect",
                    f"set {reading.prefix}target to the NLB's DNS name on the Ingress",
                )


@rule("hostname-on-plain-service", Severity.WARNING)
def hostname_on_plain_service(reading: Reading) -> Iterator[Trap]:
    """The hostname annotation of a Service that is not of type LoadBalancer makes no alias."""
    key = reading.prefix + "hostname"
    for manifest in reading.of_kind("Service"):
        kind = object_fields.spec(manifest.object).get("type", "ClusterIP")
        has_host = key in object_fields.annotations_of(manifest.object)
        # A headless Service publishes its pods, which is what its annotation is for.
        is_headless = object_fields.spec(manifest.object).get("clusterIP") == "None"
        if has_host and kind in ("ClusterIP", "NodePort") and not is_headless:
            yield Trap(
                manifest.line("metadata", "annotations", key),
                f"{manifest.title} is of type {kind}: its hostname annotation never points to a load "
                "balancer",
                "annotate the Service of type LoadBalancer, or put the host into the Ingress",
            )


@rule("other-controller", Severity.NOTE)
def other_controller(reading: Reading) -> Iterator[Trap]:
    """The controller annotation assigns an object to another ExternalDNS."""
    key = reading.prefix + "controller"
    for manifest in reading.of_kind("Service", "Ingress"):
        value = object_fields.annotations_of(manifest.object).get(key)
        if value not in (None, "dns-controller"):
            yield Trap(
                manifest.line("metadata", "annotations", key),
                f"ExternalDNS skips {manifest.title}: its controller annotation is {value!r}, and a name "
                "that it had moves to another claimant or is deleted",
                "remove the annotation, unless you use it on purpose to end a claim",
            )


@rule("capitals-in-host", Severity.WARNING)
def capitals_in_host(reading: Reading) -> Iterator[Trap]:
    """A host with capital letters matches no hosted zone, and the log says that all is up to date."""
    for claims in reading.claims.values():
        for claim in claims:
            if claim.host != claim.host.lower():
                yield Trap(
                    claim.where,
                    f"ExternalDNS finds no hosted zone for {claim.host}, as {claim.manifest.title} spells "
                    "it, and drops it; at level info it logs 'All records are already up to date'",
                    f"write {claim.host.lower()}",
                )


@rule("two-services-one-host", Severity.WARNING)
def two_services_one_host(reading: Reading) -> Iterator[Trap]:
    """Two Services claim one host, and the release makes one record of both, again at every sync."""
    if not reading.merges_services:
        return
    for host, claims in reading.claims.items():
        services = {claim.manifest.key: claim for claim in claims if claim.kind == "Service"}
        if len(services) < 2 or len({_identifier(reading, claim) for claim in claims}) > 1:
            continue
        first, second = list(services.values())[:2]
        yield Trap(
            second.where,
            f"{second.manifest.title} and {first.manifest.title} both claim {host}: ExternalDNS "
            f"{reading.release.tag} merges them into one record with both targets and writes it again at "
            "every sync",
            "give the host to one Service only",
        )


def _contested(reading: Reading) -> Iterator[tuple[str, Claim, tuple[Claim, ...]]]:
    """Yield each host that moves as a whole; records with set identifiers stand side by side."""
    for host, (holder, others) in reading.contested.items():
        if not all(_identifier(reading, claim) for claim in (holder, *others)):
            yield host, holder, others


def _titles(claims: Iterable[Claim], word: str = "and") -> str:
    return f" {word} ".join(claim.manifest.title for claim in claims)


def _claim_of(claim: Claim) -> str:
    """`the hostname annotation of Service default/web`, `the host in Ingress default/web`."""
    what = "hostname annotation of" if claim.kind == "Service" else "host in"
    return f"the {what} {claim.manifest.title}"


def _end_of(claims: Sequence[Claim], host: str) -> str:
    """What ends some claims of one kind, as an order to the reader."""
    if all(claim.kind == "Service" for claim in claims):
        return f"remove the hostname annotation of {_titles(claims)}"
    return f"take {host} out of {_titles(claims)}"


def _first_records(
    reading: Reading, host: str, holder: Claim, others: Sequence[Claim]
) -> Sequence[Mapping[str, Any]]:
    """The address records of a host after the first syncs with an empty zone; () if an address is unknown."""
    claims = (holder, *others)
    if reading.tried_flags is None or not all(addresses_of(claim.manifest) for claim in claims):
        return ()
    items = [claim.manifest.object for claim in claims]
    cluster = RepeatedSyncs(items, zone_file.empty([host]))
    cluster.start(reading.tried_flags, reading.release)
    cluster.first_syncs()
    return [one for one in cluster.records() if one["Type"] in ("A", "AAAA", "CNAME")]


def _target(record: Mapping[str, Any]) -> str:
    if alias := record.get("AliasTarget"):
        return plain_dns_name(str(alias["DNSName"]))
    return ", ".join(str(one["Value"]) for one in record.get("ResourceRecords") or ())


def _has_address(reading: Reading, claim: Claim) -> bool:
    """True if ExternalDNS finds a target for a claim already, whatever becomes of its load balancer."""
    spec = object_fields.spec(claim.manifest.object)
    if claim.kind == "Service" and (spec.get("type") == "ExternalName" or spec.get("externalIPs")):
        return True
    reads_target = claim.kind == "Ingress" or reading.release.has(Fact.TARGET_ON_SERVICES)
    is_told = reads_target and annotation(claim.manifest, reading.prefix + "target")
    return bool(is_told or addresses_of(claim.manifest))


def _makes_alb(reading: Reading, claim: Claim) -> bool:
    if claim.kind != "Ingress":
        return False
    other = reading.unplanned.get(claim.manifest.title)
    return other.makes_one_each if other else reading.stack_of(claim.manifest) is not None


def _paths(claim: Claim, host: str) -> set[str]:
    """The paths that an Ingress serves under a host, with their types."""
    return {
        f"{path.get('pathType')} {path.get('path') or '/'}"
        for rule in object_fields.spec(claim.manifest.object).get("rules") or ()
        if str(rule.get("host") or "").lower() in ("", host)
        for path in (rule.get("http") or {}).get("paths") or ()
    }


def _identifier(reading: Reading, claim: Claim) -> str:
    return annotation(claim.manifest, reading.prefix + "set-identifier") or ""
