from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import trustme
from botocore.awsrequest import AWSResponse

from testbed.clock import Clock
from testbed.kubernetes import ObjectStore
from testbed.lb_controller.controller import (
    IngressGroupController,
    NlbServiceController,
    ServiceController,
)
from testbed.lb_controller.inputs import ControllerOptions, Version
from testbed.settings import PATIENCE

NLB = "service.beta.kubernetes.io/aws-load-balancer-type"
DNS = "external-dns.alpha.kubernetes.io/hostname"
ALB = "alb.ingress.kubernetes.io"


class Cluster:
    """A store with both controllers at work, each in its thread."""

    def __init__(self, aws: Any, version: Version = Version.NEWEST) -> None:
        clock = Clock(speed=60)
        self.aws = aws
        self.store = ObjectStore(clock)
        self.lines: list[str] = []
        options = ControllerOptions(vpc_id=aws.vpc_id, default_target_type="ip", version=version)
        common = {"options": options, "clock": clock, "log": lambda level, line: self.lines.append(line)}
        self.services = ServiceController(self.store, aws.elbv2, aws.subnets, **common)
        self.groups = IngressGroupController(self.store, aws.elbv2, aws.acm, aws.subnets, **common)
        self.owned = NlbServiceController(self.store, aws.elbv2, None, aws.subnets, **common)
        self.controllers = (self.services, self.owned, self.groups)
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=one.run, args=(self.stop,)) for one in self.controllers]
        for number in (1, 2):
            self.store.create(node(f"i-{number}"))

    def settle(self) -> None:
        for one in self.controllers:
            assert one.wait_idle(PATIENCE.condition)

    def hostname(self, kind: str, name: str) -> str | None:
        item = self.store.get(kind, "default", name)
        assert item is not None
        entries = item.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}]
        return entries[0].get("hostname")

    def events(self, name: str) -> list[tuple[str, str]]:
        found = [one for one in self.store.list("Event") if one["involvedObject"]["name"] == name]
        ordered = sorted(found, key=lambda one: int(one["metadata"]["resourceVersion"]))
        return [(one["reason"], one["message"]) for one in ordered]

    def balancers(self) -> list[Any]:
        return list(self.aws.elbv2.describe_load_balancers()["LoadBalancers"])

    def targets(self) -> dict[str, set[tuple[str, int]]]:
        found = {}
        for group in self.aws.elbv2.describe_target_groups()["TargetGroups"]:
            health = self.aws.elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
            found[group["TargetGroupName"]] = {
                (one["Target"]["Id"], one["Target"]["Port"]) for one in health["TargetHealthDescriptions"]
            }
        return found


@pytest.fixture
def cluster(aws: Any) -> Iterator[Cluster]:
    with at_work(Cluster(aws)) as running:
        yield running


@contextmanager
def at_work(running: Cluster) -> Iterator[Cluster]:
    for thread in running.threads:
        thread.start()
    yield running
    running.stop.set()
    for thread in running.threads:
        thread.join(PATIENCE.process_stop)
        assert not thread.is_alive()


def node(identity: str) -> dict[str, Any]:
    return {
        "kind": "Node",
        "metadata": {"name": f"node-{identity}"},
        "spec": {"providerID": f"aws:///ap-northeast-1a/{identity}"},
    }


def nlb_service(**annotations: str) -> dict[str, Any]:
    return {
        "kind": "Service",
        "metadata": {"name": "envoy", "namespace": "default", "annotations": {NLB: "nlb", **annotations}},
        "spec": {
            "type": "LoadBalancer",
            "selector": {"app": "envoy"},
            "ports": [
                {"name": "https", "port": 443, "nodePort": 30443},
                {"name": "http", "port": 80, "nodePort": 30080},
            ],
        },
    }


def backend_service(name: str = "plain") -> dict[str, Any]:
    return {
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"ports": [{"name": "http", "port": 8080, "targetPort": 10000}]},
    }


