"""Endpoints to Route 53 records and back, and the change batches, as the AWS provider makes them.

Source: external-dns, provider/aws/aws.go. An alias is a CNAME endpoint before v0.14 and an A endpoint with
the property `alias` since; both become an A record whose target is the load balancer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from testbed.external_dns import canonical_zones
from testbed.external_dns.endpoint import DUALSTACK, OWNED_RECORD, Endpoint
from testbed.external_dns.log import Say
from testbed.external_dns.plan import EVALUATE
from testbed.external_dns.profile import Profile

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

DEFAULT_TTL = 300
ALIAS = "alias"
SOFT = "soft error: "
SAME_ZONE = "same-zone"
_ESCAPE = re.compile(r"\\(\d{3})")
_ORDER = {"UPSERT": 0, "DELETE": 1, "CREATE": 2}
_OLD_TYPES = ("A", "CNAME", "SRV", "TXT")


@dataclass(frozen=True, slots=True)
class Zone:
    """A hosted zone: id `/hostedzone/Z…` and name without its dot."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ProviderOptions:
    """The provider's flags."""

    evaluate_target_health: bool = True
    prefer_cname: bool = False
    batch_size: int = 1000
    domain_filter: tuple[str, ...] = ()
    dry_run: bool = False


class SubmitError(Exception):
    """Route 53 refused a batch; the text is the one that ExternalDNS logs."""


