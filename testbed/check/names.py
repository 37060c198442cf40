"""Traps of a name that several objects claim, and of those that claim it in vain.

Source: external-dns, plan/conflict.go (PerResource): a record stays with the resource that its TXT names for
as long as that one claims it; else the smallest target wins.
"""

from __future__ import annotations

from collections.abc import Iterator

from testbed.check.findings import Severity
from testbed.check.reading import Reading
from testbed.check.rules import Told, rule


@rule("rollback-needs-both-edits", Severity.NOTE)
def rollback_needs_both_edits(reading: Reading) -> Iterator[Told]:
    """After the move, giving the Service its annotation back moves nothing."""
    for host, (service, ingresses) in reading.contested.items():
        titles = _titles(claim.manifest.title for claim in ingresses)
        yield Told(
            service.where,
            f"{host} is claimed by {service.manifest.title} and {titles}: the record stays with whoever has "
            "it; once it is with the Ingress, the annotation back on the Service changes nothing, and the "
            "log says 'All records are already up to date'",
            "to roll back, put the annotation back first, then take the host away from every Ingress",
        )


@rule("nobody-claims-between", Severity.NOTE)
def nobody_claims_between(reading: Reading) -> Iterator[Told]:
    """The claim that is given up before the other one counts deletes the record."""
    for host, (service, ingresses) in reading.contested.items():
        yield Told(
            service.where,
            f"if the annotation leaves {service.manifest.title} before {ingresses[0].manifest.title} has an "
            f"address, ExternalDNS deletes {host} under policy sync: NXDOMAIN until a later sync, and "
            "resolvers remember it",
            "remove the annotation only after the Ingress shows the ALB's name in its status and a sync "
            "passed",
        )


@rule("lost-address-moves-the-name", Severity.NOTE)
def lost_address_moves_the_name(reading: Reading) -> Iterator[Told]:
    """While both claim a name, a Service without an address for one sync loses it for good."""
    for host, (service, _) in reading.contested.items():
        yield Told(
            service.where,
            f"while both claim {host}, a single sync in which {service.manifest.title} has no address (its "
            "type changed, its balancer made anew, the object deleted) moves the record to the Ingress, and "
            "it does not come back",
            "keep the time in which both claim the name short, and leave the Service alone meanwhile",
        )


@rule("fresh-zone-decides-by-name", Severity.NOTE)
def fresh_zone_decides_by_name(reading: Reading) -> Iterator[Told]:
    """Both claim a name that has no record yet: the smaller balancer name wins."""
    for host, (service, _) in reading.contested.items():
        yield Told(
            service.where,
            f"where {host} has no record yet (a new zone, a restored cluster, a record deleted by hand), the "
            "balancer whose DNS name sorts first gets it, be it the NLB or the ALB",
            "let the Service have its record before an Ingress gets the host",
        )


@rule("unstable-after-rollback", Severity.WARNING)
def unstable_after_rollback(reading: Reading) -> Iterator[Told]:
    """Two Ingresses with the host on one ALB make the record jump after a rollback by annotation."""
    for host, (service, ingresses) in reading.contested.items():
        if len(ingresses) > 1:
            titles = _titles(claim.manifest.title for claim in ingresses)
            yield Told(
                ingresses[1].where,
                f"{titles} claim {host}: of equal endpoints one survives at random each sync, so after a "
                f"rollback that only annotates {service.manifest.title} again the record may jump to the NLB "
                "at any later sync, if its DNS name sorts before the ALB's",
                "take the host away from all of them when you roll back",
            )


@rule("two-balancers-one-name", Severity.ERROR)
def two_balancers_one_name(reading: Reading) -> Iterator[Told]:
    """Ingresses of one host become several ALBs, and the name can point to one of them."""
    for host, claims in reading.claims.items():
        stacks: dict[str, str] = {}
        for claim in claims:
            stack = reading.stack_of(claim.manifest)
            if claim.kind != "Ingress" or stack is None or _has_set_identifier(reading, claim.manifest.title):
                continue
            stacks.setdefault(stack.title, claim.manifest.title)
            if len(stacks) > 1 and stacks.get(stack.title) == claim.manifest.title:
                first = next(iter(stacks.values()))
                yield Told(
                    claim.where,
                    f"{claim.manifest.title} and {first} get an ALB each, but {host} points to one of them: "
                    "the paths of the other answer 404",
                    "give them the same alb.ingress.kubernetes.io/group.name",
                )