def endpoints(*addresses: str) -> dict[str, Any]:
    subset = {"addresses": [{"ip": one} for one in addresses], "ports": [{"name": "http", "port": 10000}]}
    return {
        "kind": "Endpoints",
        "metadata": {"name": "plain", "namespace": "default"},
        "subsets": [subset],
    }


def ingress(name: str, path: str, service: str = "plain", **annotations: str) -> dict[str, Any]:
    backend = {"service": {"name": service, "port": {"number": 8080}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": name,
            "namespace": "default",
            "annotations": {
                "kubernetes.io/ingress.class": "alb",
                f"{ALB}/group.name": "app",
                **{
                    f"{ALB}/{key.replace('_', '-').replace('group-', 'group.')}": text
                    for key, text in annotations.items()
                },
            },
        },
        "spec": {
            "rules": [
                {
                    "http": {
                        "paths": [{"path": path, "pathType": "ImplementationSpecific", "backend": backend}]
                    }
                }
            ]
        },
    }


def test_a_service_gets_its_nlb_with_the_nodes_as_targets(cluster: Cluster) -> None:
    cluster.store.apply(nlb_service())
    cluster.settle()
    [balancer] = cluster.balancers()
    assert balancer["Type"] == "network"
    assert cluster.hostname("Service", "envoy") == balancer["DNSName"].lower()
    assert sorted(cluster.targets().values(), key=sorted) == [
        {("i-1", 30080), ("i-2", 30080)},
        {("i-1", 30443), ("i-2", 30443)},
    ]
    assert cluster.events("envoy") == [
        ("EnsuringLoadBalancer", "Ensuring load balancer"),
        ("EnsuredLoadBalancer", "Ensured load balancer"),
    ]


def test_one_nlb_takes_few_calls(cluster: Cluster, aws: Any) -> None:
    aws.calls.clear()
    cluster.store.apply(nlb_service())
    cluster.settle()
    assert len(aws.calls) <= 11, aws.calls


def test_taking_the_dns_annotation_away_does_not_touch_the_nlb(cluster: Cluster, aws: Any) -> None:
    cluster.store.apply(nlb_service(**{DNS: "api.example.com"}))
    cluster.settle()
    hostname = cluster.hostname("Service", "envoy")
    aws.calls.clear()
    cluster.store.annotate("Service", "default", "envoy", {DNS: None})
    cluster.settle()
    assert aws.mutating() == []
    assert cluster.hostname("Service", "envoy") == hostname


@pytest.mark.parametrize("way", ["deleted", "ClusterIP"])
def test_the_nlb_goes_with_the_service_or_its_type(cluster: Cluster, way: str) -> None:
    cluster.store.apply(nlb_service())
    cluster.settle()
    if way == "deleted":
        cluster.store.delete("Service", "default", "envoy")
    else:
        service = nlb_service()
        cluster.store.apply({**service, "spec": {**service["spec"], "type": "ClusterIP"}})
    cluster.settle()
    assert cluster.balancers() == []
    assert cluster.targets() == {}
    left = cluster.store.get("Service", "default", "envoy")
    if way == "deleted":
        assert left is None
    else:
        assert left is not None
        assert left["status"] == {"loadBalancer": {}}
        assert not left["metadata"].get("finalizers")
    assert ("DeletedLoadBalancer", "Deleted load balancer") in cluster.events("envoy")


def test_another_type_annotation_leaves_the_nlb_standing(cluster: Cluster) -> None:
    cluster.store.apply(nlb_service())
    cluster.settle()
    cluster.store.annotate("Service", "default", "envoy", {NLB: None})
    cluster.settle()
    assert len(cluster.balancers()) == 1