@dataclass(slots=True)
class AwsProvider:
    """Reads and writes the hosted zones of an account."""

    route53: Route53Client
    profile: Profile
    options: ProviderOptions
    say: Say
    unplaced: set[str] = field(default_factory=set)
    """The names of the latest changes that no hosted zone takes."""
    _zones: list[Zone] = field(default_factory=list)
    _owned_records: dict[str, str] = field(default_factory=dict)

    def zones(self) -> list[Zone]:
        """The hosted zones that match the domain filter."""
        pages = self.route53.get_paginator("list_hosted_zones").paginate()
        found = [Zone(one["Id"], one["Name"].rstrip(".")) for page in pages for one in page["HostedZones"]]
        self._zones = [zone for zone in found if self._is_wanted(zone.name)]
        return self._zones

    def zone_names(self) -> list[str]:
        """Names of the zones that the latest read found."""
        return [zone.name for zone in self._zones]

    def matches(self, name: str) -> bool:
        """Whether the domain filter takes a name."""
        return self._is_wanted(name)

    def _is_wanted(self, name: str) -> bool:
        wanted = self.options.domain_filter
        return not wanted or any(name == one or name.endswith("." + one.lstrip(".")) for one in wanted)

    # --- records to endpoints --------------------------------------------------------------------------

    def records(self) -> list[Endpoint]:
        """All records of the zones."""
        found = []
        for zone in self.zones():
            pages = self.route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone.id)
            for page in pages:
                for record in page["ResourceRecordSets"]:
                    endpoint = self.endpoint(record)
                    if endpoint is not None:
                        found.append(endpoint)
        return found

    def endpoint(self, record: Mapping[str, Any]) -> Endpoint | None:
        """A record set as Route 53 lists it; None if this version does not read its type."""
        kind, typed = record["Type"], self.profile.typed
        if not typed and kind not in _OLD_TYPES:
            return None  # AAAA aliases were invisible then
        properties: dict[str, str] = {}
        if "Weight" in record:
            properties["aws/weight"] = str(record["Weight"])
        if typed and "HealthCheckId" in record:
            properties["aws/health-check-id"] = record["HealthCheckId"]
        alias = record.get("AliasTarget")
        if alias:
            properties[EVALUATE] = str(bool(alias["EvaluateTargetHealth"])).lower()
            target = alias["DNSName"].rstrip(".")
            targets: tuple[str, ...] = (_unescaped(target) if typed else target,)
            ttl = DEFAULT_TTL
            if typed:
                properties[ALIAS] = "true"
            else:
                kind = "CNAME"
        else:
            targets = tuple(value["Value"].rstrip(".") for value in record.get("ResourceRecords", ()))
            ttl = record.get("TTL", 0)
            if typed and kind == "CNAME":
                properties[ALIAS] = "false"
        name = record["Name"].rstrip(".")
        name = _unescaped(name) if typed else name.replace("\\052", "*")
        return Endpoint(name, kind, targets, ttl, record.get("SetIdentifier", ""), properties=properties)

    # --- endpoints to records --------------------------------------------------------------------------

    def adjusted(self, endpoints: Iterable[Endpoint]) -> list[Endpoint]:
        """v0.14 and later: load balancer CNAMEs become A and AAAA aliases before the plan."""
        if not self.profile.typed:
            return list(endpoints)
        found = []
        for endpoint in endpoints:
            is_cname = endpoint.type == "CNAME"
            if not is_cname and endpoint.properties.get(ALIAS) != "true":
                found.append(_without(endpoint, ALIAS, EVALUATE))
            elif is_cname and not self.is_alias(endpoint):
                plain = _without(endpoint, EVALUATE)
                found.append(replace(plain, properties={**plain.properties, ALIAS: "false"}))
            else:
                given = endpoint.properties.get(EVALUATE)
                value = given == "true" if given else self.options.evaluate_target_health
                self.say("debug", f"Modifying endpoint: {endpoint}, setting alias=true")
                alias = replace(
                    endpoint,
                    type="A" if is_cname else endpoint.type,
                    ttl=DEFAULT_TTL if endpoint.ttl else 0,
                    properties={**endpoint.properties, ALIAS: "true", EVALUATE: str(value).lower()},
                )
                found += [alias, replace(alias, type="AAAA")] if is_cname else [alias]
        return found

    def is_alias(self, endpoint: Endpoint) -> bool:
        """Whether a CNAME endpoint becomes an alias."""
        given = endpoint.properties.get(ALIAS)
        if given is not None:
            return given == "true"
        return not self.options.prefer_cname and self.canonical_zone(endpoint.targets[0]) is not None

    def canonical_zone(self, name: str) -> str | None:
        """The hosted zone of a load balancer's name, if this version knows it for one; v0.13 and later warn."""
        found = canonical_zones.canonical_zone(name, self.profile)
        if found is None and self.profile.typed and name.endswith(canonical_zones.AWS):
            self.say(
                "warning",
                f"Could not find canonical hosted zone for domain {name}. "
                "This may be because your region is not supported yet.",
            )
        return found

    def changes(self, action: str, endpoint: Endpoint) -> list[dict[str, Any]]:
        """The API changes that an endpoint needs; v0.7.x adds an AAAA for the label dualstack."""
        record: dict[str, Any] = {"Name": endpoint.name, "Type": endpoint.type}
        self._owned_records[endpoint.name] = endpoint.labels.get(OWNED_RECORD, endpoint.name)
        is_alias = (
            endpoint.type in ("A", "AAAA") and endpoint.properties.get(ALIAS) == "true"
            if self.profile.typed
            else endpoint.type == "CNAME" and self.is_alias(endpoint)
        )
        if is_alias:
            target = endpoint.targets[0]
            given = endpoint.properties.get(EVALUATE)
            record["Type"] = endpoint.type if self.profile.typed else "A"
            record["AliasTarget"] = {
                "DNSName": target,
                "HostedZoneId": self.canonical_zone(target) or SAME_ZONE,
                "EvaluateTargetHealth": given == "true" if given else self.options.evaluate_target_health,
            }
        else:
            record["TTL"] = endpoint.ttl or DEFAULT_TTL
            record["ResourceRecords"] = [{"Value": target} for target in endpoint.targets]
        if endpoint.set_identifier:
            record["SetIdentifier"] = endpoint.set_identifier
            weight = endpoint.properties.get("aws/weight")
            if weight is not None:
                record["Weight"] = int(weight)
        if "aws/health-check-id" in endpoint.properties:
            record["HealthCheckId"] = endpoint.properties["aws/health-check-id"]
        changes = [{"Action": action, "ResourceRecordSet": record}]
        if is_alias and not self.profile.typed and endpoint.labels.get(DUALSTACK) == "true":
            changes.append({"Action": action, "ResourceRecordSet": {**record, "Type": "AAAA"}})
        return changes

    def update(self, old: Endpoint, new: Endpoint) -> list[dict[str, Any]]:
        """An UPSERT, or DELETE and CREATE where the kind of record changes."""
        if self.profile.replaces_on_type_change and self.changes_kind(old, new):
            return self.changes("DELETE", old) + self.changes("CREATE", new)
        return self.changes("UPSERT", new)

    def changes_kind(self, old: Endpoint, new: Endpoint) -> bool:
        """Whether an UPSERT would leave the old record beside the new one."""
        if old.type != new.type or old.set_identifier != new.set_identifier:
            return True
        if self.profile.typed:
            return (old.properties.get(ALIAS) == "true") != (new.properties.get(ALIAS) == "true")
        was, becomes = (self.canonical_zone(one.targets[0]) for one in (old, new))
        return (was is None) != (becomes is None)

    # --- submission ------------------------------------------------------------------------------------

    def submit(self, changes: list[dict[str, Any]]) -> None:
        """Send the changes, a batch a zone.

        Raises:
            SubmitError: a batch was refused; other zones' batches were sent.
        """
        typed = self.profile.typed
        for zone in self._zones:
            self.say("debug", f"Considering zone: {zone.id} (domain: {zone.name}.)")
        if not changes:
            self.say("info", "All records are already up to date")
            return
        by_zone = self._by_zone(changes)
        if not by_zone:
            self.say(
                "info",
                "All records are already up to date, there are no changes for the matching hosted zones",
            )
            return
        failed = []
        for zone, batch in by_zone.items():
            where = {"zoneID": zone.id, "zoneName": f"{zone.name}.", "profile": "default"} if typed else {}
            tail = "" if typed else f" [Id: {zone.id}]"
            for change in batch:
                record = change["ResourceRecordSet"]
                text = f"Desired change: {change['Action']} {record['Name']} {record['Type']}{tail}"
                self.say("info", text, **where)
            if self.options.dry_run:
                continue
            try:
                self.route53.change_resource_record_sets(
                    HostedZoneId=zone.id,
                    ChangeBatch={"Changes": batch},  # type: ignore[typeddict-item]
                )
            except ClientError as error:
                if not typed:
                    failed.append(zone.id)
                    self.say("error", f"Failure in zone {zone.name}.{tail}")
                    self.say("error", _go_text(error))
                    continue
                text = f"Failure in zone {zone.name}. when submitting change batch: {_go_text(error)}"
                self.say("error", text, **where)
                taken = self._submitted_one_by_one(zone, batch, where)
                if taken < len(batch):
                    failed.append(zone.id)
            else:
                taken = len(batch)
            if taken:
                text = f"{taken} record(s) were successfully updated"
                if not typed:
                    text = f"{taken} record(s) in zone {zone.name}.{tail} were successfully updated"
                self.say("info", text, **where)
        if failed:
            ids = " ".join(failed)
            soft = SOFT if typed else ""
            raise SubmitError(f"{soft}failed to submit all changes for the following zones: [{ids}]")

    def _submitted_one_by_one(self, zone: Zone, batch: list[dict[str, Any]], where: Mapping[str, str]) -> int:
        """v0.13.4+: after a refusal each owned record with its TXTs in a call of its own.

        Returns:
            how many changes were taken.
        """
        groups: dict[str, list[dict[str, Any]]] = {}
        for change in batch:
            groups.setdefault(self._owned_records.get(change["ResourceRecordSet"]["Name"], ""), []).append(
                change
            )
        if len(groups) < 2:
            return 0
        self.say("debug", "Trying to submit change sets one-by-one instead", **where)
        taken = 0
        for name in sorted(groups):
            for change in groups[name]:
                record = change["ResourceRecordSet"]
                text = f"Desired change: {change['Action']} {record['Name']} {record['Type']}"
                self.say("debug", text, **where)
            try:
                self.route53.change_resource_record_sets(
                    HostedZoneId=zone.id,
                    ChangeBatch={"Changes": groups[name]},  # type: ignore[typeddict-item]
                )
            except ClientError as error:
                self.say(
                    "error",
                    f"Failed submitting change (error: {_go_text(error)}), it will be retried in a separate "
                    "change batch in the next iteration",
                    **where,
                )
            else:
                taken += len(groups[name])
        return taken

    def _by_zone(self, changes: list[dict[str, Any]]) -> dict[Zone, list[dict[str, Any]]]:
        found: dict[Zone, list[dict[str, Any]]] = {}
        self.unplaced = set()
        for change in changes:
            name = change["ResourceRecordSet"]["Name"]
            zones = [zone for zone in self._zones if name == zone.name or name.endswith("." + zone.name)]
            if not zones:
                self.unplaced.add(name)
                self.say(
                    "debug",
                    f"Skipping record {name} because no hosted zone matching record DNS Name was detected",
                )
                continue
            zone = max(zones, key=lambda one: len(one.name))
            self.say("debug", f"Adding {name}. to zone {zone.name}. [Id: {zone.id}]")
            found.setdefault(zone, []).append(_placed(change, zone))
        for batch in found.values():
            batch.sort(key=position)
        return found


def _go_text(error: ClientError) -> str:
    """A refusal as the AWS SDK for Go tells it: code and message."""
    told = error.response["Error"]
    return f"{told['Code']}: {told['Message']}"


def position(change: Mapping[str, Any]) -> tuple[int, str, str]:
    """Sort key of a change in its batch."""
    record = change["ResourceRecordSet"]
    return _ORDER[change["Action"]], record["Name"], record["Type"]


def _placed(change: dict[str, Any], zone: Zone) -> dict[str, Any]:
    """A change with the zone's own id for an alias to a record of the same zone."""
    record = change["ResourceRecordSet"]
    alias = record.get("AliasTarget")
    if not alias or alias["HostedZoneId"] != SAME_ZONE:
        return change
    return {**change, "ResourceRecordSet": {**record, "AliasTarget": {**alias, "HostedZoneId": zone.id}}}


def _unescaped(name: str) -> str:
    """A name without Route 53's octal escapes, such as `\\052` for `*`."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), name)


def _without(endpoint: Endpoint, *names: str) -> Endpoint:
    properties = {name: value for name, value in endpoint.properties.items() if name not in names}
    return replace(endpoint, properties=properties)
