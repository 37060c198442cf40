"""What `testbed dns` works on: manifests, zones, and for each ExternalDNS its release and its flags.

The flags are those of the command line and the environment, else of the Deployment among the manifests, else
assumed. With flags that are given there is one ExternalDNS; otherwise each Deployment is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from testbed.aws.route53_names import plain_name
from testbed.dated_releases import Release
from testbed.external_dns.core.facts import annotation_prefix
from testbed.external_dns.offline import annotation_prefixes, one_sync, zone_file
from testbed.external_dns.offline.deployment import ExternalDns, external_dns_deployments, refusal
from testbed.external_dns.offline.record_text import heading
from testbed.external_dns.offline.repeated_syncs import Sync
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.external_dns.process import flags
from testbed.external_dns.process.argument_parser import VARIABLE
from testbed.external_dns.process.flags import Flags
from testbed.external_dns.sources import missing_claims
from testbed.kubernetes import manifests as files
from testbed.kubernetes.manifests import Manifest
from testbed.releases import EXTERNAL_DNS, Choice, Named

ASSUMED = ("--source=service", "--source=ingress", "--policy=sync")
"""The flags if neither the command line, nor the environment, nor a Deployment has any."""
_PREFIX_FLAG = "--annotation-prefix"


@dataclass(frozen=True)
class Desk:
    """One ExternalDNS over manifests and zones.

    Attributes:
        items: the objects, with the addresses that the command line gives them.
        zones: the hosted zones; empty ones, named after what is claimed, if no file is given.
        choice: the release, and who names it.
        given: the arguments of ExternalDNS, each as one word.
        variables: of the environment, which ExternalDNS reads for flags that are no arguments.
        deployed: the Deployment that has the flags; None if they are given otherwise.
        is_deployed: True if a Deployment names the release.
        assumed_prefix: the prefix that the manifests use, where nothing says which one ExternalDNS reads.
    """

    manifests: Sequence[Manifest]
    items: Sequence[Mapping[str, Any]]
    files: Sequence[ZoneFile]
    choice: Choice
    given: tuple[str, ...]
    variables: Mapping[str, str]
    deployed: ExternalDns | None = None
    is_deployed: bool = False
    assumed_prefix: str = ""

    @property
    def release(self) -> Release:
        """The release that decides."""
        return self.choice.release

    @cached_property
    def flags(self) -> Flags:
        """The flags as the release reads them.

        Raises:
            BadInput: it refuses one, or the testbed does not emulate it; with its line in the Deployment.
        """
        if self.deployed and (refused := refusal(self.deployed, self.release)):
            raise refused
        parsed = flags.parse(self.given, self.release, self.variables)
        return replace(parsed, annotation_prefix=self.assumed_prefix) if self.assumed_prefix else parsed

    @cached_property
    def zones(self) -> Sequence[ZoneFile]:
        """The hosted zones.

        Raises:
            BadInput: no file is given, and no object claims a name.
        """
        return self.files or zone_file.empty(self.claimed)

    @property
    def claimed(self) -> list[str]:
        """The names that the objects claim."""

        def others(kind: str) -> list[Mapping[str, Any]]:
            return [item for item in self.items if item["kind"] == kind]

        return [
            plain_name(claim.name)
            for item in self.items
            for claim in missing_claims.claims_of(_with_address(item), self.flags, self.release, others)
        ]

    @property
    def shown(self) -> tuple[str, ...]:
        """The arguments as they may be printed, with the prefix that is assumed."""
        assumed = (f"{_PREFIX_FLAG}={self.assumed_prefix}",) if self.assumed_prefix else ()
        return (*flags.shown(self.given), *assumed)

    @property
    def unread(self) -> str:
        """The prefix that the objects use and ExternalDNS does not read, "" if it reads what they have."""
        used = annotation_prefixes.only(self.items)
        return used if used and used != self.flags.annotation_prefix else ""

    def sync(self) -> Sync:
        """Run once.

        Raises:
            BadInput: as `flags` and `zones`, or the template does not fit an object.
        """
        return one_sync.sync(self.items, self.zones, self.flags, self.release)

    def reading_all(self) -> Desk:
        """The same with the prefix that the objects use."""
        return replace(self, assumed_prefix=self.unread)

    def heading(self) -> str:
        """The release and its flags; where a Deployment names the release, also which one."""
        lines = [heading(self.release.tag, self.shown)]
        if self.is_deployed:
            lines.append(f"The release is that of {self.choice.by}.")
        if self.choice.note:
            lines.append(f"{self.choice.note}.")
        if self.without_zone:
            lines.append(self.without_zone)
        return "\n".join(lines)

    @property
    def without_zone(self) -> str:
        """The sentence that the zones are empty for want of a file; "" if one is given."""
        names = ", ".join(zone.name for zone in self.zones)
        return "" if self.files else f"No --zone is given: planned against an empty hosted zone {names}."

    @property
    def flags_from(self) -> str:
        """The sentence that says where the flags come from."""
        if self.deployed:
            return f"The flags are those of {self.deployed.named.by}."
        if self.given is ASSUMED:
            return "The flags are assumed: neither the command line nor a Deployment has any."
        given = "the environment" if not self.given else "the command line"
        return f"The flags are those of {given}."


def desks(
    paths: Iterable[Path],
    *,
    statuses: Sequence[str] = (),
    zones: Iterable[Path] = (),
    zone_names: Sequence[str] = (),
    release: Named | None = None,
    given: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> list[Desk]:
    """Return each ExternalDNS: one where flags are given, else one for each Deployment, at least one.

    Args:
        paths: of the manifests.
        statuses: addresses, `KIND/NAMESPACE/NAME=HOSTNAME`.
        zones, zone_names: listings of hosted zones, and names for those that do not tell theirs.
        release: that a person names.
        given: the arguments of ExternalDNS on the command line.
        environment: variables; of them those of ExternalDNS count.

    Raises:
        BadInput: a file is wrong, or the release does not exist.
    """
    manifests = [one for one in files.load(paths, custom=True) if not one.is_custom]
    items = one_sync.with_addresses(manifests, statuses)
    listed = zone_file.load(zones, zone_names)
    deployments = external_dns_deployments(manifests)
    variables = {name: value for name, value in (environment or {}).items() if name.startswith(VARIABLE)}
    # ExternalDNS reads its flags from EXTERNAL_DNS_*, too, so such a variable counts as a flag that is given.
    if given or variables or not deployments:
        first = deployments[0] if deployments else None
        choice = EXTERNAL_DNS.choose(release, deployed=first.named if first else None)
        arguments = tuple(given) if given or variables else ASSUMED
        # As `check` does: without release and Deployment, manifests are read with the prefix that they use.
        is_told = first or choice.is_named or _has_prefix(arguments, variables)
        used = "" if is_told else annotation_prefixes.only(items)
        assumed = used if used != annotation_prefix(choice.release) else ""
        return [
            Desk(
                manifests,
                items,
                listed,
                choice,
                arguments,
                variables,
                is_deployed=first is not None and choice.by == first.named.by,
                assumed_prefix=assumed,
            )
        ]
    return [
        Desk(
            manifests,
            items,
            listed,
            EXTERNAL_DNS.choose(release, deployed=one.named),
            one.arguments(),
            {},
            one,
            release is None,
        )
        for one in deployments
    ]


def _has_prefix(arguments: Iterable[str], variables: Mapping[str, str]) -> bool:
    return (
        any(one.startswith(_PREFIX_FLAG) for one in arguments) or f"{VARIABLE}ANNOTATION_PREFIX" in variables
    )


def _with_address(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object with an address where it has none: what it will claim counts too."""
    status = item.get("status") or {}
    if (status.get("loadBalancer") or {}).get("ingress"):
        return item
    return {**item, "status": {"loadBalancer": {"ingress": [{"hostname": "balancer.example.com"}]}}}