def test_a_service_of_the_load_balancer_controller_gets_its_nlb_until_it_is_no_longer_its_own(
    cluster: Cluster,
) -> None:
    service = nlb_service(**{NLB: "external", f"{NLB.removesuffix('type')}nlb-target-type": "instance"})
    cluster.store.apply(service)
    cluster.settle()
    [balancer] = cluster.balancers()
    assert balancer["Scheme"] == "internal"
    assert balancer["LoadBalancerName"].startswith("k8s-default-envoy-")
    assert cluster.hostname("Service", "envoy") == balancer["DNSName"].lower()
    assert {identity for targets in cluster.targets().values() for identity, _ in targets} == {"i-1", "i-2"}
    assert cluster.events("envoy") == [("SuccessfullyReconciled", "Successfully reconciled")]
    cluster.store.delete("Service", "default", "envoy")
    cluster.settle()
    assert cluster.store.get("Service", "default", "envoy") is None
    assert cluster.balancers() == []
    assert cluster.targets() == {}


def test_a_node_that_comes_or_goes_is_registered_or_deregistered(cluster: Cluster) -> None:
    cluster.store.apply(nlb_service())
    cluster.settle()
    cluster.store.create(node("i-3"))
    cluster.store.delete("Node", None, "node-i-1")
    cluster.settle()
    assert {identity for targets in cluster.targets().values() for identity, _ in targets} == {"i-2", "i-3"}


def test_two_ingresses_of_a_group_share_one_alb_and_both_get_its_name(cluster: Cluster) -> None:
    cluster.store.apply(backend_service())
    cluster.store.apply(endpoints("127.1.1.1", "127.1.1.2"))
    cluster.store.apply(ingress("grpc", "/pkg.Service/*"))
    cluster.store.apply(ingress("rest", "/*", group_order="10"))
    cluster.settle()
    [balancer] = cluster.balancers()
    assert balancer["Type"] == "application"
    for name in ("grpc", "rest"):
        assert cluster.hostname("Ingress", name) == balancer["DNSName"].lower()
        stored = cluster.store.get("Ingress", "default", name)
        assert stored is not None
        assert stored["metadata"]["finalizers"] == ["group.ingress.k8s.aws/app"]
        assert stored["status"]["loadBalancer"]["ingress"][0]["ports"] == [{"port": 80, "protocol": "TCP"}]
        assert cluster.events(name)[-1] == ("SuccessfullyReconciled", "Successfully reconciled")
    assert list(cluster.targets().values()) == [{("127.1.1.1", 10000), ("127.1.1.2", 10000)}] * 2
    bound = cluster.store.list("TargetGroupBinding", "default")
    assert {one["metadata"]["name"] for one in bound} == cluster.targets().keys()
    assert {one["spec"]["targetGroupARN"].split("/")[1] for one in bound} == cluster.targets().keys()


def test_an_error_in_one_member_leaves_what_serves_and_is_told_on_all(cluster: Cluster, aws: Any) -> None:
    cluster.store.apply(backend_service())
    cluster.store.apply(ingress("rest", "/*"))
    cluster.settle()
    aws.calls.clear()
    cluster.store.apply(ingress("wrong", "/x", scheme="internet-facing"))
    cluster.store.apply(ingress("rest", "/*", scheme="internal"))
    cluster.settle()
    assert len(cluster.balancers()) == 1
    for name in ("rest", "wrong"):
        message = dict(cluster.events(name))["FailedBuildModel"]
        assert message.startswith("Failed build model due to conflicting scheme: ")
    assert cluster.groups.queue.failing
    cluster.store.delete("Ingress", "default", "wrong")
    cluster.settle()
    assert cluster.store.get("Ingress", "default", "wrong") is None


def test_a_failed_deploy_is_retried_until_it_succeeds(cluster: Cluster, aws: Any) -> None:
    refused = []

    def refuse_thrice(operation: str, params: Any) -> Any:
        if operation == "CreateLoadBalancer" and len(refused) < 3:
            refused.append(operation)
            meta = {"HTTPStatusCode": 400, "RequestId": "r-1"}
            error = {"Error": {"Code": "TooManyLoadBalancers", "Message": "x"}, "ResponseMetadata": meta}
            return AWSResponse("http://refused", 400, {}, None), error
        return None

    aws.refuse = refuse_thrice
    cluster.store.apply(backend_service())
    cluster.store.apply(ingress("rest", "/*"))
    wait(lambda: cluster.hostname("Ingress", "rest") is not None)
    [event] = [text for reason, text in cluster.events("rest") if reason == "FailedDeployModel"]
    assert event == (
        "Failed deploy model due to operation error Elastic Load Balancing v2: CreateLoadBalancer, "
        "https response error StatusCode: 400, RequestID: r-1, TooManyLoadBalancers: x"
    )