@rule("claims-without-address", Severity.ERROR)
def claims_without_address(reading: Reading) -> Iterator[Told]:
    """An Ingress or Service claims a name and never gets a balancer, so it never has the name."""
    for host, claims in reading.claims.items():
        for claim in claims:
            stack = reading.stack_of(claim.manifest)
            spec = claim.manifest.object.get("spec") or {}
            if claim.kind == "Service" and spec.get("type") == "ExternalName":
                continue
            if stack is None:
                other = "" if host not in reading.contested else ", and a move to it deletes the record"
                yield Told(
                    claim.where,
                    f"{claim.manifest.title} claims {host}, but no controller makes a balancer for it, so "
                    f"ExternalDNS finds no address and ignores it{other}",
                    "give an Ingress the class alb, a Service a load balancer type that is taken",
                )
            elif stack.error is not None:
                yield Told(
                    claim.where,
                    f"{claim.manifest.title} claims {host}, but its balancer cannot be built, so it has no "
                    f"address: {stack.error}",
                    "mend that first; an annotation that leaves the Service before deletes the record",
                )


@rule("hostname-on-plain-service", Severity.WARNING)
def hostname_on_plain_service(reading: Reading) -> Iterator[Told]:
    """The hostname annotation of a Service that is no LoadBalancer gives no alias."""
    key = reading.prefix + "hostname"
    for manifest in reading.of_kind("Service"):
        kind = (manifest.object.get("spec") or {}).get("type", "ClusterIP")
        has_host = key in (manifest.object["metadata"].get("annotations") or {})
        if has_host and kind in ("ClusterIP", "NodePort"):
            yield Told(
                manifest.line("metadata", "annotations", key),
                f"{manifest.title} is of type {kind}: its hostname annotation never points to a balancer",
                "put the annotation on the Service of type LoadBalancer, or the host into the Ingress",
            )


@rule("other-controller", Severity.NOTE)
def other_controller(reading: Reading) -> Iterator[Told]:
    """The controller annotation hands an object to another ExternalDNS."""
    key = reading.prefix + "controller"
    for manifest in reading.of_kind("Service", "Ingress"):
        value = (manifest.object["metadata"].get("annotations") or {}).get(key)
        if value not in (None, "dns-controller"):
            yield Told(
                manifest.line("metadata", "annotations", key),
                f"ExternalDNS skips {manifest.title}: its controller annotation is {value!r}, and a name "
                "that it had goes to another claimant, or is deleted",
                "leave the annotation out, or use it on purpose to take a claim away",
            )


@rule("capitals-in-host", Severity.WARNING)
def capitals_in_host(reading: Reading) -> Iterator[Told]:
    """A host with capitals matches no hosted zone, and the log says that all is up to date."""
    for claims in reading.claims.values():
        for claim in claims:
            if claim.host != claim.host.lower():
                yield Told(
                    claim.where,
                    f"ExternalDNS finds no hosted zone for {claim.host} as {claim.manifest.title} writes it "
                    "and drops it; at level info it says 'All records are already up to date'",
                    f"write {claim.host.lower()}",
                )


@rule("two-services-one-host", Severity.WARNING)
def two_services_one_host(reading: Reading) -> Iterator[Told]:
    """Two Services claim one host: v0.7.5 updates the record at every sync."""
    for host, claims in reading.claims.items():
        services = {claim.manifest.key: claim for claim in claims if claim.kind == "Service"}
        if len(services) < 2 or len({_identifier(reading, claim.manifest.title) for claim in claims}) > 1:
            continue
        first, second = list(services.values())[:2]
        happens = (
            "merges them into one record with both targets and writes it again at every sync"
            if reading.profile.merges_services
            else "keeps the record with one of them, and a fresh zone decides by the balancers' names"
        )
        yield Told(
            second.where,
            f"{second.manifest.title} and {first.manifest.title} both claim {host}: ExternalDNS "
            f"{reading.profile.version} {happens}",
            "let one Service have the host",
        )


def _titles(titles: Iterator[str]) -> str:
    return " and ".join(titles)


def _identifier(reading: Reading, title: str) -> str:
    key = reading.prefix + "set-identifier"
    found = (one for one in reading.manifests if one.title == title)
    return next((str((one.object["metadata"].get("annotations") or {}).get(key, "")) for one in found), "")


def _has_set_identifier(reading: Reading, title: str) -> bool:
    return bool(_identifier(reading, title))
