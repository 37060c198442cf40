"""Journals made up for tests: the story of the cutover, with as many requests as a test wants.

Not collected by pytest; the conftest files of `rehearsal` and `report` load it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from testbed import journal
from testbed.journal import Event

EPOCH = 1_700_000_000.0
HOST = "api.example.com"
ADDRESSES = {"nlb": ("127.80.10.1", "127.80.10.2"), "alb": ("127.80.11.1", "127.80.11.2")}
NAMES = {
    "nlb": "a0b1c2d3e4f5-0123456789abcdef.elb.ap-northeast-1.amazonaws.com",
    "alb": "k8s-zozomat-0a1b2c3d4e-123456789.ap-northeast-1.elb.amazonaws.com",
}
TWO = {
    kind: journal.Balancer(
        time=EPOCH, name=kind, type=kind, dns_name=NAMES[kind], state="active", addresses=ADDRESSES[kind]
    )
    for kind in NAMES
}
STEPS = (
    ("The NLB serves everything", "This is how production stands: one Service, one NLB, one alias."),
    ("The ALB is prepared beside it", "Everything that can be tried before the name moves should be."),
    (
        "Both claim the name",
        "The Ingresses get the Service's host; the TXT names the Service: nothing moves.",
    ),
    ("The annotation leaves the Service", "Now only the Ingresses claim the name: one UPSERT."),
    ("Rollback: annotation back first", "The record stays with its owner for as long as that one claims it."),
    ("Forward again, drained, NLB removed", "Drained, and out of every cached answer, nobody misses it."),
)
MOVES = ((4, "alb"), (5, "nlb"), (6, "alb"))
THREE = {
    "tree": journal.Balancer(
        time=EPOCH, name="a1b2c3", type="nlb", state="active", scheme="internet-facing",
        dns_name="a1b2c3-00000000000000aa.elb.ap-northeast-1.amazonaws.com",
        addresses=("127.80.20.1", "127.80.20.2"), owner="service/shop/envoy",
    ),
    "made": journal.Balancer(
        time=EPOCH, name="k8s-shop-envoylb", type="nlb", state="active", scheme="internal",
        dns_name="k8s-shop-envoylb-00000000000000bb.elb.ap-northeast-1.amazonaws.com",
        addresses=("127.80.21.1", "127.80.21.2"), owner="service/shop/envoy-internal",
    ),
    "group": journal.Balancer(
        time=EPOCH, name="k8s-shop-0c0c0c", type="alb", state="active", scheme="internet-facing",
        dns_name="k8s-shop-0c0c0c-77.ap-northeast-1.elb.amazonaws.com",
        addresses=("127.80.22.1", "127.80.22.2"), owner="ingress-group/shop",
    ),
}  # fmt: skip
"""Three balancers at once: an NLB of the in-tree controller, another NLB, and an ALB."""
THREE_MOVES = ((3, "made"), (4, "tree"), (5, "made"), (6, "group"))
AGES = (0.9, 1.6)
CACHE = 1.0


@dataclass
class Story:
    """The parameters of a made-up run; `events` plays it.

    `seconds` is the wall length of a step; the alias moves half a second into steps 4, 5 and 6.
    """

    rate: float = 40.0
    seconds: float = 4.0
    apps: int = 6
    servers: int = 3
    tells_connections: bool = True
    seed: int = 1
    speed: float = 60.0
    steps: int = len(STEPS)
    balancers: Mapping[str, journal.Balancer] = field(default_factory=lambda: dict(TWO))
    moves: tuple[tuple[int, str], ...] = MOVES

    def events(self) -> list[Event]:
        """The events of the whole run in the order of time, ending complete."""
        return sorted(self._events(), key=lambda event: event.time)

    @property
    def first(self) -> str:
        """The balancer at which the name is first."""
        return next(iter(self.balancers))

    def start(self, step: int) -> float:
        """When a step (from 1) starts."""
        return EPOCH + 1.0 + (step - 1) * self.seconds

    @property
    def end(self) -> float:
        return self.start(self.steps + 1)

    def moved(self, step: int) -> float:
        """When the alias moves in a step."""
        return self.start(step) + 0.5

    def _events(self) -> Iterator[Event]:
        yield journal.Run(
            time=EPOCH,
            scenario="scenarios/zozomat",
            title="gRPC and REST move from an NLB to an ALB, back, and over again",
            clock={"speed": self.speed, "epoch": EPOCH, "monotonic": 1.0},
            rate=self.rate,
            seed=self.seed,
            external_dns="v0.7.4",
            network="127.80.0.0/16",
            host=HOST,
            testbed="0.1.0",
            machine="Linux x86_64, 2 cores, 8 GiB",
        )
        yield self._balancer(EPOCH + 0.2, self.first, "active")
        yield self._dns(EPOCH + 0.3, "CREATE", self.first)
        for number, (title, why) in enumerate(STEPS[: self.steps], start=1):
            yield journal.StepStarted(time=self.start(number), number=number, title=title, why=why)
            yield from self._step(number)
            yield journal.StepFinished(time=self.start(number + 1) - 0.001, number=number, outcome="passed")
        sent = 0
        for event in _Traffic(self).events():
            sent += isinstance(event, journal.Request)
            yield event
        yield journal.TrafficStopped(
            time=self.end - 0.05, scheduled=sent, sent=sent, finished=sent, never_started=0
        )
        yield journal.RunFinished(time=self.end + 0.1, reason="complete")

    def _step(self, number: int) -> Iterator[Event]:
        start = self.start(number)
        if number == 1:
            yield self._act(start, 1, "apply manifests/1-nlb.yaml")
            yield self._act(start + 0.01, 1, f"start {self.rate:g} requests per second")
            yield journal.TrafficStarted(time=start + 0.01, step=1, rate=self.rate)
        if number == 2:
            yield self._act(start + 0.1, 2, f"request an ACM certificate for {HOST}")
            yield self._act(start + 0.2, 2, "apply manifests/2-alb.yaml")
            call = "CreateLoadBalancer"
            yield journal.ApiCall(
                time=start + 0.3,
                service="elbv2",
                operation=call,
                status=200,
                summary="k8s-zozomat-0a1b2c3d4e",
            )
            for later in list(self.balancers)[1:]:
                yield self._balancer(start + 0.3, later, "provisioning")
                yield self._balancer(start + 0.9, later, "active")
        if number == 3:
            yield self._act(start + 0.1, 3, "apply manifests/3-host.yaml")
            target = list(self.balancers.values())[1].dns_name
            message = f"Removing duplicate endpoint {HOST} 0 IN CNAME  {target} []"
            yield self._log(start + 0.6, "debug", message)
            yield self._log(start + 0.61, "info", "All records are already up to date")
        for step, to in self.moves:
            if step == number:
                yield from self._move(step, to)
        if number == 6:
            yield self._act(self.end - 0.4, 6, "delete service/envoy")
            yield self._balancer(self.end - 0.3, self.first, "deleted")
        text = "every request goes through the " + ("ALB" if number == 6 else "NLB")
        if number in (1, 2, 3):
            yield journal.Expectation(
                time=self.start(number + 1) - 0.01, step=number, text=text, passed=True, detail="all of them"
            )

    def _move(self, step: int, to: str) -> Iterator[Event]:
        dash = f"={HOST}" if to == self.first else "-"
        text = f"annotate service/envoy external-dns.alpha.kubernetes.io/hostname{dash}"
        yield self._act(self.start(step) + 0.1, step, text)
        yield self._log(
            self.moved(step) - 0.01, "info", f"Desired change: UPSERT {HOST} A [Id: /hostedzone/Z1]"
        )
        yield self._log(
            self.moved(step),
            "info",
            "2 record(s) in zone example.com. [Id: /hostedzone/Z1] were successfully updated",
        )
        yield self._dns(self.moved(step), "UPSERT", to)
        yield journal.DnsAnswer(
            time=self.moved(step) + 0.01,
            name=HOST,
            type="A",
            rcode="NOERROR",
            answers=self.balancers[to].addresses,
            ttl=60,
        )
        yield journal.Expectation(
            time=self.moved(step) + 0.1,
            step=step,
            text=f"the A alias points to the {to.upper()}",
            passed=True,
        )

    def _act(self, time: float, step: int, text: str) -> Event:
        return journal.Action(time=time, step=step, text=text)

    def _log(self, time: float, level: str, message: str) -> Event:
        line = f'time="2023-11-14T22:13:20Z" level={level} msg="{message}"'
        return journal.Log(time=time, component="external-dns", level=level, message=message, line=line)

    def _balancer(self, time: float, kind: str, state: str) -> Event:
        return replace(self.balancers[kind], time=time, state=state)

    def _dns(self, time: float, action: str, to: str) -> Event:
        return dns_change(time, action, self.balancers[to].dns_name)


def dns_change(time: float, action: str, to: str, host: str = HOST) -> journal.DnsChange:
    """One batch of ExternalDNS: the alias and its TXT. `to` is a DNS name, or a key of `NAMES`."""
    alias = {
        "DNSName": NAMES.get(to, to) + ".",
        "HostedZoneId": "Z31USIVHYNEOWT",
        "EvaluateTargetHealth": True,
    }
    text = [{"Value": '"heritage=external-dns,external-dns/owner=testbed"'}]
    records = (
        {"Name": f"{host}.", "Type": "A", "AliasTarget": alias},
        {"Name": f"{host}.", "Type": "TXT", "TTL": 300, "ResourceRecords": text},
    )
    changes = tuple({"Action": action, "ResourceRecordSet": record} for record in records)
    return journal.DnsChange(time=time, zone="/hostedzone/Z1", changes=changes)


@dataclass
class _Client:
    name: str
    protocol: str
    via: str = ""
    zone: int = 0
    connection: str = ""
    opened: float = 0.0
    age: float = 0.0


@dataclass
class _Traffic:
    """Clients that keep their connection until it is old, and ask DNS (cached for a second) for the next."""

    story: Story
    counter: int = 0
    clients: list[_Client] = field(default_factory=list)

    def events(self) -> Iterator[Event]:
        story, dice = self.story, random.Random(self.story.seed)
        self.clients = [_Client(f"app-{number}", "grpc") for number in range(story.apps)]
        self.clients += [_Client(f"server-{number}", "rest") for number in range(story.servers)]
        start, end = story.start(1) + 0.05, story.end - 0.2
        for number in range(int((end - start) * story.rate)):
            intended = start + number / story.rate
            client = dice.choice(self.clients)
            yield from self._connect(client, intended, dice)
            yield from self._request(number, client, intended, dice)

    def _connect(self, client: _Client, now: float, dice: random.Random) -> Iterator[Event]:
        if client.via and now < client.opened + client.age:
            return
        if client.via and self.story.tells_connections:
            yield self._connection(client, now, "closed", "GOAWAY: maximum connection age")
        client.via = self._resolve(now - dice.random() * CACHE)
        client.zone = dice.randrange(2)
        client.opened, client.age = now, dice.uniform(*AGES)
        self.counter += 1
        client.connection = f"{client.name}/{self.counter}"
        if self.story.tells_connections:
            yield self._connection(client, now, "open", "")

    def _connection(self, client: _Client, now: float, state: str, reason: str) -> Event:
        address = f"{self.story.balancers[client.via].addresses[client.zone]}:8443"
        return journal.Connection(
            time=now, id=client.connection, client=client.name, state=state, address=address, reason=reason
        )

    def _resolve(self, now: float) -> str:
        at = self.story.first
        for step, to in self.story.moves:
            if step <= self.story.steps and now >= self.story.moved(step):
                at = to
        return at

    def _request(self, number: int, client: _Client, intended: float, dice: random.Random) -> Iterator[Event]:
        identity = f"r{number:06d}"
        sent = intended + dice.uniform(0.0001, 0.002)
        balancer = self.story.balancers[client.via]
        took = dice.lognormvariate(-5.6, 0.4) * (1.25 if balancer.type == "alb" else 1.0)
        peer = balancer.addresses[client.zone]
        pod = f"envoy-{dice.randrange(2)}"
        listener = "tls" if balancer.type == "nlb" else "plain"
        grpc = client.protocol == "grpc"
        method = (
            "/measurement.v1.MeasurementService/GetMeasurement" if grpc else f"GET /measurements/{number}"
        )
        yield journal.Access(
            time=sent + 0.0002, id=identity, pod=pod, listener=listener, peer=peer,
            connection=client.connection, protocol="HTTP/2" if grpc else "HTTP/1.1",
            method="POST" if grpc else "GET",
            path=method.split(" ")[-1], status=200, grpc_status="OK" if grpc else "", flags="",
            duration=took * 1e3,
        )  # fmt: skip
        yield journal.Request(
            time=sent + took, id=identity, client=client.name, protocol=client.protocol, method=method,
            shape="unary", intended=intended, sent=sent, address=f"{HOST}:8443", peer=peer, pod=pod,
            listener=listener, status="OK" if grpc else "200", outcome="ok",
        )  # fmt: skip


def write(path: Path, events: list[Event]) -> Path:
    """Write events as a journal file."""
    path.write_bytes(b"".join(map(journal.encode, events)))
    return path
