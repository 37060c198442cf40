"""The hosted zones of an account: reads their records, and sends changes in batches.

Source: external-dns, provider/aws/aws.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from testbed.external_dns.batches import BatchLimits, Change, split, split_by_name
from testbed.external_dns.domain_filter import DomainFilter
from testbed.external_dns.endpoint import OWNED_RECORD, Endpoint
from testbed.external_dns.log import Say
from testbed.external_dns.profile import Profile
from testbed.external_dns.record_sets import SAME_ZONE, RecordSets
from testbed.external_dns.zones import Zone, ZoneFilter, suitable

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

SOFT = "soft error: "


@dataclass(frozen=True, slots=True)
class ProviderOptions:
    """The provider's flags; durations are production seconds."""

    evaluate_target_health: bool = True
    prefer_cname: bool = False
    zones: ZoneFilter = field(default_factory=ZoneFilter)
    zones_cache: float = 0.0
    batches: BatchLimits = field(default_factory=BatchLimits)
    batch_interval: float = 1.0
    dry_run: bool = False


class ProviderError(Exception):
    """Route 53 did not do what was asked; the text is the one that ExternalDNS logs."""


class ReadError(ProviderError):
    """Zones or records could not be read."""


class SubmitError(ProviderError):
    """A batch was refused."""


