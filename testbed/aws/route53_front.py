"""Route 53 in front of the backend: rules for change batches, pages, the rate limit, PENDING and INSYNC."""

from __future__ import annotations

import asyncio
import re
import secrets
import string
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from testbed import journal
from testbed.aws import api_calls, dns_questions, route53_documents, route53_listing, route53_refusals
from testbed.aws.answers import Answer, Refusal, message_of, refused
from testbed.aws.api_calls import OBSERVER, Call
from testbed.aws.api_throttle import Throttle
from testbed.aws.record_set_protections import Protections
from testbed.aws.route53_refusals import Zone
from testbed.aws.upstream import Upstream
from testbed.clock import Clock
from testbed.settings import PRODUCTION

Records = dict[route53_refusals.Key, route53_refusals.Record]

CALLS_PER_SECOND = 5.0
"""The limit of one account (Route 53 Developer Guide, "Quotas")."""

_ALIAS = re.compile(rb"(<AliasTarget\b.*?<DNSName>)([^<]*)(</DNSName>)", re.DOTALL)
_ALL = 1_000_000  # one page: moto and LocalStack do not cap its size, and lose their place in weighted sets
_ID_LETTERS = string.ascii_uppercase + string.digits
_ID_LENGTH = 20


@dataclass(slots=True)
class Route53Front:
    """Answers or forwards the calls of Route 53. Belongs to one loop.

    It reads the records of a zone once, because all changes pass here.

    Attributes:
        name_server: the DNS server that answers for the zones; None if there is none.
        is_stuck: returns True while no change is spread.
    """

    upstream: Upstream
    clock: Clock
    run_journal: journal.Journal
    name_server: dns_questions.Server | None = None
    is_stuck: Callable[[], bool] = lambda: False
    _locks: defaultdict[str, asyncio.Lock] = field(init=False)
    _throttles: defaultdict[str, Throttle] = field(init=False)
    _submitted: dict[str, tuple[float, str]] = field(init=False, default_factory=dict)
    _zones: dict[str, tuple[Zone, Records]] = field(init=False, default_factory=dict)
    _references: set[str] = field(init=False, default_factory=set)
    _protections: defaultdict[str, Protections] = field(init=False)

    def __post_init__(self) -> None:
        self._locks = defaultdict(asyncio.Lock)
        self._protections = defaultdict(Protections)
        self._throttles = defaultdict(lambda: Throttle(CALLS_PER_SECOND))

    async def answer(self, call: Call) -> tuple[Answer, str]:
        """Return the answer, and the summary of the call for the journal.

        Raises:
            Unavailable: the backend does not answer.
        """
        limit = None if call.account == OBSERVER else self._throttles[call.account]
        if limit and not limit.admits(self.clock.now()):
            return refused("route53", Refusal("Throttling", "Rate exceeded")), ""
        try:
            return await self._answer(call)
        except (route53_documents.Unreadable, route53_listing.BadStart) as error:
            return refused("route53", Refusal("InvalidInput", str(error))), ""

    async def stands(self, name: str, kind: str, value: str) -> bool:
        """Return True if a zone of the account has a record set of this name and type with this value.

        Args:
            name: as Route 53 stores it.
            kind: the type.
            value: as it is written in the record.

        Raises:
            Unavailable: the backend does not answer.
        """
        for zone_id, zone in (await self._zone_names()).items():
            if not name.endswith(f".{zone}"):
                continue
            async with self._locks[zone_id]:
                known = await self._known(api_calls.internal("route53", zone_id))
            if isinstance(known, Answer):
                continue
            values = known[1].get((name, kind, ""), {}).get("ResourceRecords", ())
            if any(record["Value"].rstrip(".").lower() == value.rstrip(".").lower() for record in values):
                return True
        return False

    async def _answer(self, call: Call) -> tuple[Answer, str]:
        match call.operation:
            case "ChangeResourceRecordSets":
                async with self._locks[call.resource]:
                    return await self._change(call)
            case "ListResourceRecordSets":
                page = route53_listing.asked(call.path)
                async with self._locks[call.resource]:
                    return await self._list(call, page), call.resource
            case "ListHostedZones":
                return route53_documents.with_marker(await self.upstream.forward(call), call.path), ""
            case "TestDNSAnswer":
                return await self._ask(call), ""
            case "ListHostedZonesByName":
                return route53_documents.with_end(await self.upstream.forward(call)), ""
            case "GetChange":
                if call.resource in self._submitted:
                    return self._change_info("GetChange", call.resource), ""
                text = f"Could not find resource with ID: {call.resource}"
                return refused("route53", Refusal("NoSuchChange", text, 404)), ""
            case "CreateHostedZone":
                return await self._create_zone(call), ""
            case "DeleteHostedZone":
                async with self._locks[call.resource]:
                    self._zones.pop(call.resource, None)
                    answer = self._tracked(await self.upstream.forward(call))
                    if answer.is_ok:
                        self._protections.pop(call.resource, None)
                    return answer, call.resource
            case operation if operation.endswith("ResourceRecordSetProtections"):
                async with self._locks[call.resource]:
                    return await self._protect(call), call.resource
        return self._tracked(await self.upstream.forward(call)), call.resource

    async def _ask(self, call: Call) -> Answer:
        asked = dns_questions.asked(call.path)
        zone = asked.get("hostedzoneid", "").rpartition("/")[2]
        described = await self.upstream.get(call, f"/2013-04-01/hostedzone/{quote(zone, safe='')}")
        if not described.is_ok:
            return described
        name, kind = asked.get("recordname", ""), asked.get("recordtype", "")
        return await dns_questions.answer(name, kind, self.name_server)

    async def _create_zone(self, call: Call) -> Answer:
        body, reference = route53_documents.new_zone(call.body)
        if reference in self._references:
            text = "The specified hosted zone has already been created."
            return refused("route53", Refusal("HostedZoneAlreadyExists", text, 409))
        answer = self._tracked(await self.upstream.forward(call, body))
        if not answer.is_ok:
            return answer
        self._references.add(reference)
        return route53_documents.with_location(answer)

    def _tracked(self, answer: Answer) -> Answer:
        """Give the change in an answer an id of its own, by which GetChange finds it."""
        if not answer.is_ok or b"<ChangeInfo>" not in answer.body:
            return answer
        return route53_documents.with_change(answer, self._accept(""))

    async def _list(self, call: Call, page: route53_listing.Page) -> Answer:
        known = await self._known(call)
        if isinstance(known, Answer):
            return known
        records = known[1]
        keys, following = route53_listing.listed(records, page)
        return route53_documents.listing(((key, records[key]) for key in keys), following, page.most)

    async def _protect(self, call: Call) -> Answer:
        known = await self._known(call)
        if isinstance(known, Answer):
            return known
        protections = self._protections[call.resource]
        if call.operation.startswith("List"):
            return route53_documents.protection_list(protections.protected)
        items = route53_documents.protections(call.body, call.operation)
        change = protections.add if call.operation.startswith("Create") else protections.remove
        refusal = change(items)
        return refused("route53", refusal) if refusal else route53_documents.empty(call.operation)

    async def _change(self, call: Call) -> tuple[Answer, str]:
        changes, comment = route53_documents.changes(call.body)
        # Taken out while it changes: a call that breaks off leaves no wrong entry.
        known = self._zones.pop(call.resource, None) or await self._read(call)
        if isinstance(known, Answer):
            return known, ""
        zone, records = known
        refusal = (
            route53_refusals.refusal(zone, records.values(), changes)
            or self._protections[call.resource].refusal(changes)
            or await self._refused_checks(call, changes)
        )
        if refusal:
            answer = refused("route53", refusal)
            self._zones[call.resource] = zone, records
        else:
            answer = await self.upstream.forward(call, _with_stored_aliases(call.body))
            if answer.is_ok:
                answer = self._accept(comment)
                self._zones[call.resource] = zone, route53_refusals.applied(records.values(), changes)
        self.run_journal.write(
            journal.DnsChange(
                time=self.clock.wall(),
                zone=zone.name,
                changes=tuple(changes),
                refused="" if answer.is_ok else message_of(answer),
            )
        )
        noun = "change" if len(changes) == 1 else "changes"
        return answer, f"{len(changes)} {noun} in {zone.name}"

    async def _refused_checks(self, call: Call, changes: Iterable[Mapping[str, Any]]) -> Refusal | None:
        records = [change["ResourceRecordSet"] for change in changes if change["Action"] != "DELETE"]
        for check in dict.fromkeys(
            record["HealthCheckId"] for record in records if "HealthCheckId" in record
        ):
            found = await self.upstream.get(call, f"/2013-04-01/healthcheck/{quote(check, safe='')}")
            if not found.is_ok:
                return Refusal("NoSuchHealthCheck", f"No health check exists with the ID {check}.", 404)
        return None

    async def _zone_names(self) -> dict[str, str]:
        found: dict[str, str] = {}
        marker = ""
        while True:
            path = (
                f"/2013-04-01/hostedzone?marker={quote(marker, safe='')}"
                if marker
                else "/2013-04-01/hostedzone"
            )
            names, marker = route53_documents.zones(
                (await self.upstream.get(api_calls.internal("route53"), path)).body
            )
            found |= names
            if not marker:
                return found

    async def _known(self, call: Call) -> tuple[Zone, Records] | Answer:
        """Return a call's zone and its record sets, or the backend's error. The caller holds its lock."""
        if call.resource not in self._zones:
            read = await self._read(call)
            if isinstance(read, Answer):
                return read
            self._zones[call.resource] = read
        return self._zones[call.resource]

    async def _read(self, call: Call) -> tuple[Zone, Records] | Answer:
        """Return the zone and its record sets, or the backend's error."""
        path = f"/2013-04-01/hostedzone/{call.resource}"
        described = await self.upstream.get(call, path)
        listed = await self.upstream.get(call, f"{path}/rrset?maxitems={_ALL}")
        if not (described.is_ok and listed.is_ok):
            return listed if described.is_ok else described
        records, more = route53_documents.record_sets(listed.body)
        assert not more, "the backend pages its record sets"
        zone = Zone(call.resource, route53_documents.zone_name(described.body))
        return zone, {route53_refusals.key_of(record): record for record in records}

    def _accept(self, comment: str) -> Answer:
        change_id = "C" + "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH))
        self._submitted[change_id] = (self.clock.wall(), comment)
        return self._change_info("ChangeResourceRecordSets", change_id)

    def _change_info(self, operation: str, change_id: str) -> Answer:
        submitted, comment = self._submitted[change_id]
        # Route 53 answers before the change has reached any server (Route 53 API reference, ChangeInfo).
        is_new = operation == "ChangeResourceRecordSets"
        age = self.clock.now() - self.clock.production(submitted)
        is_pending = is_new or self.is_stuck() or age < PRODUCTION.route53_propagation
        status = "PENDING" if is_pending else "INSYNC"
        return route53_documents.change_info(operation, change_id, status, submitted, comment)


def _with_stored_aliases(body: bytes) -> bytes:
    """Write alias names in lower case with a dot, as Route 53 stores them."""
    return _ALIAS.sub(lambda match: match[1] + match[2].strip().lower().rstrip(b".") + b"." + match[3], body)
