"""Traps of the annotations that shape a record: prefix, TTL, weights, dual stack."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.check.findings import Severity
from testbed.check.reading import ALB, PREFIXES, Claim, Reading, annotated, annotation
from testbed.check.rules import Told, rule

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
def unread_annotation_prefix(reading: Reading) -> Iterator[Told]:
    """Annotations under a prefix that this ExternalDNS does not read do nothing, and its records go."""
    for manifest in reading.of_kind("Service", "Ingress"):
        for key in manifest.object["metadata"].get("annotations") or {}:
            prefix = next((one for one in PREFIXES if key.startswith(one)), None)
            if prefix is None or prefix == reading.prefix:
                continue
            hosts = {
                one.get("host")
                for item in reading.of_kind("Ingress")
                for one in (item.object.get("spec") or {}).get("rules") or ()
            }
            value = annotation(manifest, key) or ""
            silently = (
                f"; {value} is a rule host of an Ingress too, so the name moves to the ALB without a warning"
                if key.endswith("/hostname") and value in hosts
                else "; under policy sync a record that only it asked for is deleted at the first sync"
            )
            yield Told(
                annotated(manifest, key),
                f"ExternalDNS {reading.profile.version} reads {reading.prefix}, so it ignores {key} of "
                f"{manifest.title}{silently if key.endswith('/hostname') else ''}",
                f"start it with --annotation-prefix={prefix}"
                if reading.profile.typed
                else f"write {key.replace(prefix, reading.prefix)}",
            )


@rule("ttl-on-alias", Severity.WARNING)
def ttl_on_alias(reading: Reading) -> Iterator[Told]:
    """An alias has no TTL of its own: v0.7.x writes such a record again at every sync."""
    key = reading.prefix + "ttl"
    for claim in _one_claim_each(reading):
        if annotation(claim.manifest, key) is not None:
            happens = (
                "does nothing: an alias answers with the balancer's own 60 s"
                if reading.profile.typed
                else "makes ExternalDNS UPSERT the record at every sync"
            )
            yield Told(
                annotated(claim.manifest, key),
                f"the ttl annotation of {claim.manifest.title} {happens}",
                "leave it out",
            )


@rule("dualstack-leaves-aaaa", Severity.WARNING)
def dualstack_leaves_aaaa(reading: Reading) -> Iterator[Told]:
    """v0.7.x writes an AAAA alias for a dual-stack ALB and never takes it back."""
    if reading.profile.typed:
        return
    key = ALB + "ip-address-type"
    for claim in _one_claim_each(reading):
        if claim.kind == "Ingress" and annotation(claim.manifest, key) == "dualstack":
            yield Told(
                annotated(claim.manifest, key),
                f"ExternalDNS {reading.profile.version} adds an AAAA alias of {claim.host} for this ALB and "
                "leaves it there after a rollback to the NLB: IPv6 clients keep going to the ALB",
                "delete the AAAA by hand when you roll back, or move with ipv4",
            )


@rule("aaaa-on-the-other-balancer", Severity.WARNING)
def aaaa_on_the_other_balancer(reading: Reading) -> Iterator[Told]:
    """Where the A record is older than v0.16, the new AAAA may point to the other balancer."""
    if not reading.profile.typed:
        return
    for host, (service, _) in reading.contested.items():
        yield Told(
            service.where,
            f"ExternalDNS {reading.profile.version} adds an AAAA alias to each A alias; while both claim "
            f"{host}, one that it adds to an older A goes to the balancer whose name sorts first: A on the "
            "NLB, AAAA on the ALB",
            "upgrade ExternalDNS before or after the move, not while both claim the name",
        )


@rule("weight-without-set-identifier", Severity.ERROR)
def weight_without_set_identifier(reading: Reading) -> Iterator[Told]:
    """A weight without a set identifier is left out: the record is a simple one."""
    for claim in _one_claim_each(reading):
        if annotation(claim.manifest, reading.prefix + "set-identifier"):
            continue
        for name in _ROUTING:
            if annotation(claim.manifest, reading.prefix + name) is not None:
                yield Told(
                    annotated(claim.manifest, reading.prefix + name),
                    f"{claim.manifest.title} has {name} and no set-identifier: ExternalDNS leaves it out, "
                    "and the record is a simple one that gets everything",
                    f"add {reading.prefix}set-identifier",
                )


@rule("set-identifier-without-weight", Severity.ERROR)
def set_identifier_without_weight(reading: Reading) -> Iterator[Told]:
    """A set identifier alone is no routing policy: Route 53 refuses the record."""
    for claim in _one_claim_each(reading):
        key = reading.prefix + "set-identifier"
        given = claim.manifest.object["metadata"].get("annotations") or {}
        if annotation(claim.manifest, key) and not any(reading.prefix + name in given for name in _ROUTING):
            yield Told(
                annotated(claim.manifest, key),
                f"Route 53 refuses the record of {claim.manifest.title}: a set identifier needs a weight or "
                "another routing policy beside it",
                f"add {reading.prefix}aws-weight",
            )


@rule("weighted-beside-simple", Severity.ERROR)
def weighted_beside_simple(reading: Reading) -> Iterator[Told]:
    """A weighted record cannot stand beside a simple one of the same name."""
    key = reading.prefix + "set-identifier"
    for host, (service, ingresses) in reading.contested.items():
        claims = (service, *ingresses)
        without = [claim for claim in claims if not annotation(claim.manifest, key)]
        if without and len(without) < len(claims):
            yield Told(
                without[0].where,
                f"{without[0].manifest.title} claims {host} without set-identifier and another one with: "
                "Route 53 refuses a weighted record beside a simple one",
                "give both a set-identifier and a weight, the Service first, a sync before the Ingress",
            )


@rule("one-set-identifier-for-both", Severity.ERROR)
def one_set_identifier_for_both(reading: Reading) -> Iterator[Told]:
    """Equal set identifiers are one record: nothing is shared by weight."""
    key = reading.prefix + "set-identifier"
    for host, (service, ingresses) in reading.contested.items():
        identifier = annotation(service.manifest, key)
        for ingress in ingresses:
            if identifier and annotation(ingress.manifest, key) == identifier:
                yield Told(
                    annotated(ingress.manifest, key),
                    f"{ingress.manifest.title} and {service.manifest.title} have the set-identifier "
                    f"{identifier!r} of {host}: one record, which only one of them gets",
                    "give each its own",
                )


@rule("weights-move-new-lookups-only", Severity.NOTE)
def weights_move_new_lookups_only(reading: Reading) -> Iterator[Told]:
    """Weights decide over new lookups; connections that are open stay where they are."""
    for host, (service, ingresses) in reading.contested.items():
        key = reading.prefix + "aws-weight"
        if all(annotation(claim.manifest, key) is not None for claim in (service, *ingresses)):
            yield Told(
                annotated(service.manifest, key),
                f"the weights of {host} choose the answer of each new lookup, once a TTL and resolver; the "
                "share of requests follows late, and not exactly",
                "judge by the balancers' request counts, and wait for the drain after the last weight",
            )


@rule("target-health-annotation-ignored", Severity.NOTE)
def target_health_annotation_ignored(reading: Reading) -> Iterator[Told]:
    """v0.7.x does not act on a change of evaluate-target-health alone."""
    key = reading.prefix + "aws-evaluate-target-health"
    if reading.profile.typed:
        return
    for claim in _one_claim_each(reading):
        if annotation(claim.manifest, key) is not None:
            yield Told(
                annotated(claim.manifest, key),
                f"ExternalDNS {reading.profile.version} writes it with the next other change only: set on a "
                f"record that stands, {key} of {claim.manifest.title} changes nothing",
                "set it before the record is made",
            )


@rule("pinned-zone-not-rehearsed", Severity.WARNING)
def pinned_zone_not_rehearsed(reading: Reading) -> Iterator[Told]:
    """A record pinned to one of several hosted zones is rehearsed as if it were not."""
    key = reading.prefix + "aws-hosted-zone-id"
    if not reading.profile.typed:
        return
    for claim in _one_claim_each(reading):
        if annotation(claim.manifest, key) is not None:
            yield Told(
                annotated(claim.manifest, key),
                f"the testbed does not emulate {key} of {claim.manifest.title}: in a rehearsal the record "
                "goes to the longest matching public zone and to every matching private one",
                "rehearse with one hosted zone for the name",
            )


def _one_claim_each(reading: Reading) -> list[Claim]:
    found = (claim for claims in reading.claims.values() for claim in claims)
    return list({claim.manifest.key: claim for claim in found}.values())
