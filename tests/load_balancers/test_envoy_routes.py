"""Envoy must choose as the plain reading of the rules does: for every rule set and request."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testbed.clock import Clock
from testbed.load_balancers.elbv2_state import Elbv2State, Listener, LoadBalancer, TargetGroup
from testbed.load_balancers.elbv2_state import HealthCheck as Check
from testbed.load_balancers.envoy_listeners import ListenerInputs
from testbed.load_balancers.envoy_resources import Sources, resources
from testbed.load_balancers.envoy_routes import table
from testbed.load_balancers.rule_matching import (
    Condition,
    FixedResponse,
    Forward,
    HostHeader,
    HttpHeader,
    Method,
    PathPattern,
    QueryString,
    Request,
    Rule,
    SourceIp,
    choose,
)
from testbed.load_balancers.xds_server import AdsServer
from testbed.network import XDS_PORT, Network, lease
from testbed.runtime.components import balancer_envoys
from testbed.runtime.loop_thread import LoopThread
from testbed.settings import PATIENCE

PORT = 80


@dataclass
class Balancer:
    """One Envoy with one listener, whose rules are exchanged by RDS."""

    network: Network
    loop: LoopThread
    server: AdsServer
    folder: Path
    version: int = 0
    shown: list[Rule] = field(default_factory=list)

    @property
    def address(self) -> str:
        return self.network.balancer(0, 0)

    def show(self, rules: list[Rule]) -> None:
        """Publish rules; each answers with the set's number and its own priority."""
        self.version += 1
        answering = tuple(
            replace(rule, action=FixedResponse(200, "text/plain", f"{self.version}:{rule.priority}"))
            for rule in rules
        )
        listener = Listener("listener", PORT, "HTTP", rules=answering)
        balancer = LoadBalancer("lb", "lb", "alb", "lb", "active", ("a",), (listener,))
        run = ListenerInputs(self.network, Clock(60), str(self.folder / "log"), {})
        sources = Sources(lambda *_: self.address, lambda *_: (), {}, run)
        wanted = resources("alb", Elbv2State((balancer,)), {}, sources)
        self.loop.run(self.server.nodes["alb"].publish(wanted))

    def chosen(self, request: Request) -> int:
        """The priority of the rule that answers."""
        port = self.network.port(PORT)
        while True:
            connection = http.client.HTTPConnection(
                self.address, port, timeout=PATIENCE.request, source_address=(request.source, 0)
            )
            with contextlib.closing(connection):
                connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
                connection.putheader("host", request.host)
                for name, value in request.headers.items():
                    connection.putheader(name, value)
                connection.endheaders()
                version, _, priority = connection.getresponse().read().decode().partition(":")
            if version == str(self.version):
                return int(priority)


@pytest.fixture(scope="module")
def balancer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Balancer]:
    folder = tmp_path_factory.mktemp("routes")
    with lease() as network, LoopThread() as loop:
        server = AdsServer(network.control, XDS_PORT, ["alb"], lambda *reason: None)
        up, done = threading.Event(), asyncio.Event()

        async def serve() -> None:
            async with server:
                up.set()
                await done.wait()

        serving = asyncio.run_coroutine_threadsafe(serve(), loop.loop)
        assert up.wait(PATIENCE.process_start)
        started = balancer_envoys.envoy("alb", network, Clock(60), folder)
        with started.start(folder) as process:
            started.wait_until_ready(process)
            yield Balancer(network, loop, server, folder)
            assert server.nodes["alb"].refusals == []
        loop.loop.call_soon_threadsafe(done.set)
        serving.result(PATIENCE.process_stop)


LETTERS = "abAB1"
WILD = st.text(st.sampled_from("abA*?"), min_size=1, max_size=5)
WORDS = st.text(st.sampled_from(LETTERS), min_size=1, max_size=4)
PATHS = st.lists(st.text(st.sampled_from("abA.-*?"), max_size=4), min_size=1, max_size=3).map(
    lambda pieces: "/" + "/".join(pieces)
)
REGEXES = st.sampled_from(
    ["^/a", "b$", "^[abA]+$", "a.+b", "[$a]{2}", r"^b.*\.com$", r"/(a|b)\b", "A|B", r"\.[ch]"]
)
NETWORKS = st.builds(
    lambda third, fourth, bits: f"127.{{second}}.{third}.{fourth}/{bits}",
    st.integers(200, 203),
    st.integers(1, 4),
    st.sampled_from([8, 20, 22, 23, 24, 30, 31, 32]),
)


