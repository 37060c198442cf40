"""The one AWS endpoint of a run: every client's calls pass here, on their way to moto or LocalStack.

```
boto3, aws ──► endpoint ──► rules (refused: AWS's own error) ──► backend ──► journal, change feed ──► answer
```

What AWS refuses and the backend would take is refused here; what the backend makes up and AWS knows is
answered here. The service is told from the signature's credential scope, as AWS's own edge does.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

import aiohttp
import orjson
import xmltodict
from aiohttp import web

from testbed import journal
from testbed.aws import elbv2_rules, route53_rules
from testbed.aws.certificates import CertificateStore
from testbed.aws.changes import ChangeFeed
from testbed.aws.clients import Clients
from testbed.clock import Clock
from testbed.errors import Missing
from testbed.settings import PATIENCE

if TYPE_CHECKING:
    pass

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([a-z0-9-]+)/aws4_request")
_SERVICES = {"elasticloadbalancing": "elbv2", "route53": "route53", "acm": "acm", "ec2": "ec2"}
_RRSET = re.compile(r"/2013-04-01/hostedzone/([A-Za-z0-9]+)/rrset/?")
_ALIAS_NAME = re.compile(rb"(<AliasTarget>.*?<DNSName>)(.*?)(</DNSName>)", re.DOTALL)
_HOP_BY_HOP = {
    "host",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "accept-encoding",
    "content-length",
    "expect",
}
_READS = ("Describe", "List", "Get", "Test")
_NOT_THERE = 503
_MOST = 16 << 20

TargetHealth = Callable[[str], list[dict[str, Any]]]
"""TargetHealthDescriptions of a target group by its ARN, as the health checks know them."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    content_type: str = "text/xml"


@dataclass(frozen=True, slots=True)
class _Call:
    """A request as the rules see it."""

    service: str
    operation: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def mutates(self) -> bool:
        """Whether it may change something."""
        return not self.operation.startswith(_READS)


