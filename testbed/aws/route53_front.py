"""Route 53 in front of the backend: its rules for change batches, its rate limit, PENDING and INSYNC."""

from __future__ import annotations

import asyncio
import re
import secrets
import string
from collections import defaultdict
from dataclasses import dataclass, field

from testbed import journal
from testbed.aws import route53_requests, route53_rules
from testbed.aws.answers import Answer, Refusal, message_of, refused
from testbed.aws.calls import OBSERVER, Call
from testbed.aws.route53_rules import Zone
from testbed.aws.throttle import Throttle
from testbed.aws.upstream import Upstream
from testbed.clock import Clock
from testbed.settings import PRODUCTION

Records = dict[route53_rules.Key, route53_rules.Record]

CALLS_PER_SECOND = 5.0
"""Of one account (Route 53 Developer Guide, "Quotas")."""

_ALIAS = re.compile(rb"(<AliasTarget\b.*?<DNSName>)([^<]*)(</DNSName>)", re.DOTALL)
_ALL = 1_000_000  # in one page: moto and LocalStack do not cap it, and lose their place in weighted sets
_ID_LETTERS = string.ascii_uppercase + string.digits
_ID_LENGTH = 20


@dataclass(slots=True)
class Route53Front:
    """Answers or forwards the calls of Route 53. Belongs to one loop.

    The records of a zone are read once: who changes them passes here.
    """

    upstream: Upstream
    clock: Clock
    run_journal: journal.Journal
    _locks: defaultdict[str, asyncio.Lock] = field(init=False)
    _throttles: defaultdict[str, Throttle] = field(init=False)
    _submitted: dict[str, tuple[float, str]] = field(init=False, default_factory=dict)
    _zones: dict[str, tuple[Zone, Records]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._locks = defaultdict(asyncio.Lock)
        self._throttles = defaultdict(lambda: Throttle(CALLS_PER_SECOND))

    async def answer(self, call: Call) -> tuple[Answer, str]:
        """The answer and what the journal says of the call.

        Raises:
            Unavailable: the backend does not answer.
        """
        limit = None if call.account == OBSERVER else self._throttles[call.account]
        if limit and not limit.admits(self.clock.now()):
            return refused("route53", Refusal("Throttling", "Rate exceeded")), ""
        if call.operation == "ChangeResourceRecordSets":
            async with self._locks[call.resource]:
                return await self._change(call)
        if call.operation == "GetChange" and call.resource in self._submitted:
            return self._change_info("GetChange", call.resource), ""
        if call.operation == "DeleteHostedZone":
            async with self._locks[call.resource]:
                self._zones.pop(call.resource, None)
                return await self.upstream.forward(call), call.resource
        return await self.upstream.forward(call), call.resource

    async def _change(self, call: Call) -> tuple[Answer, str]:
        try:
            changes, comment = route53_requests.changes(call.body)
        except route53_requests.Unreadable as error:
            return refused("route53", Refusal("InvalidInput", str(error))), ""
        # Out of the table while it is changed: a call that breaks off leaves nothing wrong there.
        found = self._zones.pop(call.resource, None) or await self._read(call)
        if isinstance(found, Answer):
            return found, ""
        zone, records = found
        refusal = route53_rules.refusal(zone, records.values(), changes)
        if refusal:
            answer = refused("route53", refusal)
            self._zones[call.resource] = zone, records
        else:
            answer = await self.upstream.forward(call, _with_stored_aliases(call.body))
            if answer.is_ok:
                answer = self._accept(comment)
                self._zones[call.resource] = zone, route53_rules.applied(records.values(), changes)
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

    async def _read(self, call: Call) -> tuple[Zone, Records] | Answer:
        """The zone and its record sets, or why the backend has none."""
        path = f"/2013-04-01/hostedzone/{call.resource}"
        described = await self.upstream.get(call, path)
        listed = await self.upstream.get(call, f"{path}/rrset?maxitems={_ALL}")
        if not (described.is_ok and listed.is_ok):
            return listed if described.is_ok else described
        records, more = route53_requests.record_sets(listed.body)
        assert not more, "the backend pages its record sets"
        zone = Zone(call.resource, route53_requests.zone_name(described.body))
        return zone, {route53_rules.key_of(record): record for record in records}

    def _accept(self, comment: str) -> Answer:
        change_id = "C" + "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH))
        self._submitted[change_id] = (self.clock.wall(), comment)
        return self._change_info("ChangeResourceRecordSets", change_id)

    def _change_info(self, operation: str, change_id: str) -> Answer:
        submitted, comment = self._submitted[change_id]
        # A change is answered before it is anywhere (Route 53 API reference, ChangeInfo).
        is_new = operation == "ChangeResourceRecordSets"
        age = self.clock.now() - self.clock.production(submitted)
        status = "PENDING" if is_new or age < PRODUCTION.route53_propagation else "INSYNC"
        return route53_requests.change_info(operation, change_id, status, submitted, comment)


def _with_stored_aliases(body: bytes) -> bytes:
    """Alias names in lower case with a dot, as Route 53 stores them."""
    return _ALIAS.sub(lambda match: match[1] + match[2].strip().lower().rstrip(b".") + b"." + match[3], body)
