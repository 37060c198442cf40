"""Traps of ExternalDNS's own flags, where its Deployment is among the manifests."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from testbed.check.deployment import ExternalDns, refusal
from testbed.check.findings import Severity
from testbed.check.reading import Claim, Reading
from testbed.check.rules import Told, rule
from testbed.errors import BadInput
from testbed.external_dns.command_line import NotEmulated
from testbed.external_dns.flags import Flags
from testbed.external_dns.profile import Profile, next_after
from testbed.external_dns.selector import matches
from testbed.external_dns.sources import SourceError, Sources
from testbed.settings import PRODUCTION


@rule("ingress-source-missing", Severity.ERROR)
def ingress_source_missing(reading: Reading) -> Iterator[Told]:
    """An ExternalDNS without --source=ingress deletes the name when the Service lets go."""
    for told in _with(reading, "--source"):
        sources = told.values("--source")
        hosts = [host for host, claims in reading.claims.items() if any(c.kind == "Ingress" for c in claims)]
        if "ingress" not in sources and hosts:
            yield Told(
                told.where("--source"),
                f"ExternalDNS reads {', '.join(sources)} only: it never sees an Ingress claim {hosts[0]}, "
                "and deletes the record when the annotation leaves the Service",
                "add --source=ingress",
            )


@rule("annotation-filter-hides", Severity.ERROR)
def annotation_filter_hides(reading: Reading) -> Iterator[Told]:
    """An object that does not meet --annotation-filter has no say over its name."""
    for told in _with(reading, "--annotation-filter"):
        wanted = told.value("--annotation-filter") or ""
        for host, claims in reading.claims.items():
            for claim in claims:
                try:
                    is_seen = matches(wanted, claim.manifest.object["metadata"].get("annotations") or {})
                except BadInput:
                    return  # a filter that cannot be read is ExternalDNS's own error at its start
                if not is_seen:
                    yield Told(
                        claim.where,
                        f"ExternalDNS never sees {claim.manifest.title} claim {host}: it does not meet "
                        f"--annotation-filter={wanted}",
                        "give it the annotation that the filter asks for",
                    )


@rule("flags-hide-claims", Severity.ERROR)
def flags_hide_claims(reading: Reading) -> Iterator[Told]:
    """A filter of namespaces, labels, classes, types or domains hides an object or its name."""
    told = reading.external_dns
    if told is None or refusal(told, reading.profile):
        return
    visible, fewer = told.parsed(reading.profile), dict(_all_but_one(told, reading.profile))
    for host, claims in reading.claims.items():
        for claim in claims:
            if _is_seen(claim, visible, reading.profile):
                continue
            hiding = [name for name, found in fewer.items() if _is_seen(claim, found, reading.profile)]
            if "--annotation-filter" in hiding:
                continue  # has a rule of its own
            flag = hiding[0] if hiding else ""
            yield Told(
                claim.where,
                f"ExternalDNS keeps no record of {host} for {claim.manifest.title}: "
                f"{flag or 'all its flags together'} ({told.where(flag)}) leave{'s' if flag else ''} it out",
                "change the flag or the object, so that both sides of the move are seen",
            )


def _all_but_one(told: ExternalDns, profile: Profile) -> Iterator[tuple[str, Flags]]:
    """The flags without each that ExternalDNS can do without."""
    for name in told.flags:
        with contextlib.suppress(BadInput):
            yield name, told.parsed(profile, without=name)


def _is_seen(claim: Claim, flags: Flags, profile: Profile) -> bool:
    """Whether the object, once it has an address, becomes an endpoint of that name in a zone."""
    status = {"loadBalancer": {"ingress": [{"hostname": "balancer.example.com"}]}}
    item = {**claim.manifest.object, "status": status}
    sources = Sources(profile, flags, _unheard)
    try:
        found = sources.ingresses([item]) if claim.kind == "Ingress" else sources.services([item])
    except SourceError:
        return True  # a template that does not fit, which is told elsewhere
    host = claim.host.lower()
    return flags.zones.domains.matches(host) and host in {one.name.lower() for one in found}


def _unheard(level: str, message: str, *values: object, **fields: str) -> None:
    """What a sync would log is of no interest here."""


@rule("flags-refused", Severity.ERROR)
def flags_refused(reading: Reading) -> Iterator[Told]:
    """ExternalDNS does not start with a flag that it does not know, or without one that it demands."""
    yield from _refused(reading, is_emulated=True)


@rule("flag-not-emulated", Severity.WARNING)
def flag_not_emulated(reading: Reading) -> Iterator[Told]:
    """What a flag changes that is not emulated is neither checked nor rehearsed."""
    yield from _refused(reading, is_emulated=False)


def _refused(reading: Reading, *, is_emulated: bool) -> Iterator[Told]:
    told = reading.external_dns
    error = refusal(told, reading.profile) if told else None
    if told is None or error is None or isinstance(error, NotEmulated) == is_emulated:
        return
    flag = re.search(r"--[a-z0-9-]+", error.what)
    yield Told(
        told.where(flag[0] if flag else ""),
        f"{error.what}; read as {reading.profile.version}, its filters are not checked here",
        error.do or "mend the flags",
    )


@rule("policy-keeps-records", Severity.WARNING)
def policy_keeps_records(reading: Reading) -> Iterator[Told]:
    """create-only never moves a name, upsert-only never deletes one."""
    for told in _with(reading, "--policy"):
        policy = told.value("--policy")
        if policy == "create-only":
            what, do = (
                "the record stays on the NLB for ever and dangles when it goes",
                "use upsert-only or sync",
            )
        elif policy == "upsert-only":
            what, do = (
                "when nobody claims the name any more, the alias to a deleted balancer stays",
                "delete it by hand then",
            )
        else:
            continue
        yield Told(told.where("--policy"), f"--policy={policy}: {what}", do)


@rule("version-not-emulated", Severity.NOTE)
def version_not_emulated(reading: Reading) -> Iterator[Told]:
    """A release without a profile decides in part as the one before it, in part as the one after it."""
    told = reading.external_dns
    if told and told.release and not told.is_emulated:
        later = next_after(told.release)
        yield Told(
            told.image,
            f"ExternalDNS {told.release} is not emulated; the manifests were read as "
            f"{reading.profile.version} reads them",
            f"check and rehearse as {told.profile} and as {later}: it decides as one or the other"
            if later
            else f"read its release notes since {told.profile}",
        )


@rule("noop-registry", Severity.WARNING)
def noop_registry(reading: Reading) -> Iterator[Told]:
    """Without the TXT registry no record remembers its resource: the rules of the move turn around."""
    for told in _with(reading, "--registry"):
        if told.value("--registry") == "noop":
            yield Told(
                told.where("--registry"),
                "--registry=noop: no TXT says whose a record is, so while both claim a name the balancer "
                "whose DNS name sorts first has it, at once, and any record of the zone may be deleted",
                "use --registry=txt with an owner id",
            )


@rule("shared-owner-id", Severity.WARNING)
def shared_owner_id(reading: Reading) -> Iterator[Told]:
    """Without --txt-owner-id every such ExternalDNS owns the records of the others."""
    told = reading.external_dns
    if told and told.value("--registry") in (None, "txt") and told.value("--txt-owner-id") is None:
        yield Told(
            told.manifest.where,
            "ExternalDNS has no --txt-owner-id, so its owner is 'default', as that of any other cluster "
            "without one: each changes and deletes the other's records",
            "give each cluster an owner id; a changed one freezes the records that stand",
        )


@rule("prefers-cname", Severity.ERROR)
def prefers_cname(reading: Reading) -> Iterator[Told]:
    """--aws-prefer-cname needs a TXT prefix in v0.7.x, and later replaces records by DELETE and CREATE."""
    for told in _with(reading, "--aws-prefer-cname"):
        if told.value("--aws-prefer-cname") == "false":
            continue
        if reading.profile.typed:
            what = "aliases that stand are replaced by CNAMEs with DELETE and CREATE, under upsert-only never"
        elif told.value("--txt-prefix") or told.value("--txt-suffix"):
            what = "aliases that stand stay, only new names become CNAMEs"
        else:
            what = "a CNAME and its TXT cannot have one name: no record of it is ever made"
        yield Told(told.where("--aws-prefer-cname"), f"--aws-prefer-cname: {what}", "use aliases")


@rule("owner-migration", Severity.WARNING)
def owner_migration(reading: Reading) -> Iterator[Told]:
    """--migrate-from-txt-owner writes all records at every sync and claims those of other clusters."""
    for told in _with(reading, "--migrate-from-txt-owner"):
        yield Told(
            told.where("--migrate-from-txt-owner"),
            "while --migrate-from-txt-owner is set, every record is written again at each sync, and with "
            "policy sync records of other clusters with that owner are claimed, then deleted",
            "run it once, alone, before the move, and take it out",
        )


@rule("long-interval", Severity.NOTE)
def long_interval(reading: Reading) -> Iterator[Told]:
    """The record moves up to --interval after the edit; clients then still hold the old answer."""
    for told in _with(reading, "--interval"):
        match = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", told.value("--interval") or "")
        hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
        total = hours * 3600 + minutes * 60 + seconds
        if total > PRODUCTION.external_dns_interval:
            yield Told(
                told.where("--interval"),
                f"an edit takes up to {total} s until the record moves, a rollback too, and 60 s more until "
                "resolvers ask again",
                "lower --interval for the move",
            )


def _with(reading: Reading, flag: str) -> Iterator[ExternalDns]:
    if reading.external_dns and flag in reading.external_dns.flags:
        yield reading.external_dns
