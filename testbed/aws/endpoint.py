"""The one AWS endpoint of a run: every client's calls pass here, on their way to moto or LocalStack.

```
boto3, aws ──► endpoint ──► rules (refused: AWS's own error) ──► backend ──► journal, change feed ──► answer
```

What AWS refuses and the backend would take is refused here; what the backend makes up and AWS knows is
answered here. One file for each service: `route53_front.py`, `elbv2_front.py`, `acm_front.py`.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from aiohttp import web

from testbed import journal
from testbed.aws import calls
from testbed.aws.acm_front import AcmFront
from testbed.aws.answers import Answer, Refusal, message_of, refused, request_id
from testbed.aws.calls import Call
from testbed.aws.certificates import CertificateStore
from testbed.aws.changes import ChangeFeed
from testbed.aws.elbv2_front import Elbv2Front, TargetHealth
from testbed.aws.route53_front import Route53Front
from testbed.aws.upstream import Unavailable, Upstream
from testbed.clock import Clock
from testbed.errors import Missing
from testbed.settings import PATIENCE

_MOST_BYTES = 16 << 20


class AwsEndpoint:
    """An HTTP server in the servers' loop. `start` and `stop` belong into that loop.

    Args:
        address, port: where it listens.
        upstream: URL of the backend.
        route53: URL of another backend for Route 53, if that is not the same.
        socket: a Unix socket where it listens as well.
        changes: told of each mutating call that succeeded.
        certificates: issues what ACM is asked for.
        run_journal, clock: where mutating calls are written down.

    Attributes:
        target_health: how the health checks find the targets of a group; until it is set, none is checked.
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
    ) -> None:
        self.target_health: TargetHealth = lambda _: []
        self._address, self._port, self._url = address, port, upstream
        self._changes, self._certificates = changes, certificates
        self._journal, self._clock = run_journal, clock
        self._runner: web.AppRunner | None = None
        self._route53_url, self._socket = route53 or upstream, socket
        self._upstreams: list[Upstream] = []

    async def start(self) -> None:
        """Listen.

        Raises:
            Missing: the port is taken, or is not this user's to bind.
        """
        self._backend, route53 = self._upstreams = [Upstream(self._url), Upstream(self._route53_url)]
        self._route53 = Route53Front(route53, self._clock, self._journal)
        self._elbv2 = Elbv2Front(self._backend, self._clock, lambda group: self.target_health(group))
        self._acm = AcmFront(self._backend, self._certificates)
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
        body = await request.read()
        try:
            call = calls.read(request.method, request.path_qs, request.headers, body)
            answer, summary = await self._answer(call)
        except calls.Malformed as error:
            return _response(refused("", Refusal("MissingAuthenticationToken", str(error), status=403)))
        except Unavailable as error:
            # The clients' SDKs try again on this, as they do when AWS itself is unwell.
            answer = refused(call.service, Refusal("ServiceUnavailable", str(error), status=503))
            summary = ""
        if call.mutates:
            self._tell(call, answer, summary)
        return _response(answer)

    async def _answer(self, call: Call) -> tuple[Answer, str]:
        match call.service:
            case "route53":
                return await self._route53.answer(call)
            case "elbv2":
                return await self._elbv2.answer(call)
            case "acm":
                return await self._acm.answer(call)
        return await self._backend.forward(call), ""

    def _tell(self, call: Call, answer: Answer, summary: str) -> None:
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


def _response(answer: Answer) -> web.Response:
    headers = {"Content-Type": answer.content_type, "x-amzn-RequestId": request_id()}
    return web.Response(status=answer.status, body=answer.body, headers=headers)
