"""The AWS endpoint of a run: the calls of all clients pass it on their way to moto or LocalStack.

```
boto3, aws ──► endpoint ──► rules (refused: AWS's own error) ──► backend ──► journal, change feed ──► answer
```

It refuses what AWS refuses and the backend would accept, and answers what the backend only makes up. Each
service has a file: `route53_front.py`, `elbv2_front.py`, `acm_front.py`.
"""

from __future__ import annotations

import asyncio
import errno
import math
import os
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web

from testbed import journal
from testbed.aws import api_calls
from testbed.aws.acm_front import AcmFront
from testbed.aws.answers import Answer, Refusal, message_of, refused, request_id
from testbed.aws.api_calls import OBSERVER, Call
from testbed.aws.certificate_store import CertificateStore
from testbed.aws.change_feed import ChangeFeed
from testbed.aws.elbv2_front import Elbv2Front, TargetHealth
from testbed.aws.route53_front import Route53Front
from testbed.aws.upstream import Unavailable, Upstream
from testbed.clock import Clock
from testbed.errors import Missing
from testbed.faults import ChangesPending, InjectedFault, ProvisioningStuck, Route53Slow
from testbed.faults.refused_calls import RefusedCalls
from testbed.settings import PATIENCE, PRODUCTION

_PAGES = (b"<!doctype html", b"<html")
_MOST_BYTES = 16 << 20


