"""Plays a recorded history (schema `external-dns-scenarios/1`) sync by sync through an ExternalDNS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed.aws.names import canonical_zone
from testbed.clock import Clock
from testbed.external_dns import flags
from testbed.external_dns.aws_provider import SubmitError
from testbed.external_dns.controller import Controller
from testbed.external_dns.log import LogLine
from testbed.external_dns.profile import ALPHA_PREFIX, Profile
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


def replay(scenario: Mapping[str, Any], profile: Profile, seed: int = 0) -> list[dict[str, Any]]:
    """What each step of a history gives: `syncs` (batches, error, log of info and above) and `hosted_zone`.

    Raises:
        BadInput: the history's config has no counterpart in this version.
    """
    zone = MemoryZone(ZONE_NAME, ZONE_ID, [_record(one) for one in scenario.get("hosted_zone_before", ())])
    objects = Objects()
    lines: list[LogLine] = []

    def start(config: Mapping[str, Any]) -> Controller:
        given = flags.parse(arguments(config, profile), profile, {})
        return Controller(objects, zone, given, profile, Clock(), lines.append, seed)  # type: ignore[arg-type]

    controller = start(scenario["config"])
    steps = []
    for step in scenario["steps"]:
        for act in step.get("do", ()):
            if "apply" in act:
                objects.apply(act["apply"])
            elif "delete" in act:
                objects.delete(act["delete"])
            elif "hosted_zone" in act:
                for change in act["hosted_zone"]:
                    zone.apply([{"Action": change["action"], "ResourceRecordSet": _record(change)}])
            elif "restart_with" in act:
                controller = start(act["restart_with"])
            else:
                zone.fail_next = act["next_change_calls_fail"]
        syncs = []
        for _ in range(step["syncs"]):
            lines.clear()
            zone.batches.clear()
            error = ""
            try:
                controller.run_once()
            except SubmitError as failure:
                error = str(failure)
            syncs.append(
                {
                    "batches": [
                        {"changes": [_shown(one) for one in changes]} | ({"rejected": text} if text else {})
                        for changes, text in zone.batches
                    ],
                    "log": [f"{line.level}: {line.message}" for line in lines],
                }
                | ({"error": error} if error else {})
            )
        steps.append({"syncs": syncs, "hosted_zone": [_shown_record(one) for one in zone.records]})
    return steps


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
