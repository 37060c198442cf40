"""Traps of ExternalDNS's own flags, if its Deployment is among the manifests."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from testbed.check.findings import Severity
from testbed.check.manifest_reading import Claim, Reading
from testbed.check.rule_registry import Trap, rule
from testbed.dated_releases import Release
from testbed.errors import BadInput
from testbed.external_dns.core.facts import Fact
from testbed.external_dns.core.known_deaths import known_deaths
from testbed.external_dns.offline.deployment import ExternalDns
from testbed.external_dns.process.argument_parser import NotEmulated
from testbed.external_dns.process.flags import EmulatedFlags, Flags, parse
from testbed.external_dns.sources.source import SourceContext, SourceError
from testbed.external_dns.sources.source_table import source_of
from testbed.kubernetes import object_fields
from testbed.kubernetes.label_selectors import NotASelector, matches
from testbed.releases import Match
from testbed.settings import PRODUCTION


@rule("ingress-source-missing", Severity.ERROR)
def ingress_source_missing(reading: Reading) -> Iterator[Trap]:
    """ExternalDNS without --source=ingress deletes the name when the Service no longer claims it."""
    for deployed in _with(reading, "--source"):
        sources = deployed.values("--source")
        hosts = [host for host, claims in reading.claims.items() if any(c.kind == "Ingress" for c in claims)]
        if "ingress" not in sources and hosts:
            yield Trap(
                deployed.where("--source"),
                f"ExternalDNS reads {', '.join(sources)} only: it never sees that an Ingress claims "
                f"{hosts[0]}, and deletes the record once the Service loses its annotation",
                "add --source=ingress",
            )


@rule("annotation-filter-hides", Severity.ERROR)
def annotation_filter_hides(reading: Reading) -> Iterator[Trap]:
    """ExternalDNS does not see an object that does not match --annotation-filter."""
    for deployed in _with(reading, "--annotation-filter"):
        wanted = deployed.value("--annotation-filter") or ""
        for host, claims in reading.claims.items():
            for claim in claims:
                try:
                    is_seen = matches(wanted, object_fields.annotations_of(claim.manifest.object))
                except NotASelector:
                    return  # a filter that cannot be read is ExternalDNS's own error at its start
                if not is_seen:
                    yield Trap(
                        claim.where,
                        f"ExternalDNS never sees that {claim.manifest.title} claims {host}: it does not "
                        f"match --annotation-filter={wanted}",
                        "add the annotation that the filter requires",
                    )


@rule("flags-hide-claims", Severity.ERROR)
def flags_hide_claims(reading: Reading) -> Iterator[Trap]:
    """A filter for namespaces, labels, classes, types or domains hides an object or its name."""
    deployed = reading.external_dns
    if deployed is None or reading.emulated is None:
        return
    visible = reading.emulated.flags
    fewer = dict(_all_but_one(reading.emulated, reading.release))
    for host, claims in reading.claims.items():
        for claim in claims:
            if _is_seen(claim, visible, reading.release):
                continue
            # The flag without which the object is seen is the one that hides it.
            hiding = [name for name, found in fewer.items() if _is_seen(claim, found, reading.release)]
            if "--annotation-filter" in hiding:
                continue  # has a rule of its own
            flag = hiding[0] if hiding else ""
            yield Trap(
                claim.where,
                f"ExternalDNS keeps no record of {host} for {claim.manifest.title}: "
                f"{flag or 'all its flags together'} ({deployed.where(flag)}) exclude{'s' if flag else ''} "
                "it",
                "change the flag or the object, so that ExternalDNS sees both sides of the move",
            )


def _all_but_one(emulated: EmulatedFlags, release: Release) -> Iterator[tuple[str, Flags]]:
    """Yield each flag that ExternalDNS starts without, with all the other flags."""
    for name in dict.fromkeys(one.partition("=")[0] for one in emulated.arguments):
        left = [one for one in emulated.arguments if one.partition("=")[0] != name]
        with contextlib.suppress(BadInput):
            yield name, parse(left, release, {})


def _is_seen(claim: Claim, flags: Flags, release: Release) -> bool:
    """True if the object, once it has an address, becomes an endpoint of that name in a zone."""
    # Manifests have no status yet; without an address every source would skip the object.
    status = {"loadBalancer": {"ingress": [{"hostname": "balancer.example.com"}]}}
    item = {**claim.manifest.object, "status": status}
    source = source_of(claim.kind)
    assert source is not None
    try:
        found = source(SourceContext(release, flags)).endpoints([item])
    except SourceError:
        return True  # a template that does not fit, which `flags-refused` reports
    host = claim.host.lower()
    return flags.zones.domains.matches(host) and host in {one.name.lower() for one in found}


@rule("flags-refused", Severity.ERROR)
def flags_refused(reading: Reading) -> Iterator[Trap]:
    """ExternalDNS does not start with an unknown flag, or without a required one."""
    deployed, error = reading.external_dns, reading.refused_flag
    if deployed and error and not isinstance(error, NotEmulated):
        yield Trap(
            error.where or deployed.manifest.where,
            f"{error.what}; read as {reading.release.tag}, its filters are not checked here",
            error.do or "correct the flags",
        )


@rule("provider-missing", Severity.ERROR)
def provider_missing(reading: Reading) -> Iterator[Trap]:
    """ExternalDNS does not start without --provider."""
    deployed = reading.external_dns
    # What a ConfigMap or Secret adds to the environment is not known.
    if deployed and "--provider" not in deployed.flags and not deployed.container.spec.get("envFrom"):
        yield Trap(
            deployed.manifest.where,
            f"{deployed.manifest.title} has no --provider, which every release requires: ExternalDNS ends at "
            "its start, and no record moves",
            "add --provider=aws",
        )


@rule("flag-not-emulated", Severity.WARNING)
def flag_not_emulated(reading: Reading) -> Iterator[Trap]:
    """The testbed does not emulate a flag or a value, so its effect is neither checked nor rehearsed."""
    refused = reading.refused_flag
    alone = [refused] if isinstance(refused, NotEmulated) else []
    for error in reading.emulated.left_out if reading.emulated else alone:
        yield Trap(
            error.where or reading.manifests[0].where,
            f"{error.what}; what ExternalDNS {reading.release.tag} does with it is not checked here",
            "rehearse without it, and look at what it adds by hand",
        )


@rule("policy-keeps-records", Severity.WARNING)
def policy_keeps_records(reading: Reading) -> Iterator[Trap]:
    """Policy create-only never moves a name, and upsert-only never deletes one."""
    for deployed in _with(reading, "--policy"):
        policy = deployed.value("--policy")
        if policy == "create-only":
            what, do = (
                "the record stays on the NLB forever and dangles once the NLB is deleted",
                "use upsert-only or sync",
            )
        elif policy == "upsert-only":
            what, do = (
                "once no object claims the name, the alias to a deleted load balancer stays",
                "delete it by hand then",
            )
        else:
            continue
        yield Trap(deployed.where("--policy"), f"--policy={policy}: {what}", do)


@rule("version-not-emulated", Severity.NOTE)
def version_not_emulated(reading: Reading) -> Iterator[Trap]:
    """A release that the testbed does not know is read as the nearest that it knows."""
    yield from _standing_in(reading, Match.NEWER, Match.OLDER)


@rule("release-not-told", Severity.WARNING)
def release_not_told(reading: Reading) -> Iterator[Trap]:
    """An image that tells no release may be of any, and `latest` becomes another one overnight."""
    yield from _standing_in(reading, Match.UNTOLD)


@rule("release-never-existed", Severity.WARNING)
def release_never_existed(reading: Reading) -> Iterator[Trap]:
    """No image was ever released under this tag, so a node that lacks it cannot pull it."""
    yield from _standing_in(reading, Match.NEVER)


def _standing_in(reading: Reading, *matches: Match) -> Iterator[Trap]:
    """Yield each Deployment whose release another one stands in for, for one of these reasons."""
    for deployed, read_as in (
        (reading.external_dns, reading.external_dns_choice),
        (reading.lb_controller, reading.lb_controller_choice),
    ):
        choice = deployed.choice if deployed else None
        if deployed and choice and choice.match in matches:
            yield Trap(deployed.image, f"{choice.what}; it is read as {read_as.played}", choice.remedy)


@rule("noop-registry", Severity.WARNING)
def noop_registry(reading: Reading) -> Iterator[Trap]:
    """Without the TXT registry no record names its resource, so other rules decide the move."""
    for deployed in _with(reading, "--registry"):
        if deployed.value("--registry") == "noop":
            yield Trap(
                deployed.where("--registry"),
                "--registry=noop: no TXT record names the owner of a record, so while both claim a name "
                "the load balancer whose DNS name sorts first gets it at once, and ExternalDNS may delete "
                "any record of the zone",
                "use --registry=txt with an owner id",
            )


@rule("shared-owner-id", Severity.WARNING)
def shared_owner_id(reading: Reading) -> Iterator[Trap]:
    """Without --txt-owner-id, every ExternalDNS without one owns the records of the others."""
    deployed = reading.external_dns
    if (
        deployed
        and deployed.value("--registry") in (None, "txt")
        and deployed.value("--txt-owner-id") is None
    ):
        yield Trap(
            deployed.manifest.where,
            "ExternalDNS has no --txt-owner-id, so its owner is 'default', like that of any other cluster "
            "without one: each changes and deletes the records of the others",
            "give each cluster an owner id; changing the id later freezes the existing records",
        )


@rule("prefers-cname", Severity.ERROR)
def prefers_cname(reading: Reading) -> Iterator[Trap]:
    """A CNAME cannot share its name with the TXT of releases before v0.18, and upsert-only frees no name."""
    for deployed in _with(reading, "--aws-prefer-cname"):
        has_affix = deployed.value("--txt-prefix") or deployed.value("--txt-suffix")
        if reading.release.has(Fact.UNTYPED_TXT) and not has_affix:
            yield Trap(
                deployed.where("--aws-prefer-cname"),
                "--aws-prefer-cname: a CNAME and its TXT record cannot share a name, so Route 53 "
                f"refuses every record of ExternalDNS {reading.release.tag} and keeps the aliases that exist",
                "set --txt-prefix, or use aliases",
            )
        elif reading.release.has(Fact.ALIAS_ENDPOINTS) and deployed.value("--policy") == "upsert-only":
            yield Trap(
                deployed.where("--aws-prefer-cname"),
                "--aws-prefer-cname under --policy=upsert-only: an alias that exists is never deleted, so "
                "Route 53 refuses the CNAME at every sync",
                "use aliases, or --policy=sync",
            )


@rule("cname-replaces-alias", Severity.NOTE)
def cname_replaces_alias(reading: Reading) -> Iterator[Trap]:
    """--aws-prefer-cname makes CNAMEs, which no zone's apex can have, and which have a TTL of their own."""
    for deployed in _with(reading, "--aws-prefer-cname"):
        replaced = (
            "existing aliases become CNAMEs by DELETE and CREATE in one batch"
            if reading.release.has(Fact.ALIAS_ENDPOINTS)
            else "existing aliases stay, only new names become CNAMEs"
        )
        if not any(prefers_cname(reading)):
            yield Trap(
                deployed.where("--aws-prefer-cname"),
                f"--aws-prefer-cname: {replaced}; a CNAME has a TTL of its own, 300 s, that clients keep",
                "count on 300 s instead of 60 s in the move, or use aliases",
            )


