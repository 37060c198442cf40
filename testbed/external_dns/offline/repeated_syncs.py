"""ExternalDNS over manifests and zone files, sync after sync; releases, flags and objects may change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from testbed.address_families import PartedName, parted_names
from testbed.clock import Clock
from testbed.dated_releases import Release
from testbed.errors import BadInput
from testbed.external_dns.core.endpoint import RESOURCE
from testbed.external_dns.core.log_lines import LogLine
from testbed.external_dns.core.reasons import Decision
from testbed.external_dns.offline.hosted_zones_in_memory import Batch, HostedZones
from testbed.external_dns.offline.replay import Objects
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.external_dns.process.flags import Flags
from testbed.external_dns.process.object_order import of_any_kind
from testbed.external_dns.process.sync_loop import Controller
from testbed.external_dns.provider.aws_provider import SubmitError
from testbed.external_dns.sources import missing_claims
from testbed.external_dns.sources.source import SourceError
from testbed.external_dns.sources.source_table import resource_of

ZonesOf = Callable[[Sequence[ZoneFile]], HostedZones]
Record = Mapping[str, Any]
FIRST_SYNCS = 4
"""The number of syncs after which a release that still sends something is taken to send it for ever."""


@dataclass(frozen=True, slots=True)
class Sync:
    """The result of one run.

    Attributes:
        batches: the calls to Route 53, in their order.
        decisions: about each record and each claim; first those about claims that never reached the plan.
        log: lines of the level that the flags ask for.
        error: of the run, or "".
        others: batches from other orders of the objects; the real ExternalDNS sees a random order each time.
        parted: names whose A and AAAA lead to different balancers afterwards.
        outside: claimed names whose TXT lies outside the hosted zone, with the name of the TXT.
    """

    batches: tuple[Batch, ...]
    decisions: tuple[Decision, ...]
    log: tuple[LogLine, ...]
    error: str = ""
    others: tuple[tuple[Batch, ...], ...] = ()
    parted: tuple[PartedName, ...] = ()
    outside: Mapping[str, str] = field(default_factory=dict)


class RepeatedSyncs:
    """Objects and zones, and the ExternalDNS that runs on them.

    Attributes:
        objects: of the cluster; they may change between two syncs.
    """

    def __init__(
        self, items: Iterable[Mapping[str, Any]], zones: Sequence[ZoneFile], zones_of: ZonesOf = HostedZones
    ) -> None:
        self.objects = Objects()
        for item in items:
            self.objects.apply(item)
        self._files, self._zones = zones, zones_of(zones)
        self._lines: list[LogLine] = []
        self._controller: Controller | None = None

    def start(self, flags: Flags, release: Release, seed: int = 0) -> None:
        """Start ExternalDNS; one that ran before ends. `--dry-run` is ignored: nothing real changes.

        Raises:
            BadInput: a flag chooses one of two zones with one name, by what no listing tells.
        """
        self._check_choice(flags)
        # A listing has no id, type or tags of its zone, so these filters would find nothing to match.
        wet = replace(flags, dry_run=False, zones=replace(flags.zones, ids=(), kind="", tags=()))
        # The zones have the part of boto3's client that a sync calls.
        self._controller = Controller(
            self.objects,
            self._zones,  # type: ignore[arg-type]
            wet,
            release,
            Clock(),
            self._lines.append,
            seed,
            of_any_kind,
        )

    def _check_choice(self, flags: Flags) -> None:
        twins = [zone for zone in self._files if zone.title]
        given = {
            "--zone-id-filter": flags.zones.ids,
            "--aws-zone-type": flags.zones.kind,
            "--aws-zone-tags": flags.zones.tags,
        }
        chooses = next((flag for flag, value in given.items() if value and any(value)), "")
        if twins and chooses:
            both = " and ".join(str(zone.path) for zone in twins)
            raise BadInput(
                f"{chooses} chooses between two hosted zones {twins[0].name}, {both}, and a listing does not "
                "tell which one it is",
                do="pass the one that the flag chooses as --zone, and not the other",
            )

    def sync(self) -> Sync:
        """Run once more.

        Raises:
            BadInput: the template does not fit an object.
        """
        assert self._controller is not None
        error = ""
        self._lines.clear()
        self._zones.batches.clear()
        try:
            self._controller.run_once()
        except SubmitError as failure:
            error = str(failure)
        except SourceError as failure:
            raise BadInput(str(failure), do="mend the template") from None
        return Sync(tuple(self._zones.batches), self._controller.decisions, tuple(self._lines), error)

    def first_syncs(self) -> tuple[Sync, ...]:
        """Run until nothing is sent any more, at most `FIRST_SYNCS` times.

        Raises:
            BadInput: the template does not fit an object.
        """
        syncs: list[Sync] = []
        while len(syncs) < FIRST_SYNCS and (not syncs or syncs[-1].batches):
            syncs.append(self.sync())
        return tuple(syncs)

    def missing(self, sync: Sync, flags: Flags, release: Release) -> tuple[Decision, ...]:
        """Return decisions about the objects that claim nothing in a sync: what each host of them lacks."""
        seen = {claim.labels.get(RESOURCE, "") for one in sync.decisions for claim in one.claimants}
        silent = [item for item in self.objects.items.values() if resource_of(item) not in seen]
        return tuple(missing_claims.missing(silent, flags, release, self.objects.list))

    def records(self) -> list[Record]:
        """Return the record sets of all zones as they are now."""
        return [record for zone in self._files for record in self._zones.records(zone.id)]

    def parted(self) -> tuple[PartedName, ...]:
        """Return the names whose A and AAAA lead to different balancers now, zone by zone."""
        return tuple(
            dict.fromkeys(
                one for zone in self._files for one in parted_names(self._zones.addresses_apart(zone.id))
            )
        )

    def by_zone(self) -> Mapping[str, Sequence[Record]]:
        """Return the record sets of each zone as they are now, by the zone's title."""
        return {str(zone): self._zones.records(zone.id) for zone in self._files}

    def copy(self) -> RepeatedSyncs:
        """Return the same objects and records, without an ExternalDNS, to try something on."""
        return RepeatedSyncs(self.objects.items.values(), self.zones())

    def zones(self) -> list[ZoneFile]:
        """Return the zones with their record sets as they are now."""
        return [replace(zone, records=tuple(self._zones.records(zone.id))) for zone in self._files]
