"""The replay of a history (schema `external-dns-scenarios/1`), sync by sync through an ExternalDNS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed.aws.balancer_names import canonical_zone
from testbed.clock import Clock
from testbed.dated_releases import Release
from testbed.external_dns.core.facts import ALPHA_PREFIX, Fact, release_of
from testbed.external_dns.core.log_lines import LogLine
from testbed.external_dns.core.reasons import Decision
from testbed.external_dns.offline import recorded_refusals
from testbed.external_dns.offline.hosted_zones_in_memory import (
    Batch,
    HostedZones,
    InitialZone,
)
from testbed.external_dns.process import flags
from testbed.external_dns.process.object_order import Order, of_a_map
from testbed.external_dns.process.sync_loop import Controller
from testbed.external_dns.provider.aws_provider import SubmitError
from testbed.external_dns.sources.source import SourceError

ZONE_NAME = "example.com"
ZONE_ID = "/hostedzone/ZEXAMPLE"
_FLAGS = {
    "policy": "--policy",
    "owner_id": "--txt-owner-id",
    "txt_prefix": "--txt-prefix",
    "registry": "--registry",
    "annotation_filter": "--annotation-filter",
    "txt_cache_interval": "--txt-cache-interval",
}
CONFIG = (
    *_FLAGS,
    "sources",
    "prefer_cname",
    "dry_run",
    "annotation_prefix",
    "managed_records",
    "migrate_from_owner",
)
"""The keys that the `config` of a history may have."""


@dataclass(slots=True)
class Objects:
    """The objects of a history by kind, namespace and name."""

    items: dict[tuple[str, str, str], Mapping[str, Any]] = field(default_factory=dict)

    def apply(self, item: Mapping[str, Any]) -> None:
        """Add an object, or replace the one of its name."""
        self.items[_place(item["kind"], item["metadata"])] = item

    def delete(self, place: Mapping[str, str]) -> None:
        """Remove an object, if it exists."""
        self.items.pop(_place(place["kind"], place), None)

    def list(self, kind: str) -> Sequence[Mapping[str, Any]]:
        """Return the objects of a kind."""
        return [item for place, item in self.items.items() if place[0] == kind]


def arguments(config: Mapping[str, Any], release: Release) -> list[str]:
    """Return the flags that the `config` of a history stands for."""
    flags_of_config = [f"{flag}={config[key]}" for key, flag in _FLAGS.items() if key in config]
    flags_of_config += [f"--source={source}" for source in config.get("sources", ("service", "ingress"))]
    if config.get("prefer_cname"):
        flags_of_config.append("--aws-prefer-cname")
    if config.get("dry_run"):
        flags_of_config.append("--dry-run")
    if flags.has(release, "managed-record-types"):
        flags_of_config += [f"--managed-record-types={one}" for one in config.get("managed_records", ())]
    # The recorded histories use the annotations of v0.7, and the default prefix has changed since.
    if release.has(Fact.ANNOTATION_PREFIX_FLAG):
        flags_of_config.append(f"--annotation-prefix={config.get('annotation_prefix', ALPHA_PREFIX)}")
        if "migrate_from_owner" in config:
            flags_of_config.append(f"--migrate-from-txt-owner={config['migrate_from_owner']}")
    return flags_of_config


@dataclass(frozen=True, slots=True)
class Sync:
    """One run: its batches, the error or "", the log, and the decisions."""

    batches: tuple[Batch, ...]
    error: str
    log: tuple[LogLine, ...]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """The syncs of a step, and the zone's records after them."""

    syncs: tuple[Sync, ...]
    hosted_zone: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Saved:
    """The zone of a history at some moment, and how many of its next change calls fail."""

    records: tuple[Mapping[str, Any], ...]
    failing_calls: int


