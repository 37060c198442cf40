from __future__ import annotations

from typing import Any

import pytest
import trustme

from testbed.clock import Clock
from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.kubernetes import Change, ObjectStore, WatchEvent
from testbed.lb_controller.controllers.ingress_group_controller import IngressGroupController
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.deploy.account_state import Account
from tests.lb_controller.controllers.cluster_at_work import (
    ALB,
    Cluster,
    at_work,
    backend_service,
    endpoints,
    ingress,
    story_ingress,
)


def test_two_ingresses_of_a_group_share_one_alb_and_both_get_its_name(cluster: Cluster) -> None:
    cluster.store.put(backend_service())
    cluster.store.put(endpoints("127.1.1.1", "127.1.1.2"))
    cluster.store.put(ingress("grpc", "/pkg.Service/*"))
    cluster.store.put(ingress("rest", "/*", group_order="10"))
    cluster.settle()
    [balancer] = cluster.balancers()
    assert balancer["Type"] == "application"
    for name in ("grpc", "rest"):
        assert cluster.hostname("Ingress", name) == balancer["DNSName"].lower()
        stored = cluster.store.get("Ingress", "default", name)
        assert stored is not None
        assert stored["metadata"]["finalizers"] == ["group.ingress.k8s.aws/app"]
        assert stored["status"]["loadBalancer"]["ingress"][0]["ports"] == [{"port": 80, "protocol": ""}]
        assert cluster.events(name)[-1] == ("SuccessfullyReconciled", "Successfully reconciled")
    assert list(cluster.targets().values()) == [{("127.1.1.1", 10000), ("127.1.1.2", 10000)}] * 2
    bound = cluster.store.list("TargetGroupBinding", "default")
    assert {one["metadata"]["name"] for one in bound} == cluster.targets().keys()
    assert {one["spec"]["targetGroupARN"].split("/")[1] for one in bound} == cluster.targets().keys()


@pytest.mark.parametrize("release", [LB_CONTROLLER_RELEASES.oldest, LB_CONTROLLER_RELEASES.newest])
def test_the_storys_group_becomes_one_https_listener_and_takes_its_host_in_place(
    aws: Any, release: Release
) -> None:
    certificate = aws.certificate("api.example.com")

    def apply(host: str = "") -> None:
        grpc = ["/measurement.v1.MeasurementService/*", "/grpc.health.v1.Health/*"]
        rest = ["/measurements", "/measurements/*"]
        cluster.store.put(story_ingress("grpc", "GRPC", grpc, certificate, host))
        cluster.store.put(story_ingress("http1", "HTTP1", rest, certificate, host))
        cluster.settle()

    with at_work(Cluster(aws, release)) as cluster:
        cluster.store.put(backend_service())
        cluster.store.put(endpoints("127.1.1.1"))
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
    cluster.store.put(backend_service())
    wanted = ingress("rest", "/*", listen_ports='[{"HTTPS": 443}]')
    wanted["spec"]["rules"][0]["host"] = "api.example.com"
    cluster.store.put(wanted)
    cluster.settle()
    [balancer] = cluster.balancers()
    [listener] = aws.elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    assert {one["CertificateArn"] for one in listener["Certificates"]} == {arn}


def test_a_missing_service_is_looked_at_again_when_it_comes(cluster: Cluster) -> None:
    cluster.store.put(ingress("rest", "/*"))
    cluster.settle()
    assert cluster.targets() == {}
    cluster.store.put(backend_service())
    cluster.store.put(endpoints("127.1.1.1"))
    cluster.settle()
    assert list(cluster.targets().values()) == [{("127.1.1.1", 10000)}]


def test_the_last_member_takes_the_alb_with_it(cluster: Cluster) -> None:
    cluster.store.put(backend_service())
    cluster.store.put(ingress("rest", "/*"))
    cluster.settle()
    cluster.store.delete("Ingress", "default", "rest")
    cluster.settle()
    assert cluster.store.get("Ingress", "default", "rest") is None
    assert cluster.store.list("TargetGroupBinding") == []
    assert cluster.balancers() == []
    assert cluster.targets() == {}


def test_a_member_that_moves_leaves_one_group_and_joins_the_other(cluster: Cluster) -> None:
    cluster.store.put(backend_service())
    cluster.store.put(ingress("grpc", "/a"))
    cluster.store.put(ingress("rest", "/b"))
    cluster.settle()
    cluster.store.patch(
        "Ingress", "default", "rest", {"metadata": {"annotations": {f"{ALB}/group.name": "other"}}}
    )
    cluster.settle()
    assert len(cluster.balancers()) == 2
    assert cluster.hostname("Ingress", "rest") != cluster.hostname("Ingress", "grpc")
    moved = cluster.store.get("Ingress", "default", "rest")
    assert moved is not None
    assert moved["metadata"]["finalizers"] == ["group.ingress.k8s.aws/other"]


def test_only_a_service_that_an_ingress_names_reconciles_a_group(aws: Any) -> None:
    store = ObjectStore()
    store.put(ingress("rest", "/*", service="plain"))
    options = ControllerOptions()
    account = Account(aws.elbv2, aws.acm, options.cluster_name, aws.subnets)
    controller = IngressGroupController(store, account, options, Clock(), lambda level, line: None)

    named, other = (
        [str(task) for task in controller.tasks_of(WatchEvent(Change.ADDED, backend_service(name), 1))]
        for name in ("plain", "other")
    )

    assert named == ["balancer of app"]
    assert other == []


def test_an_annotation_that_the_release_does_not_read_is_named(aws: Any) -> None:
    with at_work(Cluster(aws, LB_CONTROLLER_RELEASES["v2.13.4"])) as cluster:
        item = ingress("rest", "/*")
        item["metadata"]["annotations"][f"{ALB}/use-regex-path-match"] = "true"
        cluster.store.put(backend_service())
        cluster.store.put(item)
        cluster.settle()
        text = (
            f"not read by v2.13.4: {ALB}/use-regex-path-match of Ingress default/rest, which v2.14.1 is the"
        )
        assert cluster.left_out == [("Ingress group app", f"{text} first to read")]


def test_what_packets_do_not_obey_is_said_once_and_the_group_is_deployed_all_the_same(
    cluster: Cluster,
) -> None:
    rewrite = (
        '[{"type": "url-rewrite", "urlRewriteConfig": {"rewrites": [{"regex": "^/a", "replace": "/"}]}}]'
    )
    item = ingress("rest", "/*", enable_frontend_nlb="true", load_balancer_name="shop")
    item["metadata"]["annotations"][f"{ALB}/create-acm-cert"] = "true"
    item["metadata"]["annotations"][f"{ALB}/transforms.plain"] = rewrite
    cluster.store.put(backend_service())
    cluster.store.put(item)
    cluster.settle()
    cluster.store.put(ingress("more", "/more"))
    cluster.settle()

    phrase = "modelled, not obeyed by packets"
    assert cluster.left_out == [
        ("Ingress group app", f"not modelled: {ALB}/create-acm-cert of Ingress default/rest"),
        ("Ingress group app", f"{phrase}: the frontend NLB shop-nlb on port 80"),
        ("Ingress group app", f"{phrase}: transforms of rule 80:1"),
        ("Ingress group app", f"{phrase}: transforms of rule 80:2"),
    ]
    [balancer] = cluster.balancers()
    assert balancer["LoadBalancerName"] == "shop"
    assert cluster.events("rest")[-1][0] == "SuccessfullyReconciled"
