"""Plays a recorded history (schema `external-dns-scenarios/1`) sync by sync through an ExternalDNS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed.aws.names import canonical_zone
from testbed.clock import Clock
from testbed.external_dns import flags
from testbed.external_dns.aws_provider import SubmitError
from testbed.external_dns.controller import Controller
from testbed.external_dns.log import LogLine
from testbed.external_dns.profile import ALPHA_PREFIX, Profile
from testbed.external_dns.reasons import Decision
from testbed.external_dns.sources import SourceError
from testbed.external_dns.zone import MemoryZone

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
"""The keys of a history's `config`."""


@dataclass(slots=True)
class Objects:
    """The objects of a history by kind, namespace and name."""

    items: dict[tuple[str, str, str], Mapping[str, Any]] = field(default_factory=dict)

    def apply(self, item: Mapping[str, Any]) -> None:
        """Put an object in the place of the one of its name."""
        self.items[_place(item["kind"], item["metadata"])] = item

    def delete(self, place: Mapping[str, str]) -> None:
        """Take an object away, if it is there."""
        self.items.pop(_place(place["kind"], place), None)

    def list(self, kind: str) -> Sequence[Mapping[str, Any]]:
        """The objects of a kind."""
        return [item for place, item in self.items.items() if place[0] == kind]


def arguments(config: Mapping[str, Any], profile: Profile) -> list[str]:
    """The flags that a history's `config` stands for."""
    found = [f"{flag}={config[key]}" for key, flag in _FLAGS.items() if key in config]
    found += [f"--source={source}" for source in config.get("sources", ("service", "ingress"))]
    if config.get("prefer_cname"):
        found.append("--aws-prefer-cname")
    if config.get("dry_run"):
        found.append("--dry-run")
    if profile.typed:
        found.append(f"--annotation-prefix={config.get('annotation_prefix', ALPHA_PREFIX)}")
        found += [f"--managed-record-types={one}" for one in config.get("managed_records", ())]
        if "migrate_from_owner" in config:
            found.append(f"--migrate-from-txt-owner={config['migrate_from_owner']}")
    return found


@dataclass(frozen=True, slots=True)
class Sync:
    """One run: changes and refusal ("" if taken) of each batch, the error or "", the log, and why."""

    batches: tuple[tuple[Sequence[Mapping[str, Any]], str], ...]
    error: str
    log: tuple[LogLine, ...]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What the syncs of a step did, and the zone's records after them."""

    syncs: tuple[Sync, ...]
    hosted_zone: tuple[Mapping[str, Any], ...]


class Play:
    """A history on its way through an ExternalDNS.

    Raises:
        BadInput: the history's config has no counterpart in this version.
    """

    def __init__(self, scenario: Mapping[str, Any], profile: Profile, seed: int = 0) -> None:
        records = map(_record, scenario.get("hosted_zone_before") or ())
        self._zone = MemoryZone(ZONE_NAME, ZONE_ID, records)
        self._scenario, self._profile, self._seed = scenario, profile, seed
        self._objects = Objects()
        self._lines: list[LogLine] = []
        self._start(scenario["config"])

    def steps(self) -> Iterator[Step]:
        """Play step by step."""
        for step in self._scenario["steps"]:
            for act in step.get("do") or ():
                self._do(act)
            syncs = tuple(self._sync() for _ in range(step["syncs"]))
            yield Step(syncs, tuple(self._zone.records))

    def upgrade(self, profile: Profile) -> Sync:
        """One sync of another version over what is there, with the config that ran last."""
        self._profile = profile
        self._start(self._config)
        return self._sync()

    def _start(self, config: Mapping[str, Any]) -> None:
        self._config = config
        given = flags.parse(arguments(config, self._profile), self._profile, {})
        self._controller = Controller(
            self._objects,
            self._zone,  # type: ignore[arg-type]
            given,
            self._profile,
            Clock(),
            self._lines.append,
            self._seed,
        )

    def _do(self, act: Mapping[str, Any]) -> None:
        if "apply" in act:
            self._objects.apply(act["apply"])
        elif "delete" in act:
            self._objects.delete(act["delete"])
        elif "hosted_zone" in act:
            for change in act["hosted_zone"]:
                self._zone.apply([{"Action": change["action"], "ResourceRecordSet": _record(change)}])
        elif "restart_with" in act:
            self._start(act["restart_with"])
        else:
            self._zone.fail_next = act["next_change_calls_fail"]

    def _sync(self) -> Sync:
        self._lines.clear()
        self._zone.batches.clear()
        error = ""
        try:
            self._controller.run_once()
        except (SubmitError, SourceError) as failure:
            error = str(failure)
        return Sync(tuple(self._zone.batches), error, tuple(self._lines), self._controller.decisions)


def replay(scenario: Mapping[str, Any], profile: Profile, seed: int = 0) -> list[dict[str, Any]]:
    """What each step of a history gives: `syncs` (batches, error, log of info and above) and `hosted_zone`.

    Raises:
        BadInput: the history's config has no counterpart in this version.
    """
    return [
        {
            "syncs": [shown_sync(sync) for sync in step.syncs],
            "hosted_zone": [_shown_record(one) for one in step.hosted_zone],
        }
        for step in Play(scenario, profile, seed).steps()
    ]


def replayed(scenario: Mapping[str, Any], profile: Profile, seed: int = 0) -> dict[str, Any]:
    """The history with what each step gave under `result`.

    Raises:
        BadInput: as `replay`.
    """
    results = replay(scenario, profile, seed)
    steps = [{**step, "result": result} for step, result in zip(scenario["steps"], results, strict=True)]
    return {**scenario, "steps": steps}


def shown_sync(sync: Sync) -> dict[str, Any]:
    """A run in the form of a history."""
    batches = [
        {"changes": [_shown(one) for one in changes]} | ({"rejected": text} if text else {})
        for changes, text in sync.batches
    ]
    log = [f"{line.level}: {line.message}" for line in sync.log]
    return {"batches": batches, "log": log} | ({"error": sync.error} if sync.error else {})


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
    return {"action": change["Action"], **_shown_record(change["ResourceRecordSet"])}


def _shown_record(record: Mapping[str, Any]) -> dict[str, Any]:
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
