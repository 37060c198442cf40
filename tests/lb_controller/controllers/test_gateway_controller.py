from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from testbed.balancer_identity import owner_of
from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.kubernetes import Change, WatchEvent
from testbed.kubernetes.client import KubernetesClient
from testbed.kubernetes.client_transports import InProcess
from testbed.lb_controller.controllers.balancer_controller import Part, Task
from testbed.lb_controller.controllers.gateway_controller import GatewayKey
from testbed.settings import PATIENCE
from tests.lb_controller.controllers.cluster_at_work import Cluster, at_work
from tests.lb_controller.gateway.examples import (
    Json,
    configuration,
    gateway,
    gateway_class,
    listener,
    path,
    route,
    service,
    to,
)

HTTP = listener("http", 80, "HTTP")
TCP = listener("tcp", 443, "TCP")


class Edge:
    """A cluster at work whose objects come through the Kubernetes API, which fills in defaults."""

    def __init__(self, running: Cluster) -> None:
        self.running, self.store = running, running.store
        self._clock = running.gateways.clock
        self._client = KubernetesClient(InProcess(self.store, self._clock, seed=0))
        self._client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})

    def apply(self, *objects: Json) -> None:
        for item in objects:
            self._client.apply(item)
        self.settle()

    def delete(self, kind: str, name: str) -> None:
        self._client.delete(kind, "shop", name)
        self.settle()

    def settle(self) -> None:
        """Wait for the class first: what it writes wakes the Gateways."""
        for _ in range(2):
            assert self.running.classes.wait_idle(PATIENCE.condition)
            assert self.running.gateways.wait_idle(PATIENCE.condition)

    def status(self, kind: str = "Gateway", name: str = "edge") -> Any:
        item = self.store.get(kind, "shop", name)
        assert item is not None
        return item.get("status") or {}

    def condition(self, kind: str) -> tuple[str, str]:
        (found,) = (one for one in self.status()["conditions"] if one["type"] == kind)
        return found["status"], found["reason"]


@pytest.fixture
def edge(cluster: Cluster) -> Edge:
    return Edge(cluster)


@contextmanager
def with_release(aws: Any, release: Release) -> Iterator[Edge]:
    with at_work(Cluster(aws, release)) as running:
        yield Edge(running)


def web(*addresses: str) -> tuple[Json, Json]:
    subset = {"addresses": [{"ip": one} for one in addresses], "ports": [{"port": 8080}]}
    endpoints = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"namespace": "shop", "name": "web"},
        "subsets": [subset],
    }
    return service(), endpoints


def test_a_gateway_becomes_an_alb_with_its_routes_targets_address_and_conditions(edge: Edge) -> None:
    edge.apply(gateway_class(), *web("127.1.1.1", "127.1.1.2"), gateway(HTTP, configured=False), route())
    [balancer] = edge.running.balancers()
    assert (balancer["Type"], balancer["Scheme"]) == ("application", "internal")
    tags = edge.running.aws.elbv2.describe_tags(ResourceArns=[balancer["LoadBalancerArn"]])
    assert owner_of({one["Key"]: one["Value"] for one in tags["TagDescriptions"][0]["Tags"]}) == (
        "gateway/shop/edge"
    )
    assert list(edge.running.targets().values()) == [{("127.1.1.1", 8080), ("127.1.1.2", 8080)}]
    status = edge.status()
    assert status["addresses"] == [{"type": "Hostname", "value": balancer["DNSName"].lower()}]
    assert edge.condition("Accepted") == ("True", "Accepted")
    assert edge.condition("Programmed") == ("True", "Programmed")
    assert [one["attachedRoutes"] for one in status["listeners"]] == [1]
    (parent,) = edge.status("HTTPRoute", "web")["parents"]
    assert (parent["controllerName"], parent["parentRef"]["name"]) == ("gateway.k8s.aws/alb", "edge")
    assert {one["type"]: one["status"] for one in parent["conditions"]} == {
        "Accepted": "True",
        "ResolvedRefs": "True",
    }
    stored = edge.store.get("Gateway", "shop", "edge")
    assert stored is not None
    assert stored["metadata"]["finalizers"] == ["gateway.k8s.aws/alb"]
    assert edge.running.events("edge")[-1] == ("SuccessfullyReconciled", "Successfully reconciled")


def test_a_route_that_comes_later_gets_its_rule_and_one_that_goes_loses_it(edge: Edge) -> None:
    edge.apply(gateway_class(), *web("127.1.1.1"), gateway(HTTP, configured=False), route())
    [listener_arn] = [
        one["ListenerArn"]
        for one in edge.running.aws.elbv2.describe_listeners(
            LoadBalancerArn=edge.running.balancers()[0]["LoadBalancerArn"]
        )["Listeners"]
    ]

    def rules() -> int:
        return len(edge.running.aws.elbv2.describe_rules(ListenerArn=listener_arn)["Rules"])

    before = rules()
    edge.apply(route("HTTPRoute", to("web", matches=[path("/shop")]), name="later"))
    assert rules() == before + 1
    edge.delete("HTTPRoute", "later")
    assert rules() == before