def story_ingress(
    name: str, version: str, paths: list[str], certificate: str, host: str = ""
) -> dict[str, Any]:
    """As the story's operator wrote it, in the API version of its day."""
    backend = {"serviceName": "plain", "servicePort": 8080}
    return {
        "apiVersion": "networking.k8s.io/v1beta1",
        "kind": "Ingress",
        "metadata": {
            "name": name,
            "namespace": "default",
            "annotations": {
                "kubernetes.io/ingress.class": "alb",
                f"{ALB}/group.name": "zozomat-ingress",
                f"{ALB}/scheme": "internet-facing",
                f"{ALB}/target-type": "ip",
                f"{ALB}/certificate-arn": certificate,
                f"{ALB}/backend-protocol-version": version,
            },
        },
        "spec": {
            "rules": [
                {
                    **({"host": host} if host else {}),
                    "http": {"paths": [{"path": path, "backend": backend} for path in paths]},
                }
            ]
        },
    }


@pytest.mark.parametrize("version", list(Version))
def test_the_storys_group_becomes_one_https_listener_and_takes_its_host_in_place(
    aws: Any, version: Version
) -> None:
    certificate = aws.certificate("api.example.com")

    def apply(host: str = "") -> None:
        grpc = ["/measurement.v1.MeasurementService/*", "/grpc.health.v1.Health/*"]
        rest = ["/measurements", "/measurements/*"]
        cluster.store.apply(story_ingress("grpc", "GRPC", grpc, certificate, host))
        cluster.store.apply(story_ingress("http1", "HTTP1", rest, certificate, host))
        cluster.settle()

    with at_work(Cluster(aws, version)) as cluster:
        cluster.store.apply(backend_service())
        cluster.store.apply(endpoints("127.1.1.1"))
        apply()
        [balancer] = cluster.balancers()
        arn = balancer["LoadBalancerArn"]
        [listener] = aws.elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]
        assert (listener["Port"], listener["Protocol"]) == (443, "HTTPS")
        versions = {
            one["TargetGroupArn"]: one["ProtocolVersion"]
            for one in aws.elbv2.describe_target_groups()["TargetGroups"]
        }
        rules = aws.elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"][:-1]
        forwards = [rule["Actions"][0]["ForwardConfig"]["TargetGroups"] for rule in rules]
        assert [versions[groups[0]["TargetGroupArn"]] for groups in forwards] == [
            "GRPC",
            "GRPC",
            "HTTP1",
            "HTTP1",
        ]
        assert cluster.hostname("Ingress", "grpc") == balancer["DNSName"].lower()
        aws.calls.clear()
        apply("api.example.com")
        assert set(aws.mutating()) == {"ModifyRule"}
        assert cluster.hostname("Ingress", "http1") == balancer["DNSName"].lower()


def test_a_certificate_of_acm_is_found_by_the_ingresss_host(cluster: Cluster, aws: Any) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("api.example.com")
    arn = aws.acm.import_certificate(
        Certificate=issued.cert_chain_pems[0].bytes(), PrivateKey=issued.private_key_pem.bytes()
    )["CertificateArn"]
    cluster.store.apply(backend_service())
    wanted = ingress("rest", "/*", listen_ports='[{"HTTPS": 443}]')
    wanted["spec"]["rules"][0]["host"] = "api.example.com"
    cluster.store.apply(wanted)
    cluster.settle()
    [balancer] = cluster.balancers()
    [listener] = aws.elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    assert [one["CertificateArn"] for one in listener["Certificates"]] == [arn]