@rule("release-can-die", Severity.WARNING)
def release_can_die(reading: Reading) -> Iterator[Trap]:
    """Some releases end, instead of going on, at an update or at an error of Route 53."""
    if (deployed := reading.external_dns) is None:
        return
    for death in known_deaths(reading.release):
        yield Trap(deployed.image, death.what, death.do)


@rule("owner-migration", Severity.WARNING)
def owner_migration(reading: Reading) -> Iterator[Trap]:
    """--migrate-from-txt-owner rewrites all records at every sync and claims those of other clusters."""
    for deployed in _with(reading, "--migrate-from-txt-owner"):
        yield Trap(
            deployed.where("--migrate-from-txt-owner"),
            "while --migrate-from-txt-owner is set, each sync rewrites every record, and under policy "
            "sync it claims records of other clusters with that owner, then deletes them",
            "run it once, alone, before the move, and remove it",
        )


@rule("long-interval", Severity.NOTE)
def long_interval(reading: Reading) -> Iterator[Trap]:
    """The record moves up to --interval after the edit, and clients cache the old answer even longer."""
    for deployed in _with(reading, "--interval"):
        match = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", deployed.value("--interval") or "")
        hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
        total = hours * 3600 + minutes * 60 + seconds
        if total > PRODUCTION.external_dns_interval:
            yield Trap(
                deployed.where("--interval"),
                f"the record moves up to {total} s after an edit, in a rollback too, and resolvers cache "
                "the old answer for 60 s more",
                "lower --interval for the move",
            )


def _with(reading: Reading, flag: str) -> Iterator[ExternalDns]:
    if reading.external_dns and flag in reading.external_dns.flags:
        yield reading.external_dns
