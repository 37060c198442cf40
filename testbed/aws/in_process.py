"""The AWS endpoint inside one process, for what needs no server: its rules in front of moto, without sockets.

```
boto3 client ──► before-send ──► the same fronts as `aws_endpoint` ──► moto's application ──► answer
                     └──► writes: what changed the account, in order
```

moto keeps its state once per process. Here it is put aside for the time of each call, so that other accounts,
and a server of moto in the same process, do not meet it. Identifiers are the same in every run.
"""

from __future__ import annotations

import asyncio
import copy
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from testbed.aws import api_calls
from testbed.aws.answers import Answer, message_of
from testbed.aws.api_calls import Call
from testbed.aws.boto3_clients import Clients
from testbed.aws.elbv2_front import Elbv2Front
from testbed.aws.moto_server import hasten
from testbed.aws.upstream import Upstream
from testbed.clock import Clock

_URL = "http://in-process"
_SPEED = 1e6
"""Nothing is pending for long: what takes AWS hours is done at the next call."""
_SERVICES = ("acm", "ec2", "elbv2")
_MADE = {
    "CreateLoadBalancer": "LoadBalancerArn",
    "CreateListener": "ListenerArn",
    "CreateRule": "RuleArn",
    "CreateTargetGroup": "TargetGroupArn",
    "CreateSecurityGroup": "groupId",
}
"""Where the answer of a call names what it made."""
_PROTOCOL = ("Action", "Version")
"""Fields of a form that are no parameters."""


@dataclass(frozen=True, slots=True)
class Write:
    """A call that may change the account, as it went over the wire.

    Attributes:
        service: its signing name, `elasticloadbalancing` or `ec2`.
        action: `CreateListener`.
        parameters: as in the form: `{"Tags.member.1.Key": "…"}`.
        status: of the HTTP answer.
        refusal: the message with which AWS refused it, "" if it did not.
        created: the ARN or id of what a Create call made, "" for other calls.
    """

    service: str
    action: str
    parameters: Mapping[str, str]
    status: int
    refusal: str = ""
    created: str = ""


class _Moto(Upstream):
    """moto's own server application, called as a function."""

    def __init__(self) -> None:  # without the session of its base, which belongs to a server's loop
        hasten()
        # Imported only now, because hasten() changes what the import of moto reads.
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.test import Client

        from testbed.aws.moto_patches import patch

        patch()
        # Nothing is kept: `state` changes the account beside the calls, and a call costs nothing here.
        self._kept, self._keeps, self._changes = {}, False, 0
        self._client = Client(DomainDispatcherApplication(create_backend_app))
        self._chance = random.Random(0).getstate()  # noqa: S311 identifiers, the same in every run
        self._accounts: dict[str, dict[str, Any]] = {service: {} for service in _SERVICES}

    @contextmanager
    def state(self) -> Iterator[Callable[[str], Any]]:
        """Put this account in the place of what the process has; yield what finds the state of a service."""
        from moto.backends import get_backend
        from moto.core.models import DEFAULT_ACCOUNT_ID
        from moto.moto_api._internal import mock_random

        backends: dict[str, Any] = {one: get_backend(one) for one in _SERVICES}  # type: ignore[call-overload]
        others = {service: dict(held) for service, held in backends.items()}
        chance = mock_random.getstate()
        for service, held in backends.items():
            held.clear()
            held.update(self._accounts[service])
        mock_random.setstate(self._chance)
        try:
            yield lambda service: backends[service][DEFAULT_ACCOUNT_ID]
        finally:
            self._chance = mock_random.getstate()
            mock_random.setstate(chance)
            for service, held in backends.items():
                self._accounts[service] = dict(held)
                held.clear()
                held.update(others[service])

    async def close(self) -> None:
        """Nothing is open."""

    async def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        with self.state():
            answer = self._client.open(path, method=method, headers=dict(headers), data=body)
        return Answer(answer.status_code, answer.get_data(), answer.content_type or "text/xml")