def test_a_missing_service_is_looked_at_again_when_it_comes(cluster: Cluster) -> None:
    cluster.store.apply(ingress("rest", "/*"))
    cluster.settle()
    assert cluster.targets() == {}
    cluster.store.apply(backend_service())
    cluster.store.apply(endpoints("127.1.1.1"))
    cluster.settle()
    assert list(cluster.targets().values()) == [{("127.1.1.1", 10000)}]


def test_the_last_member_takes_the_alb_with_it(cluster: Cluster) -> None:
    cluster.store.apply(backend_service())
    cluster.store.apply(ingress("rest", "/*"))
    cluster.settle()
    cluster.store.delete("Ingress", "default", "rest")
    cluster.settle()
    assert cluster.store.get("Ingress", "default", "rest") is None
    assert cluster.store.list("TargetGroupBinding") == []
    assert cluster.balancers() == []
    assert cluster.targets() == {}


def test_a_member_that_moves_leaves_one_group_and_joins_the_other(cluster: Cluster) -> None:
    cluster.store.apply(backend_service())
    cluster.store.apply(ingress("grpc", "/a"))
    cluster.store.apply(ingress("rest", "/b"))
    cluster.settle()
    cluster.store.annotate("Ingress", "default", "rest", {f"{ALB}/group.name": "other"})
    cluster.settle()
    assert len(cluster.balancers()) == 2
    assert cluster.hostname("Ingress", "rest") != cluster.hostname("Ingress", "grpc")
    moved = cluster.store.get("Ingress", "default", "rest")
    assert moved is not None
    assert moved["metadata"]["finalizers"] == ["group.ingress.k8s.aws/other"]


def test_a_pod_that_leaves_the_endpoints_is_deregistered(cluster: Cluster) -> None:
    cluster.store.apply(backend_service())
    cluster.store.apply(endpoints("127.1.1.1", "127.1.1.2"))
    cluster.store.apply(ingress("rest", "/*"))
    cluster.settle()
    cluster.store.apply(endpoints("127.1.1.2"))
    cluster.settle()
    assert list(cluster.targets().values()) == [{("127.1.1.2", 10000)}]


def test_without_endpoints_object_the_pods_of_the_selector_are_the_targets(cluster: Cluster) -> None:
    service = backend_service()
    service["spec"]["selector"] = {"app": "envoy"}
    cluster.store.apply(service)
    cluster.store.apply(ingress("rest", "/*"))
    cluster.settle()
    assert list(cluster.targets().values()) == [set()]
    pod = {
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "default", "labels": {"app": "envoy"}},
        "status": {"podIP": "127.1.1.9", "conditions": [{"type": "Ready", "status": "True"}]},
    }
    cluster.store.restore(pod)
    cluster.settle()
    assert list(cluster.targets().values()) == [{("127.1.1.9", 10000)}]
    cluster.store.delete("Pod", "default", "p")
    cluster.settle()
    assert list(cluster.targets().values()) == [set()]


def test_a_gated_pod_hears_of_its_target(cluster: Cluster) -> None:
    cluster.store.apply(backend_service())
    cluster.store.apply(endpoints("127.1.1.1"))
    cluster.store.apply(ingress("rest", "/*"))
    cluster.settle()
    [name] = cluster.targets()
    gate = f"target-health.elbv2.k8s.aws/{name}"
    pod = {
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"readinessGates": [{"conditionType": gate}]},
        "status": {"podIP": "127.1.1.1"},
    }
    cluster.store.restore(pod)
    cluster.settle()
    told = cluster.store.get("Pod", "default", "p")
    assert told is not None
    assert [(one["type"], one["status"]) for one in told["status"]["conditions"]] == [(gate, "True")]


def wait(holds: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(int(PATIENCE.condition / PATIENCE.poll)):
        if holds():
            return
        pause.wait(PATIENCE.poll)
    raise AssertionError("it did not come")