class AwsEndpoint:
    """An HTTP server in the servers' loop. `start` and `stop` belong into that loop.

    Args:
        address, port: where it listens.
        upstream: URL of the backend.
        changes: told of each mutating call that succeeded.
        certificates: issues what ACM is asked for.
        run_journal, clock: where mutating calls are written down.
    """

    def __init__(
        self,
        address: str,
        port: int,
        upstream: str,
        *,
        changes: ChangeFeed,
        certificates: CertificateStore,
        run_journal: journal.Journal,
        clock: Clock,
    ) -> None:
        self.target_health: TargetHealth = lambda _: []
        self._address, self._port, self._upstream = address, port, upstream
        self._changes, self._certificates = changes, certificates
        self._journal, self._clock = run_journal, clock
        self._zone_locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._behind = Clients(upstream)
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            Missing: the port is taken.
        """
        patience = aiohttp.ClientTimeout(total=PATIENCE.api_call)
        self._session = aiohttp.ClientSession(timeout=patience, auto_decompress=False)
        application = web.Application(client_max_size=_MOST)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._address, self._port).start()
        except OSError as error:
            await self.stop()
            why = "is taken" if error.errno == errno.EADDRINUSE else os.strerror(error.errno or 0)
            raise Missing(f"{self._address}:{self._port} (AWS endpoint) {why}") from None

    async def stop(self) -> None:
        """Close the server and its connections."""
        if self._runner:
            await self._runner.cleanup()
        if self._session:
            await self._session.close()

    async def _handle(self, request: web.Request) -> web.Response:
        call = _read(request, await request.read())
        try:
            async with self._locked(call):
                answer = await self._answer(call)
        except (aiohttp.ClientError, TimeoutError) as error:
            reason = f"the backend at {self._upstream} does not answer: {error or type(error).__name__}"
            answer = _xml_error(_NOT_THERE, "ServiceUnavailable", reason)
        return web.Response(
            status=answer.status,
            body=answer.body,
            headers={"Content-Type": answer.content_type, "x-amzn-RequestId": "testbed"},
        )

    def _locked(self, call: _Call) -> asyncio.Lock | _NoLock:
        match = _RRSET.fullmatch(call.path.partition("?")[0])
        return self._zone_locks[match[1]] if match and call.mutates else _NoLock()

    async def _answer(self, call: _Call) -> _Answer:
        if call.operation == "ChangeResourceRecordSets":
            return await self._change_records(call)
        if call.service == "elbv2":
            return await self._balance(call)
        answer = await self._forward(call)
        if call.service == "acm" and answer.status < 300:
            self._certify(call, answer)
        self._tell(call, answer, "")
        return answer

    # --- Route 53 ------------------------------------------------------------------------------------

    async def _change_records(self, call: _Call) -> _Answer:
        match = _RRSET.fullmatch(call.path.partition("?")[0])
        assert match
        try:
            changes = _changes(call.body)
        except ValueError as error:
            return _xml_error(400, "MalformedInput", str(error))
        refused = await asyncio.to_thread(self._refusals, match[1], changes)
        zone_name, messages = refused
        if messages:
            answer = _xml_error(400, "InvalidChangeBatch", f"[{', '.join(messages)}]")
        else:
            # Route 53 keeps alias names in lower case with a dot.
            body = _ALIAS_NAME.sub(lambda m: m[1] + m[2].lower().rstrip(b".") + b"." + m[3], call.body)
            answer = await self._forward(call, body)
        if zone_name:
            refusal = "" if answer.status < 300 else ", ".join(messages) or _error_text(answer.body)
            self._journal.write(
                journal.DnsChange(
                    time=self._clock.wall(),
                    zone=zone_name,
                    changes=tuple(changes),
                    refused=refusal,
                )
            )
        self._tell(call, answer, f"{len(changes)} changes in {zone_name or match[1]}")
        return answer

    def _refusals(self, zone_id: str, changes: list[dict[str, Any]]) -> tuple[str, list[str]]:
        """Zone name and messages; an unknown zone is left to the backend to refuse."""
        route53 = self._behind.route53
        try:
            name = route53.get_hosted_zone(Id=zone_id)["HostedZone"]["Name"]
        except route53.exceptions.NoSuchHostedZone:
            return "", []
        pages = route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone_id)
        records = [record for page in pages for record in page["ResourceRecordSets"]]
        return name, route53_rules.refusals(zone_id, name, records, changes)

    # --- ELBv2 ---------------------------------------------------------------------------------------

    async def _balance(self, call: _Call) -> _Answer:
        form = {key: values[0] for key, values in parse_qs(call.body.decode()).items()}
        if call.operation == "DescribeTargetHealth" and "TargetGroupArn" in form:
            known = self.target_health(form["TargetGroupArn"])
            described = await asyncio.to_thread(
                elbv2_rules.described_health, form["TargetGroupArn"], known, self._behind.elbv2
            )
            if described is not None:
                return _Answer(200, elbv2_rules.target_health_xml(described))
        if call.operation in elbv2_rules.CHECKED:
            refusal = await asyncio.to_thread(elbv2_rules.refusal, form, self._behind.elbv2)
            if refusal:
                answer = _xml_error(400, refusal.code, refusal.message)
                self._tell(call, answer, refusal.message)
                return answer
        answer = await self._forward(call)
        self._tell(call, answer, _summary(form))
        return answer

    # --- ACM -----------------------------------------------------------------------------------------

    def _certify(self, call: _Call, answer: _Answer) -> None:
        if call.operation not in ("RequestCertificate", "ImportCertificate"):
            return
        arn, asked = orjson.loads(answer.body)["CertificateArn"], orjson.loads(call.body)
        if call.operation == "RequestCertificate":
            names = dict.fromkeys([asked["DomainName"], *asked.get("SubjectAlternativeNames", [])])
            self._certificates.issue(arn, list(names))
        else:
            self._certificates.put(arn, *elbv2_rules.imported(asked))

    # --- plumbing --------------------------------------------------------------------------------------

    async def _forward(self, call: _Call, body: bytes | None = None) -> _Answer:
        assert self._session
        headers = {key: value for key, value in call.headers.items() if key.lower() not in _HOP_BY_HOP}
        async with self._session.request(
            call.method, self._upstream + call.path, data=call.body if body is None else body, headers=headers
        ) as answer:
            return _Answer(answer.status, await answer.read(), answer.headers.get("Content-Type", "text/xml"))

    def _tell(self, call: _Call, answer: _Answer, summary: str) -> None:
        if not call.mutates:
            return
        if answer.status < 300:
            self._changes.bump(call.service)
        self._journal.write(
            journal.ApiCall(
                time=self._clock.wall(),
                service=call.service,
                operation=call.operation,
                status=answer.status,
                summary=summary if answer.status < 300 else _error_text(answer.body),
            )
        )


class _NoLock:
    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *_: object) -> None:
        return None


def _read(request: web.Request, body: bytes) -> _Call:
    scope = _SCOPE.search(request.headers.get("Authorization", ""))
    service = _SERVICES.get(scope[1], scope[1]) if scope else ""
    operation = f"{request.method} {request.path}"
    target = request.headers.get("X-Amz-Target", "")
    if target:
        operation = target.rpartition(".")[2]
    elif _RRSET.fullmatch(request.path):
        operation = "ChangeResourceRecordSets" if request.method == "POST" else "ListResourceRecordSets"
    elif service == "route53":
        operation = f"{'Get' if request.method == 'GET' else request.method.title()} {request.path}"
    elif body:
        operation = parse_qs(body.decode(errors="replace")).get("Action", [operation])[0]
    return _Call(service, operation, request.method, request.path_qs, request.headers, body)


def _changes(body: bytes) -> list[dict[str, Any]]:
    """The changes of a request body in boto3's form.

    Raises:
        ValueError: not such a body.
    """
    try:
        document = xmltodict.parse(body, force_list=("Change", "ResourceRecord"))
        changes = document["ChangeResourceRecordSetsRequest"]["ChangeBatch"]["Changes"]["Change"]
        return [_change(change) for change in changes]
    except (KeyError, TypeError, ValueError, ExpatError) as error:
        raise ValueError(f"Unable to parse request ({type(error).__name__}: {error})") from None


def _change(change: Mapping[str, Any]) -> dict[str, Any]:
    if change["Action"] not in ("CREATE", "DELETE", "UPSERT"):
        raise ValueError(f"Invalid Action {change['Action']}")
    record = dict(change["ResourceRecordSet"])
    record["Name"], record["Type"]
    if "TTL" in record:
        record["TTL"] = int(record["TTL"])
    if "Weight" in record:
        record["Weight"] = int(record["Weight"])
    if record.get("ResourceRecords"):
        record["ResourceRecords"] = [
            {"Value": one["Value"] or ""} for one in record["ResourceRecords"]["ResourceRecord"]
        ]
    if alias := record.get("AliasTarget"):
        record["AliasTarget"] = {**alias, "EvaluateTargetHealth": alias["EvaluateTargetHealth"] == "true"}
    return {"Action": change["Action"], "ResourceRecordSet": record}


def _summary(form: Mapping[str, str]) -> str:
    return next(
        (form[key] for key in ("Name", *(key for key in form if key.endswith("Arn"))) if key in form), ""
    )


def _xml_error(status: int, code: str, message: str) -> _Answer:
    """An error as the query and REST-XML protocols have it, which boto3 turns into a `ClientError`."""
    text = (
        '<?xml version="1.0"?>\n<ErrorResponse><Error><Type>Sender</Type>'
        f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        "<RequestId>testbed</RequestId></ErrorResponse>"
    )
    return _Answer(status, text.encode())


def _error_text(body: bytes) -> str:
    match = re.search(rb"<Message>(.*?)</Message>", body, re.DOTALL)
    return (match[1] if match else body[:300]).decode(errors="replace").strip()