def some(values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(values, min_size=1, max_size=3).map(tuple)


CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    st.builds(HostHeader, some(WILD.map(lambda text: f"{text}.com"))),
    st.builds(HostHeader, st.just(()), some(REGEXES)),
    st.builds(PathPattern, some(PATHS)),
    st.builds(PathPattern, st.just(()), some(REGEXES)),
    st.builds(HttpHeader, st.sampled_from(["X-One", "x-two"]), some(WILD)),
    st.builds(HttpHeader, st.sampled_from(["X-One", "x-two"]), st.just(()), some(REGEXES)),
    st.builds(Method, some(st.sampled_from(["GET", "POST", "PUT"]))),
    st.builds(
        QueryString,
        st.lists(st.tuples(st.none() | WILD, WILD), min_size=1, max_size=3).map(tuple),
    ),
    st.builds(SourceIp, some(NETWORKS)),
)
RULES = st.lists(
    st.lists(CONDITIONS, min_size=1, max_size=3, unique_by=type).map(tuple), min_size=1, max_size=8
)
REQUESTS = st.builds(
    Request,
    host=st.builds(lambda name, end: f"{name}.com{end}", WORDS, st.sampled_from(["", ":80"])),
    path=st.builds(
        lambda pieces, pairs: "/" + "/".join(pieces) + ("?" + "&".join(pairs) if pairs else ""),
        st.lists(st.text(st.sampled_from("abA.-"), max_size=4), max_size=3),
        st.lists(st.builds("{}={}".format, WORDS, WORDS) | WORDS, max_size=3),
    ),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    headers=st.dictionaries(st.sampled_from(["x-one", "x-two"]), WORDS),
    source=st.builds("127.{{second}}.{}.{}".format, st.integers(200, 203), st.integers(1, 4)),
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(conditions=RULES, requests=st.lists(REQUESTS, min_size=6, max_size=12))
def test_envoy_chooses_as_the_rules_read(
    balancer: Balancer, conditions: list[tuple[Condition, ...]], requests: list[Request]
) -> None:
    second = str(balancer.network.second)
    rules = [
        Rule(priority, FixedResponse(200), tuple(here(one, second) for one in several))
        for priority, several in enumerate(conditions, start=1)
    ]
    rules.append(Rule(0, FixedResponse(200)))
    balancer.show(rules)
    for request in requests:
        request = replace(request, source=request.source.replace("{second}", second))
        expected = choose(rules, request)
        assert expected is not None
        assert balancer.chosen(request) == expected.priority, (rules, request)


def here(condition: Condition, second: str) -> Condition:
    """A condition with the addresses of this run's network."""
    if isinstance(condition, SourceIp):
        return SourceIp(tuple(value.replace("{second}", second) for value in condition.values))
    return condition


def group(version: str) -> TargetGroup:
    check = Check("HTTP", "traffic-port", "/", "200", 15, 5, 2, 2)
    return TargetGroup(f"arn:targetgroup/{version}/1", "HTTP", version, "ip", check)


def test_weights_are_kept_and_a_weight_of_zero_gets_nothing() -> None:
    groups = {item.arn: item for item in (group("HTTP1"), replace(group("HTTP1"), arn="arn:targetgroup/b/2"))}
    one, two = groups
    for weights, expected in (((3, 1), {"one": 3, "two": 1}), ((0, 2), {}), ((0, 0), None)):
        rule = Rule(0, Forward(((one, weights[0]), (two, weights[1]))))
        listener = Listener("l", 443, "HTTPS", rules=(rule,))
        made = table("t", listener, "h1", Elbv2State(groups=groups), {one: "one", two: "two"}, Clock(60))
        route = made.virtual_hosts[0].routes[-1]
        if expected is None:
            assert route.direct_response.status == 503
        elif expected:
            assert {
                item.name: item.weight.value for item in route.route.weighted_clusters.clusters
            } == expected
        else:
            assert route.route.cluster == "two"


@pytest.mark.parametrize(
    ("version", "protocol", "first"),
    [("GRPC", "h1", 464), ("HTTP2", "h1", 464), ("HTTP1", "h1", 0), ("HTTP2", "h2", 0)],
)
def test_a_protocol_version_that_a_client_cannot_reach_is_464(
    version: str, protocol: str, first: int
) -> None:
    item = group(version)
    listener = Listener("l", 443, "HTTPS", rules=(Rule(0, Forward(((item.arn, 1),))),))
    made = table("t", listener, protocol, Elbv2State(groups={item.arn: item}), {item.arn: "c"}, Clock(60))  # type: ignore[arg-type]
    routes = made.virtual_hosts[0].routes
    assert routes[0].direct_response.status == first
    assert len(routes) == 1