@dataclass(slots=True)
class AwsProvider:
    """Reads and writes the hosted zones of an account.

    `now` tells production time and `wait` lets some of it pass, which batches of one zone have between them.
    """

    route53: Route53Client
    profile: Profile
    options: ProviderOptions
    say: Say
    now: Callable[[], float] = lambda: 0.0
    wait: Callable[[float], object] = lambda _: None
    unplaced: set[str] = field(default_factory=set)
    """The names of the latest changes that no hosted zone takes."""
    oversized: set[str] = field(default_factory=set)
    """The names of the latest changes that no batch can hold."""
    record_sets: RecordSets = field(init=False)
    _zones: list[Zone] = field(default_factory=list)
    _zones_until: float = float("-inf")
    _owned_records: dict[str, str] = field(default_factory=dict)
    _matched: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        options = self.options
        self.record_sets = RecordSets(
            self.profile, self.say, options.evaluate_target_health, options.prefer_cname
        )

    def zones(self) -> list[Zone]:
        """The hosted zones that the filters take; read again when `--aws-zones-cache-duration` is over."""
        typed = self.profile.typed
        if self.now() < self._zones_until:
            count = f"AWS zones, zone count: {len(self._zones)}." if typed else "zones list"
            self.say("debug", f"Using cached {count}")
            return self._zones
        self._matched.clear()
        self.say("debug", "Retrieving AWS zones." if typed else "Refreshing zones list cache")
        with self._reading("records retrieval failed: failed to list hosted zones"):
            pages = self.route53.get_paginator("list_hosted_zones").paginate()
            found = [
                Zone(one["Id"], one["Name"].rstrip("."), one.get("Config", {}).get("PrivateZone", False))
                for page in pages
                for one in page["HostedZones"]
            ]
        wanted = self.options.zones
        self._zones = [
            zone
            for zone in found
            if wanted.takes(zone) and (not wanted.tags or wanted.takes_tags(self._tags(zone)))
        ]
        for zone in self._zones:
            self.say("debug", f"Considering zone: {zone.id} (domain: {zone.name}.)")
        if self.options.zones_cache > 0:
            self._zones_until = self.now() + self.options.zones_cache
        return self._zones

    def _tags(self, zone: Zone) -> Mapping[str, str]:
        found = self.route53.list_tags_for_resource(
            ResourceType="hostedzone", ResourceId=zone.id.removeprefix("/hostedzone/")
        )
        return {tag["Key"]: tag["Value"] for tag in found["ResourceTagSet"]["Tags"]}

    def zone_names(self) -> list[str]:
        """Names of the zones that the latest read found."""
        return [zone.name for zone in self._zones]

    def matches(self, name: str) -> bool:
        """Whether a name is planned: the domain filter takes it and, since v0.9, a zone does in any case."""
        found = self._matched.get(name)
        if found is None:
            around = DomainFilter(tuple(self.zone_names())) if self.profile.typed else DomainFilter()
            found = self.options.zones.domains.matches(name) and around.matches(name)
            self._matched[name] = found
        return found

    def records(self) -> list[Endpoint]:
        """All records of the zones.

        Raises:
            ReadError: Route 53 did not list them.
        """
        found: list[Endpoint] = []
        self.record_sets.at_balancers.clear()
        for zone in self.zones():
            tail = ' using aws profile "default"' if self.profile.typed else ""
            with self._reading(f"failed to list resource records sets for zone {zone.id}{tail}"):
                pages = self.route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone.id)
                records = [record for page in pages for record in page["ResourceRecordSets"]]
            found += [one for one in map(self.record_sets.endpoint, records) if one is not None]
        return found

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        """Name what failed; since v0.14.1 such an error is soft, and the loop goes on."""
        try:
            yield
        except ClientError as error:
            soft = SOFT if self.profile.typed else ""
            raise ReadError(f"{soft}{what}: {_go_text(error)}") from None

    # --- changes ---------------------------------------------------------------------------------------

    def changes(self, action: str, endpoint: Endpoint) -> list[dict[str, Any]]:
        """The API changes that an endpoint needs."""
        self._owned_records[endpoint.name] = endpoint.labels.get(OWNED_RECORD, endpoint.name)
        return self.record_sets.changes(action, endpoint)

    def update(self, old: Endpoint, new: Endpoint) -> list[dict[str, Any]]:
        """An UPSERT, or DELETE and CREATE where the kind of record changes."""
        if self.profile.replaces_on_type_change and self.record_sets.changes_kind(old, new):
            return self.changes("DELETE", old) + self.changes("CREATE", new)
        return self.changes("UPSERT", new)

    # --- submission ------------------------------------------------------------------------------------

    def submit(self, changes: list[dict[str, Any]]) -> None:
        """Send the changes, zone by zone in batches.

        Raises:
            SubmitError: a batch was refused; other zones' batches were sent.
        """
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
        for zone, wanted in by_zone.items():
            batches = self._batches(wanted)
            sent = [self._submit_batch(zone, batch, batch is batches[-1]) for batch in batches]
            if not all(sent):
                failed.append(zone.id)
        if failed:
            ids = " ".join(failed)
            soft = SOFT if self.profile.typed else ""
            raise SubmitError(f"{soft}failed to submit all changes for the following zones: [{ids}]")

    def _batches(self, changes: list[dict[str, Any]]) -> list[list[Change]]:
        limits = self.options.batches

        def leave_out(text: str, left: Sequence[Change]) -> None:
            self.say("warning", text)
            self.oversized |= {change["ResourceRecordSet"]["Name"] for change in left}

        if self.profile.typed:
            return split(changes, limits, self._group, leave_out)
        return split_by_name(changes, limits.changes, leave_out)

    def _group(self, change: Change) -> str:
        """The record that a change is about, its own or the one that its TXT speaks of."""
        name: str = change["ResourceRecordSet"]["Name"]
        return self._owned_records.get(name, name)

    def _submit_batch(self, zone: Zone, batch: Sequence[Change], is_last: bool) -> bool:
        """Send one batch; whether all of it was taken."""
        typed = self.profile.typed
        where = {"zoneID": zone.id, "zoneName": f"{zone.name}.", "profile": "default"} if typed else {}
        tail = "" if typed else f" [Id: {zone.id}]"
        for change in batch:
            record = change["ResourceRecordSet"]
            text = f"Desired change: {change['Action']} {record['Name']} {record['Type']}{tail}"
            self.say("info", text, **where)
        if self.options.dry_run:
            if typed:
                self.say("debug", "Dry run mode, skipping change submission", **where)
            return True
        taken = len(batch)
        try:
            self._send(zone, batch)
        except ClientError as error:
            if typed:
                text = f"Failure in zone {zone.name}. when submitting change batch: {_go_text(error)}"
                self.say("error", text, **where)
                taken = self._submitted_one_by_one(zone, batch, where)
            else:
                taken = 0
                self.say("error", f"Failure in zone {zone.name}.{tail}")
                self.say("error", _go_text(error))
        if taken:
            text = f"{taken} record(s) were successfully updated"
            if not typed:
                text = f"{taken} record(s) in zone {zone.name}.{tail} were successfully updated"
            self.say("info", text, **where)
        if not is_last:
            self.wait(self.options.batch_interval)
        return taken == len(batch)

    def _send(self, zone: Zone, changes: Sequence[Change]) -> None:
        self.route53.change_resource_record_sets(
            HostedZoneId=zone.id,
            ChangeBatch={"Changes": list(changes)},  # type: ignore[arg-type]
        )

    def _submitted_one_by_one(self, zone: Zone, batch: Sequence[Change], where: Mapping[str, str]) -> int:
        """v0.13.4+: after a refusal each owned record with its TXTs in a call of its own.

        Returns:
            how many changes were taken.
        """
        groups: dict[str, list[Change]] = {}
        for change in batch:
            groups.setdefault(self._group(change), []).append(change)
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
                self._send(zone, groups[name])
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
        self.unplaced, self.oversized = set(), set()
        for change in changes:
            name = change["ResourceRecordSet"]["Name"]
            zones = suitable(name, self._zones)
            if not zones:
                self.unplaced.add(name)
                self.say(
                    "debug",
                    f"Skipping record {name} because no hosted zone matching record DNS Name was detected",
                )
                continue
            for zone in zones:
                self.say("debug", "Adding %s. to zone %s. [Id: %s]", name, zone.name, zone.id)
                found.setdefault(zone, []).append(_placed(change, zone))
        return found


def _go_text(error: ClientError) -> str:
    """A refusal as the AWS SDK for Go tells it: code and message."""
    told = error.response["Error"]
    return f"{told['Code']}: {told['Message']}"


def _placed(change: dict[str, Any], zone: Zone) -> dict[str, Any]:
    """A change with the zone's own id for an alias to a record of the same zone."""
    record = change["ResourceRecordSet"]
    alias = record.get("AliasTarget")
    if not alias or alias["HostedZoneId"] != SAME_ZONE:
        return change
    return {**change, "ResourceRecordSet": {**record, "AliasTarget": {**alias, "HostedZoneId": zone.id}}}