class AwsEndpoint:
    """An HTTP server in the servers' loop. Call `start` and `stop` in that loop.

    Args:
        address, port: the address and port to listen on.
        upstream: URL of the backend.
        route53: URL of the backend for Route 53, if it is another one.
        socket: path of a Unix socket to listen on as well.
        name_server: address and port of the DNS server of the hosted zones, which TestDNSAnswer asks.
        changes: gets a new revision with each successful mutating call.
        certificates: issues the certificates that are requested of ACM.
        run_journal, clock: record mutating calls with their time.

    Attributes:
        target_health: returns the health of the targets of a group; until it is set, no target has any.
        struck: the faults that strike the calls now; those of the run's own observer are never struck.
        balancer_provisioning: production seconds until a balancer that is created now is active; 0 while
            what stands before the run is made.
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
        route53: str | None = None,
        socket: Path | None = None,
        name_server: tuple[str, int] | None = None,
    ) -> None:
        self.target_health: TargetHealth = lambda _: []
        self.balancer_provisioning = PRODUCTION.balancer_provisioning
        self._address, self._port, self._url = address, port, upstream
        self._changes, self._certificates = changes, certificates
        self._journal, self._clock = run_journal, clock
        self._name_server = name_server
        self.struck: list[InjectedFault] = []
        self._runner: web.AppRunner | None = None
        self._route53_url, self._socket = route53 or upstream, socket
        self._upstreams: list[Upstream] = []

    async def start(self) -> None:
        """Listen.

        Raises:
            Missing: the port is taken, or this user must not bind it.
        """
        self._backend, route53 = self._upstreams = [Upstream(self._url), Upstream(self._route53_url)]
        self._route53 = Route53Front(route53, self._clock, self._journal, self._name_server)
        self._route53.is_stuck = lambda: self._is_struck_by(ChangesPending)
        # Lambdas, because both may be set after the start.
        self._elbv2 = Elbv2Front(
            self._backend,
            self._clock,
            lambda group: self.target_health(group),
            self._provisioning,
            lambda certificate: self._acm.usable(certificate),
        )
        self._acm = AcmFront(
            self._backend,
            self._certificates,
            self._clock,
            self._journal,
            self._route53.stands,
            self._elbv2.users_of,
        )
        application = web.Application(client_max_size=_MOST_BYTES)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=PATIENCE.process_stop)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._address, self._port).start()
            if self._socket:
                await web.UnixSite(self._runner, self._socket).start()
        except OSError as error:
            await self.stop()
            why = "is taken" if error.errno == errno.EADDRINUSE else os.strerror(error.errno or 0)
            raise Missing(
                f"{self._address}:{self._port} (AWS endpoint) {why}",
                do="stop what listens there or name another network with --network",
            ) from None

    async def stop(self) -> None:
        """Close the server and its connections."""
        if self._runner:
            await self._runner.cleanup()
        for upstream in self._upstreams:
            await upstream.close()

    async def _handle(self, request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except ConnectionError:  # the caller went in the middle of its call: nobody reads what is answered
            return web.Response()
        try:
            call = api_calls.read(request.method, request.path_qs, request.headers, body)
            answer, summary = await self._answer(call)
        except api_calls.Malformed as error:
            return _response(refused("", Refusal("MissingAuthenticationToken", str(error), status=403)))
        except Unavailable as error:
            # Not a plain 500: the SDKs retry ServiceUnavailable, as they do when AWS itself has trouble.
            answer = refused(call.service, Refusal("ServiceUnavailable", str(error), status=503))
            summary = ""
        except Exception as error:  # noqa: BLE001 a fault of the testbed: AWS's own answer to one of its own
            answer, summary = self._failed(call, error), ""
        if call.mutates:
            try:
                self._record(call, answer, summary)
            except Missing as error:
                # The run ends by the journal's own error; aiohttp would print a traceback before it.
                return web.Response(status=500, text=str(error))
        return _response(_as_aws(call, answer))

    def _failed(self, call: Call, error: Exception) -> Answer:
        """Write a fault of the testbed to the journal, and return AWS's answer to such a fault."""
        where = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
        message = f"{call.service} {call.operation} failed"
        self._journal.write(
            journal.Log(
                time=self._clock.wall(), component="aws-endpoint", level="error", message=message, line=reason
            )
        )
        return refused(call.service, Refusal("InternalFailure", f"{message}: {reason}", status=500))

    @contextmanager
    def strike(self, fault: InjectedFault) -> Iterator[None]:
        """Let a fault strike the calls while the block lasts; call it from any thread."""
        self.struck.append(fault)
        try:
            yield
        finally:
            self.struck.remove(fault)
            if not self._is_struck_by(ProvisioningStuck):
                self._elbv2.unstick()

    def _is_struck_by(self, kind: type[InjectedFault]) -> bool:
        return any(isinstance(one, kind) for one in self.struck)

    def _provisioning(self) -> float:
        return math.inf if self._is_struck_by(ProvisioningStuck) else self.balancer_provisioning

    async def _wait_for_fault(self, call: Call) -> None:
        for fault in [one for one in self.struck if isinstance(one, Route53Slow)]:
            until = time.monotonic() + self._clock.scaled(fault.seconds)
            # The fault ends in another thread.
            while call.service == fault.service and fault in self.struck and time.monotonic() < until:  # noqa: ASYNC110
                await asyncio.sleep(PATIENCE.poll)

    def _refused_by_fault(self, call: Call) -> Refusal | None:
        struck = [one for one in self.struck if isinstance(one, RefusedCalls)]
        refusal = next(filter(None, (one.refusal(call.service, call.operation) for one in struck)), None)
        return Refusal(*refusal) if refusal else None

    async def _answer(self, call: Call) -> tuple[Answer, str]:
        if self.struck and call.account != OBSERVER:
            await self._wait_for_fault(call)
            if refusal := self._refused_by_fault(call):
                return refused(call.service, refusal), ""
        match call.service:
            case "route53":
                answer = await self._route53.answer(call)
                if call.operation == "ChangeResourceRecordSets" and answer[0].is_ok:
                    await self._acm.look()  # a validation record may stand from now on
                return answer
            case "elbv2":
                return await self._elbv2.answer(call)
            case "acm":
                return await self._acm.answer(call)
        return await self._backend.forward(call), ""

    def _record(self, call: Call, answer: Answer, summary: str) -> None:
        if answer.is_ok:
            self._changes.bump(call.service)
        self._journal.write(
            journal.ApiCall(
                time=self._clock.wall(),
                service=call.service,
                operation=call.operation,
                status=answer.status,
                summary=summary if answer.is_ok else message_of(answer),
            )
        )


def _as_aws(call: Call, answer: Answer) -> Answer:
    """Return one of AWS's errors in place of a page for people, as the backend sends it when it fails."""
    if answer.is_ok or not answer.body.lstrip().lower().startswith(_PAGES):
        return answer
    if answer.status < 500:
        what = f"there is no operation {call.operation}"
        return refused(call.service, Refusal("UnknownOperationException", what, answer.status))
    what = f"{call.operation} is not modelled, or not with these parameters"
    return refused(call.service, Refusal("InternalFailure", what, status=500))


def _response(answer: Answer) -> web.Response:
    headers = {"Content-Type": answer.content_type, "x-amzn-RequestId": request_id()}
    if answer.location:
        headers["Location"] = answer.location
    return web.Response(status=answer.status, body=answer.body, headers=headers)
