"""The hosted zones of an account: reads their records, and sends changes in batches.

Source: external-dns, provider/aws/aws.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from testbed.dated_releases import Release
from testbed.external_dns.core.endpoint import OWNED_RECORD, Endpoint
from testbed.external_dns.core.facts import Fact
from testbed.external_dns.core.log_lines import Say
from testbed.external_dns.provider.change_batches import Change, split, split_by_name
from testbed.external_dns.provider.domain_filter import DomainFilter
from testbed.external_dns.provider.hosted_zone_filter import Zone, suitable
from testbed.external_dns.provider.provider_options import ProviderOptions
from testbed.external_dns.provider.record_sets import SAME_ZONE, RecordSets

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

SOFT = "soft error: "


class ProviderError(Exception):
    """Route 53 refused or failed; the text is the one that ExternalDNS logs."""


class ReadError(ProviderError):
    """Zones or records could not be read."""


class SubmitError(ProviderError):
    """A batch was refused."""


@dataclass(slots=True)
class AwsProvider:
    """Reads and writes the hosted zones of an account.

    `now` returns production time, and `wait` lets production seconds pass between two batches of a zone.
    """

    route53: Route53Client
    release: Release
    options: ProviderOptions
    say: Say
    now: Callable[[], float] = lambda: 0.0
    wait: Callable[[float], object] = lambda _: None
    unplaced: set[str] = field(default_factory=set)
    """The names of the latest changes that lie in no hosted zone."""
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
            self.release, self.say, options.evaluate_target_health, options.prefer_cname
        )

    def zones(self) -> list[Zone]:
        """Return the zones that pass the filters; `--aws-zones-cache-duration` keeps them for a while."""
        has_new_words = self.release.has(Fact.ZONE_CACHE_WORDS)
        if self.now() < self._zones_until:
            count = f"AWS zones, zone count: {len(self._zones)}." if has_new_words else "zones list"
            self.say("debug", f"Using cached {count}")
            return self._zones
        # Whether a name lies in a zone depends on the zones that are about to be read.
        self._matched.clear()
        self.say("debug", "Retrieving AWS zones." if has_new_words else "Refreshing zones list cache")
        with self._reading("records retrieval failed: failed to list hosted zones", self._soft):
            pages = self.route53.get_paginator("list_hosted_zones").paginate()
            listed = [
                Zone(one["Id"], one["Name"].rstrip("."), one.get("Config", {}).get("PrivateZone", False))
                for page in pages
                for one in page["HostedZones"]
            ]
        filters = self.options.zones
        self._zones = [
            zone
            for zone in listed
            if filters.takes(zone) and (not filters.tags or filters.takes_tags(self._tags(zone)))
        ]
        for zone in self._zones:
            self.say("debug", f"Considering zone: {zone.id} (domain: {zone.name}.)")
        if self.options.zones_cache > 0:
            self._zones_until = self.now() + self.options.zones_cache
        return self._zones

    def _tags(self, zone: Zone) -> Mapping[str, str]:
        answer = self.route53.list_tags_for_resource(
            ResourceType="hostedzone", ResourceId=zone.id.removeprefix("/hostedzone/")
        )
        return {tag["Key"]: tag["Value"] for tag in answer["ResourceTagSet"]["Tags"]}

    def zone_names(self) -> list[str]:
        """Return the names of the zones as last read."""
        return [zone.name for zone in self._zones]

    def matches(self, name: str) -> bool:
        """True if a name is planned: it passes the domain filter and, since v0.9, also lies in a zone."""
        # Remembered: a sync asks about each name for its record and again for each claim.
        try:
            return self._matched[name]
        except KeyError:
            in_zones = self.release.has(Fact.ZONES_FILTER_PLAN)
            around = DomainFilter(tuple(self.zone_names())) if in_zones else DomainFilter()
            is_match = self.options.zones.domains.matches(name) and around.matches(name)
            self._matched[name] = is_match
            return is_match

    def records(self) -> list[Endpoint]:
        """Return all records of the zones.

        Raises:
            ReadError: Route 53 did not list them.
        """
        endpoints: list[Endpoint] = []
        self.record_sets.at_balancers.clear()
        for zone in self.zones():
            tail = ' using aws profile "default"' if self.release.has(Fact.PROFILE_IN_LOG) else ""
            soft = "" if self.release.has(Fact.LISTING_ENDS_PROCESS) else self._soft
            with self._reading(f"failed to list resource records sets for zone {zone.id}{tail}", soft):
                pages = self.route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone.id)
                records = [record for page in pages for record in page["ResourceRecordSets"]]
            endpoints += [one for one in map(self.record_sets.endpoint, records) if one is not None]
        return endpoints

    @contextmanager
    def _reading(self, what: str, soft: str) -> Iterator[None]:
        """Name what could not be read; since v0.14.1 such an error is soft, and the loop goes on."""
        try:
            yield
        except ClientError as error:
            raise ReadError(f"{soft}{what}: {_go_text(error)}") from None

    @property
    def _soft(self) -> str:
        return SOFT if self.release.has(Fact.SOFT_ERRORS) else ""

    # --- changes ---------------------------------------------------------------------------------------

    def changes(self, action: str, endpoint: Endpoint) -> list[dict[str, Any]]:
        """Return the API changes that an endpoint needs."""
        # Kept here and not in the change, which goes to Route 53 as it is.
        self._owned_records[endpoint.name] = endpoint.labels.get(OWNED_RECORD, endpoint.name)
        return self.record_sets.changes(action, endpoint)

    def update(self, old: Endpoint, new: Endpoint) -> list[dict[str, Any]]:
        """Return an UPSERT, or DELETE and CREATE where the kind of record changes."""
        if self.release.has(Fact.REPLACED_ON_TYPE_CHANGE) and self.record_sets.changes_kind(old, new):
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
            raise SubmitError(f"{self._soft}failed to submit all changes for the following zones: [{ids}]")

    def _batches(self, changes: list[dict[str, Any]]) -> list[list[Change]]:
        limits = self.options.batches

        def leave_out(text: str, left: Sequence[Change]) -> None:
            self.say("warning", text)
            self.oversized |= {change["ResourceRecordSet"]["Name"] for change in left}

        if self.release.has(Fact.BATCHES_BY_OWNED_RECORD):
            return split(changes, limits, self._group, leave_out)
        return split_by_name(changes, limits.changes, leave_out)

    def _group(self, change: Change) -> str:
        """Return the name that a change is about: its own, or that of the record to which a TXT belongs."""
        name: str = change["ResourceRecordSet"]["Name"]
        return self._owned_records.get(name, name)

    def _submit_batch(self, zone: Zone, batch: Sequence[Change], is_last: bool) -> bool:
        """Send one batch; return True if Route 53 took all of it."""
        has_fields = self.release.has(Fact.PROFILE_IN_LOG)
        where = {"zoneID": zone.id, "zoneName": f"{zone.name}.", "profile": "default"} if has_fields else {}
        tail = "" if has_fields else f" [Id: {zone.id}]"
        say = self.say
        for change in batch:
            record = change["ResourceRecordSet"]
            say(
                "info", f"Desired change: {change['Action']} {record['Name']} {record['Type']}{tail}", **where
            )
        if self.options.dry_run:
            if self.release.has(Fact.DRY_RUN_LOGGED):
                self.say("debug", "Dry run mode, skipping change submission", **where)
            return True
        taken = len(batch)
        try:
            self._send(zone, batch)
        except ClientError as error:
            if self.release.has(Fact.RESUBMITTED_BY_NAME):
                text = f"Failure in zone {zone.name}.{tail} when submitting change batch: {_go_text(error)}"
                self.say("error", text, **where)
                taken = self._submitted_one_by_one(zone, batch, where, tail)
            else:
                taken = 0
                self.say("error", f"Failure in zone {zone.name}.{tail}")
                self.say("error", _go_text(error))
        if taken:
            text = f"{taken} record(s) were successfully updated"
            if not has_fields:
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

    def _submitted_one_by_one(
        self, zone: Zone, batch: Sequence[Change], where: Mapping[str, str], tail: str
    ) -> int:
        """Send each owned record with its TXTs in a call of its own, after a refusal (v0.13.4+).

        Returns:
            how many changes Route 53 took.
        """
        groups: dict[str, list[Change]] = {}
        for change in batch:
            groups.setdefault(self._group(change), []).append(change)
        # A single group is the batch that was just refused.
        if len(groups) < 2:
            return 0
        self.say("debug", "Trying to submit change sets one-by-one instead", **where)
        taken = 0
        for name in sorted(groups):
            for change in groups[name]:
                record = change["ResourceRecordSet"]
                text = f"Desired change: {change['Action']} {record['Name']} {record['Type']}{tail}"
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
        by_zone: dict[Zone, list[dict[str, Any]]] = {}
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
                by_zone.setdefault(zone, []).append(_placed(change, zone))
        return by_zone


def _go_text(error: ClientError) -> str:
    """Return a refusal as the AWS SDK for Go words it: code and message."""
    refusal = error.response["Error"]
    return f"{refusal['Code']}: {refusal['Message']}"


def _placed(change: dict[str, Any], zone: Zone) -> dict[str, Any]:
    """Return a change with the zone's own id where an alias points to a record of the same zone."""
    record = change["ResourceRecordSet"]
    alias = record.get("AliasTarget")
    if not alias or alias["HostedZoneId"] != SAME_ZONE:
        return change
    return {**change, "ResourceRecordSet": {**record, "AliasTarget": {**alias, "HostedZoneId": zone.id}}}
