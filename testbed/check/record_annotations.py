"""Traps of the annotations that shape a record: prefix, TTL, weights, dual stack."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.check.findings import Severity
from testbed.check.manifest_reading import ALB, Claim, Reading, annotated, annotation
from testbed.check.rule_registry import Trap, rule
from testbed.external_dns.core.facts import Fact
from testbed.external_dns.offline.annotation_prefixes import PREFIXES
from testbed.kubernetes import object_fields

_ROUTING = (
    "aws-weight",
    "aws-region",
    "aws-failover",
    "aws-geolocation-continent-code",
    "aws-geolocation-country-code",
    "aws-geolocation-subdivision-code",
    "aws-multi-value-answer",
)


@rule("unread-annotation-prefix", Severity.ERROR)
def unread_annotation_prefix(reading: Reading) -> Iterator[Trap]:
    """This ExternalDNS does not read annotations under this prefix, so it deletes their records."""
    for manifest in reading.of_kind("Service", "Ingress"):
        for key in object_fields.annotations_of(manifest.object):
            prefix = next((one for one in PREFIXES if key.startswith(one)), None)
            if prefix is None or prefix == reading.prefix:
                continue
            hosts = {
                one.get("host")
                for item in reading.of_kind("Ingress")
                for one in object_fields.spec(item.object).get("rules") or ()
            }
            value = annotation(manifest, key) or ""
            silently = (
                f"; {value} is a rule host of an Ingress too, so the name moves to the ALB without warning"
                if key.endswith("/hostname") and value in hosts
                else "; under policy sync the first sync deletes a record that only this annotation claimed"
            )
            yield Trap(
                annotated(manifest, key),
                f"ExternalDNS {reading.release.tag} reads {reading.prefix} only, so it ignores {key} of "
                f"{manifest.title}{silently if key.endswith('/hostname') else ''}",
                f"start it with --annotation-prefix={prefix}"
                if reading.release.has(Fact.ANNOTATION_PREFIX_FLAG)
                else f"write {key.replace(prefix, reading.prefix)}",
            )


@rule("ttl-on-alias", Severity.WARNING)
def ttl_on_alias(reading: Reading) -> Iterator[Trap]:
    """An alias has no TTL of its own, and before v0.13.6 such a record is rewritten at every sync."""
    key = reading.prefix + "ttl"
    for claim in _one_claim_each(reading):
        if annotation(claim.manifest, key) is not None:
            happens = (
                "does nothing: an alias has the load balancer's own TTL of 60 s"
                if reading.release.has(Fact.ALIAS_NORMALISED)
                else "makes ExternalDNS UPSERT the record at every sync"
            )
            yield Trap(
                annotated(claim.manifest, key),
                f"the ttl annotation of {claim.manifest.title} {happens}",
                "remove it",
            )


@rule("dualstack-leaves-aaaa", Severity.WARNING)
def dualstack_leaves_aaaa(reading: Reading) -> Iterator[Trap]:
    """Before v0.16 a dual-stack ALB gets an AAAA alias, which a way back to the NLB leaves behind."""
    if not reading.release.has(Fact.DUALSTACK_LABEL):
        return
    key = ALB + "ip-address-type"
    for claim in _one_claim_each(reading):
        if claim.kind == "Ingress" and annotation(claim.manifest, key) == "dualstack":
            yield Trap(
                annotated(claim.manifest, key),
                f"ExternalDNS {reading.release.tag} adds an AAAA alias of {claim.host} for this ALB and "
                "leaves it there after a rollback to the NLB: IPv6 clients keep using the ALB",
                "delete the AAAA record by hand when you roll back, or move with ipv4",
            )


@rule("aaaa-on-the-other-balancer", Severity.WARNING)
def aaaa_on_the_other_balancer(reading: Reading) -> Iterator[Trap]:
    """If the A record is older than v0.16, the new AAAA record may point to the other load balancer."""
    if not reading.release.has(Fact.AAAA_FOR_ALIASES) or "AAAA" not in reading.managed:
        return
    if reading.emulated and reading.emulated.flags.prefer_cname:
        return  # a CNAME serves both families
    for host, (holder, others) in reading.contested.items():
        yield Trap(
            holder.where,
            f"ExternalDNS {reading.release.tag} adds an AAAA alias to each A alias; while both claim "
            f"{host}, an AAAA that it adds to an older A points to the load balancer whose name sorts first: "
            f"A may lead to that of {holder.manifest.title}, AAAA to that of {others[0].manifest.title}",
            "upgrade ExternalDNS before or after the move, not while both claim the name",
        )


@rule("weight-without-set-identifier", Severity.ERROR)
def weight_without_set_identifier(reading: Reading) -> Iterator[Trap]:
    """A weight without a set identifier is ignored, or since v0.21 sent to Route 53, which refuses it."""
    is_sent = reading.release.has(Fact.ROUTING_WITHOUT_IDENTIFIER)
    happens = (
        f"ExternalDNS {reading.release} sends it without one, and Route 53 refuses the record"
        if is_sent
        else "ExternalDNS ignores it, and the simple record gets all lookups"
    )
    for claim in _one_claim_each(reading):
        if annotation(claim.manifest, reading.prefix + "set-identifier"):
            continue
        for name in _ROUTING:
            if annotation(claim.manifest, reading.prefix + name) is not None:
                yield Trap(
                    annotated(claim.manifest, reading.prefix + name),
                    f"{claim.manifest.title} has {name} but no set-identifier: {happens}",
                    f"add {reading.prefix}set-identifier",
                )


@rule("set-identifier-without-weight", Severity.ERROR)
def set_identifier_without_weight(reading: Reading) -> Iterator[Trap]:
    """Route 53 refuses a record that has a set identifier but no routing policy."""
    for claim in _one_claim_each(reading):
        key = reading.prefix + "set-identifier"
        given = object_fields.annotations_of(claim.manifest.object)
        if annotation(claim.manifest, key) and not any(reading.prefix + name in given for name in _ROUTING):
            yield Trap(
                annotated(claim.manifest, key),
                f"Route 53 refuses the record of {claim.manifest.title}: a set identifier needs a weight or "
                "another routing policy beside it",
                f"add {reading.prefix}aws-weight",
            )


@rule("weighted-beside-simple", Severity.ERROR)
def weighted_beside_simple(reading: Reading) -> Iterator[Trap]:
    """Route 53 refuses a weighted record beside a simple record of the same name."""
    key = reading.prefix + "set-identifier"
    for host, (holder, others) in reading.contested.items():
        claims = (holder, *others)
        without = [claim for claim in claims if not annotation(claim.manifest, key)]
        if without and len(without) < len(claims):
            yield Trap(
                without[0].where,
                f"{without[0].manifest.title} claims {host} without set-identifier and another object with "
                "one: Route 53 refuses a weighted record beside a simple one",
                f"give both a set-identifier and a weight: {holder.manifest.title} first, the other one sync "
                "later",
            )


@rule("one-set-identifier-for-both", Severity.ERROR)
def one_set_identifier_for_both(reading: Reading) -> Iterator[Trap]:
    """Equal set identifiers make one record, so no traffic is split by weight."""
    key = reading.prefix + "set-identifier"
    for host, (holder, others) in reading.contested.items():
        identifier = annotation(holder.manifest, key)
        for other in others:
            if identifier and annotation(other.manifest, key) == identifier:
                yield Trap(
                    annotated(other.manifest, key),
                    f"{other.manifest.title} and {holder.manifest.title} have the set-identifier "
                    f"{identifier!r} of {host}: that is one record, and only one of them gets it",
                    "give each its own set-identifier",
                )


@rule("weights-move-new-lookups-only", Severity.NOTE)
def weights_move_new_lookups_only(reading: Reading) -> Iterator[Trap]:
    """Weights apply to new lookups only; open connections stay where they are."""
    for host, (holder, others) in reading.contested.items():
        key = reading.prefix + "aws-weight"
        if all(annotation(claim.manifest, key) is not None for claim in (holder, *others)):
            yield Trap(
                annotated(holder.manifest, key),
                f"the weights of {host} choose the answer of each new lookup, once per TTL and resolver; the "
                "share of requests follows late and only roughly",
                "compare the request counts of the load balancers, and wait for the drain after the last "
                "weight",
            )


@rule("target-health-annotation-ignored", Severity.NOTE)
def target_health_annotation_ignored(reading: Reading) -> Iterator[Trap]:
    """v0.7.x does not act if only evaluate-target-health changes."""
    key = reading.prefix + "aws-evaluate-target-health"
    if reading.release.has(Fact.ALL_PROPERTIES_COMPARED):
        return
    for claim in _one_claim_each(reading):
        if annotation(claim.manifest, key) is not None:
            yield Trap(
                annotated(claim.manifest, key),
                f"ExternalDNS {reading.release.tag} writes it only together with another change: on an "
                f"existing record, {key} of {claim.manifest.title} changes nothing",
                "set it before the record is created",
            )


@rule("pinned-zone-not-rehearsed", Severity.WARNING)
def pinned_zone_not_rehearsed(reading: Reading) -> Iterator[Trap]:
    """A rehearsal ignores that a record is pinned to one of several hosted zones."""
    key = reading.prefix + "aws-hosted-zone-id"
    if not reading.release.has(Fact.PINNED_ZONE):
        return
    for claim in _one_claim_each(reading):
        if annotation(claim.manifest, key) is not None:
            yield Trap(
                annotated(claim.manifest, key),
                f"the testbed does not emulate {key} of {claim.manifest.title}: in a rehearsal the record "
                "goes to the longest matching public zone and to every matching private one",
                "rehearse with one hosted zone for the name",
            )


def _one_claim_each(reading: Reading) -> list[Claim]:
    # An object may claim several hosts, but has each annotation once: one trap for each object, not for each
    # host.
    found = (claim for claims in reading.claims.values() for claim in claims)
    return list({claim.manifest.key: claim for claim in found}.values())