@dataclass
class InProcessAws:
    """An empty account behind the endpoint's rules; close it, or use it as a context.

    Attributes:
        clients: clients of it; threads must not share them.
        writes: the calls that may have changed something, in order. Clear it at will.
    """

    clients: Clients = field(init=False)
    writes: list[Write] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._moto = _Moto()
        self._loop = asyncio.new_event_loop()
        self._elbv2 = Elbv2Front(self._moto, Clock(_SPEED), lambda _: [], lambda: 0.0, _usable)
        self.clients = Clients(_URL)
        answered: Any = self._answered
        self.clients.session.register("before-send", answered)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self._loop.close()

    def own_subnet(
        self, vpc: str, cidr: str, zone: str, identity: str | None = None, *, is_alone: bool = False
    ) -> str:
        """A subnet of a VPC, by the id that somebody gave it, or by a new one; return the id.

        Args:
            vpc: id of the VPC.
            cidr: its range.
            zone: its zone.
            identity: the id that it has.
            is_alone: True if no other subnet may be taken to be in its zone: it goes with every other one.
        """
        made = self.clients.ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]
        with self._moto.state() as of:
            subnets = of("ec2")[self.clients.region].subnets[zone]
            subnet = _renamed(subnets, made["SubnetId"], identity)
            if is_alone:
                own = copy.copy(subnets[subnet]._availability_zone)  # moto's is that of the whole process
                own.name = f"{zone} of {subnet}"
                subnets[subnet]._availability_zone = own
            return subnet

    def own_security_group(self, vpc: str, name: str, identity: str | None = None) -> str:
        """A security group of a VPC, by the id that somebody gave it, or by a new one; return the id."""
        made = self.clients.ec2.create_security_group(VpcId=vpc, GroupName=name, Description=name)["GroupId"]
        with self._moto.state() as of:
            return _renamed(of("ec2")[self.clients.region].groups[vpc], made, identity)

    def own_certificate(self, name: str, arn: str | None = None) -> str:
        """An issued certificate for a name, by the ARN that somebody gave it, or by a new one."""
        made = self.clients.acm.request_certificate(DomainName=name)["CertificateArn"]
        with self._moto.state() as of:
            return _renamed(of("acm")[self.clients.region]._certificates, made, arn)

    def _answered(self, *, request: AWSPreparedRequest, **_: Any) -> Any:
        body: Any = request.body or b""
        body = body.encode() if isinstance(body, str) else bytes(body)
        headers = {name: _text(value) for name, value in request.headers.items()}
        method, path = str(request.method), request.url.removeprefix(_URL)
        call = api_calls.read(method, path, headers, body)
        answer = self._loop.run_until_complete(self._answer(call))
        if call.mutates:
            self.writes.append(_write(call, answer))
        kept: Any = {"Content-Type": answer.content_type}
        return AWSResponse(request.url, answer.status, kept, _Body(answer.body))

    async def _answer(self, call: Call) -> Answer:
        if call.service == "elbv2":
            answer, _ = await self._elbv2.answer(call)
            return answer
        return await self._moto.forward(call)


async def _usable(_certificate: str) -> None:
    """Let listeners use every certificate: manifests name those of another account."""


class _Body:
    """A body as botocore reads it from a response of urllib3."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Any:
        """Yield the whole body."""
        yield self._content


def _renamed(held: dict[str, Any], made: str, identity: str | None) -> str:
    """Give an identifier that AWS would draw to what was made; it is the one that a manifest names."""
    if not identity:
        return made
    thing = held[identity] = held.pop(made)
    for name in ("id", "arn"):
        if getattr(thing, name, None) == made:
            setattr(thing, name, identity)
    return identity


def _write(call: Call, answer: Answer) -> Write:
    service = "elasticloadbalancing" if call.service == "elbv2" else call.service
    parameters = {key: value for key, value in call.form.items() if key not in _PROTOCOL}
    if not answer.is_ok:
        return Write(service, call.operation, parameters, answer.status, refusal=message_of(answer))
    made = _MADE.get(call.operation)
    found = re.search(rf"<{made}>([^<]+)</{made}>".encode(), answer.body) if made else None
    created = found[1].decode() if found else ""
    return Write(service, call.operation, parameters, answer.status, created=created)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