def test_a_deleted_gateway_takes_its_balancer_with_it(edge: Edge) -> None:
    edge.apply(gateway_class(), *web("127.1.1.1"), gateway(HTTP, configured=False), route())
    edge.delete("Gateway", "edge")
    assert edge.store.get("Gateway", "shop", "edge") is None
    assert (edge.running.balancers(), edge.running.targets()) == ([], {})


def test_a_gateway_of_the_nlb_class_passes_tcp(edge: Edge) -> None:
    tcp = route("TCPRoute", to("web"), name="tcp")
    edge.apply(gateway_class("nlb"), *web("127.1.1.1"), gateway(TCP, configured=False), tcp)
    [balancer] = edge.running.balancers()
    assert balancer["Type"] == "network"
    assert list(edge.running.targets().values()) == [{("127.1.1.1", 8080)}]
    (parent,) = edge.status("TCPRoute", "tcp")["parents"]
    assert parent["controllerName"] == "gateway.k8s.aws/nlb"


def test_a_filter_that_is_not_supported_refuses_the_whole_gateway_and_the_old_balancer_serves_on(
    edge: Edge,
) -> None:
    edge.apply(gateway_class(), *web("127.1.1.1"), gateway(HTTP, configured=False), route())
    headers = [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": []}}]
    edge.apply(route("HTTPRoute", to("web", filters=headers), name="other"))
    assert edge.condition("Accepted") == ("False", "Invalid")
    assert edge.condition("Programmed") == ("True", "Programmed")
    assert len(edge.running.balancers()) == 1
    reason, text = edge.running.events("edge")[-1]
    assert reason == "FailedBuildModel"
    assert "Unsupported filter type: RequestHeaderModifier" in text


def test_a_class_whose_configuration_is_missing_is_not_accepted_and_its_gateways_wait(edge: Edge) -> None:
    reference = {"group": "gateway.k8s.aws", "kind": "LoadBalancerConfiguration", "name": "edge"}
    named = gateway_class(parametersRef={**reference, "namespace": "shop"})
    edge.apply(named, *web("127.1.1.1"), gateway(HTTP, configured=False), route())
    assert edge.running.balancers() == []
    assert edge.condition("Accepted") == ("False", "Invalid")
    edge.apply({**configuration(), "spec": {"scheme": "internet-facing"}})
    [balancer] = edge.running.balancers()
    assert balancer["Scheme"] == "internet-facing"
    assert edge.condition("Accepted") == ("True", "Accepted")


def test_a_grpc_route_on_an_http_listener_never_attaches(edge: Edge) -> None:
    edge.apply(gateway_class(), *web("127.1.1.1"), gateway(HTTP, configured=False), route("GRPCRoute"))
    (parent,) = edge.status("GRPCRoute", "web")["parents"]
    accepted = {one["type"]: (one["status"], one["reason"]) for one in parent["conditions"]}["Accepted"]
    assert accepted == ("False", "NotAllowedByListeners")
    assert edge.running.targets() == {}


@pytest.mark.parametrize(
    ("release", "why"),
    [
        ("v2.13", "v2.13.4 does not serve it: v2.14.0 is the first that does"),
        ("v3.1", "the feature gate ALBGatewayAPI is off; it is on by default from v3.2.0 on"),
    ],
)
def test_a_release_that_does_not_serve_gateways_makes_nothing_and_says_why(
    aws: Any, release: str, why: str
) -> None:
    with with_release(aws, LB_CONTROLLER_RELEASES.line(release)) as edge:
        edge.apply(gateway_class(), *web("127.1.1.1"), gateway(HTTP, configured=False), route())
        assert edge.running.balancers() == []
        assert edge.condition("Accepted") == ("Unknown", "Pending")
        assert "parents" not in edge.status("HTTPRoute", "web")
        assert edge.running.left_out == [
            ("Gateway shop/edge", f"no load balancer is made of it: {why}"),
        ]


def test_a_gateway_of_another_controller_is_left_alone(edge: Edge) -> None:
    mesh = gateway_class()
    mesh["spec"]["controllerName"] = "istio.io/gateway-controller"
    edge.apply(mesh, *web("127.1.1.1"), gateway(HTTP, configured=False), route())
    assert edge.running.balancers() == []
    assert edge.condition("Accepted") == ("Unknown", "Pending")


def test_a_gateway_is_looked_at_for_its_spec_and_not_for_its_status(edge: Edge) -> None:
    edge.apply(gateway_class(), gateway(HTTP, configured=False))
    before = edge.store.get("Gateway", "shop", "edge")
    assert before is not None

    def tasks(**change: Any) -> list[Task[GatewayKey]]:
        event = WatchEvent(Change.MODIFIED, {**before, **change}, 1, before)
        return list(edge.running.gateways.tasks_of(event))

    assert tasks(status={}) == []
    assert tasks(spec={}) == [Task(Part.BALANCER, GatewayKey("shop", "edge"))]