class Play:
    """A history that is being played, step by step or act by act.

    A step that names a `release` is played with that one, and so are the steps after it.

    Attributes:
        release: the one that plays.

    Raises:
        BadInput: the release does not have the flags that the config of the history stands for, or a step
            names a release that never existed.
    """

    def __init__(
        self, scenario: Mapping[str, Any], release: Release, seed: int = 0, order: Order = of_a_map
    ) -> None:
        records = tuple(_record(form) for form in scenario.get("hosted_zone_before") or ())
        self._scenario, self.release, self._seed, self._order = scenario, release, seed, order
        self._objects = Objects()
        self._lines: list[LogLine] = []
        self._config: Mapping[str, Any] = scenario["config"]
        self.restore(Saved(records, 0))

    def steps(self) -> Iterator[Step]:
        """Play the history step by step."""
        for step in self._scenario["steps"]:
            self.begin(step)
            syncs = tuple(self.sync() for _ in range(step["syncs"]))
            yield Step(syncs, tuple(self.records()))

    def begin(self, step: Mapping[str, Any]) -> None:
        """Take the release of a step, and do what it says before its syncs."""
        if "release" in step and release_of(step["release"]) != self.release:
            self.release = release_of(step["release"])
            self.restart()
        for act in step.get("do") or ():
            self._do(act)

    def sync(self) -> Sync:
        """Run one sync."""
        self._lines.clear()
        self._zones.batches.clear()
        error = ""
        try:
            self._controller.run_once()
        except (SubmitError, SourceError) as failure:
            error = str(failure)
        return Sync(tuple(self._zones.batches), error, tuple(self._lines), self._controller.decisions)

    def upgrade(self, release: Release) -> Sync:
        """Run one sync of another release over what is there, with the last config."""
        self.release = release
        self.restart()
        return self.sync()

    def restart(self, seed: int | None = None) -> None:
        """Start another process with the same config, and with another seed if one is given."""
        self._seed = self._seed if seed is None else seed
        parsed = flags.parse(arguments(self._config, self.release), self.release, {})
        self._controller = Controller(
            self._objects,
            self._zones,  # type: ignore[arg-type]
            parsed,
            self.release,
            Clock(),
            self._lines.append,
            self._seed,
            self._order,
        )

    def records(self) -> list[Mapping[str, Any]]:
        """Return the records of the zone."""
        return list(self._zones.records(ZONE_ID))

    def saved(self) -> Saved:
        """Return the zone as it is, for `restore`."""
        return Saved(tuple(self.records()), self._zones.throttled_calls)

    def restore(self, saved: Saved) -> None:
        """Go back to a zone that was saved, with another process; the objects stay as they are."""
        self._zones = HostedZones([InitialZone(ZONE_NAME, ZONE_ID, saved.records)], recorded_refusals.judged)
        self._zones.throttled_calls = saved.failing_calls
        self.restart()

    def _do(self, act: Mapping[str, Any]) -> None:
        if "apply" in act:
            self._objects.apply(act["apply"])
        elif "delete" in act:
            self._objects.delete(act["delete"])
        elif "hosted_zone" in act:
            for change in act["hosted_zone"]:
                self._zones.change(
                    ZONE_ID, [{"Action": change["action"], "ResourceRecordSet": _record(change)}]
                )
        elif "restart_with" in act:
            self._config = act["restart_with"]
            self.restart()
        else:
            self._zones.throttled_calls = act["next_change_calls_fail"]


def replay(scenario: Mapping[str, Any], release: Release, seed: int = 0) -> list[dict[str, Any]]:
    """Return for each step of a history `syncs` (batches, error, log of info and above) and `hosted_zone`.

    Raises:
        BadInput: this version does not have the flags that the config of the history stands for.
    """
    return [
        {
            "syncs": [shown_sync(sync) for sync in step.syncs],
            "hosted_zone": [shown_record(one) for one in step.hosted_zone],
        }
        for step in Play(scenario, release, seed).steps()
    ]


def replayed(scenario: Mapping[str, Any], release: Release, seed: int = 0) -> dict[str, Any]:
    """Return the history with the outcome of each step under `result`.

    Raises:
        BadInput: as `replay`.
    """
    results = replay(scenario, release, seed)
    steps = [{**step, "result": result} for step, result in zip(scenario["steps"], results, strict=True)]
    return {**scenario, "steps": steps}


def shown_sync(sync: Sync) -> dict[str, Any]:
    """Return a run in the form of a history."""
    batches = [
        {"changes": [_shown(one) for one in batch.changes]}
        | ({"rejected": rejection(batch)} if batch.code else {})
        for batch in sync.batches
    ]
    log = [f"{line.level}: {line.message}" for line in sync.log]
    return {"batches": batches, "log": log} | ({"error": sync.error} if sync.error else {})


def rejection(batch: Batch) -> str:
    """Return why a batch was refused, as a history has it: without the brackets of Route 53's message."""
    return batch.message.removeprefix("[").removesuffix("]")


def _place(kind: str, metadata: Mapping[str, str]) -> tuple[str, str, str]:
    return kind, metadata.get("namespace", "default"), metadata["name"]


def _record(form: Mapping[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {"Name": form["name"], "Type": form["type"]}
    if "alias" in form:
        record["AliasTarget"] = {
            "DNSName": form["alias"],
            "HostedZoneId": canonical_zone(form["alias"]) or ZONE_ID,
            "EvaluateTargetHealth": form.get("evaluate_target_health", True),
        }
    else:
        record["TTL"] = form["ttl"]
        record["ResourceRecords"] = [{"Value": value} for value in form["values"]]
    if "set_identifier" in form:
        record["SetIdentifier"] = form["set_identifier"]
    if "weight" in form:
        record["Weight"] = form["weight"]
    return record


def _shown(change: Mapping[str, Any]) -> dict[str, Any]:
    return {"action": change["Action"], **shown_record(change["ResourceRecordSet"])}


def shown_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record in the form of a history."""
    shown: dict[str, Any] = {"name": record["Name"].rstrip(".").replace("\\052", "*"), "type": record["Type"]}
    if "SetIdentifier" in record:
        shown["set_identifier"] = record["SetIdentifier"]
    if "Weight" in record:
        shown["weight"] = record["Weight"]
    alias = record.get("AliasTarget")
    if alias:
        shown["alias"] = alias["DNSName"].rstrip(".")
        if not alias["EvaluateTargetHealth"]:
            shown["evaluate_target_health"] = False
    else:
        shown["ttl"] = record["TTL"]
        shown["values"] = [value["Value"] for value in record["ResourceRecords"]]
    return shown
