from __future__ import annotations

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.kubernetes import manifests
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.offline.stack_plan import plan
from tests.lb_controller.offline.manifests_of_groups import SERVICE, STORY, ingress, planned


def test_the_story_becomes_an_nlb_of_the_cloud_provider_and_an_alb() -> None:
    found = manifests.load([STORY / "1-nlb.yaml", STORY / "2-alb.yaml"])

    result = plan(found, ControllerOptions(release=LB_CONTROLLER_RELEASES.oldest))

    alb, nlb = result.stacks
    assert (alb.title, nlb.title) == ("Ingress group zozomat-ingress", "Service default/envoy")
    assert nlb.owner == "cloud provider"
    assert alb.stack
    assert [item.protocol_version for item in alb.stack.target_groups] == ["GRPC", "HTTP1"]


def test_an_ingress_that_carries_the_finalizer_of_a_group_that_cannot_be_loaded_is_its_member() -> None:
    found = (
        ingress("web", "/*")
        .replace("  name: web\n", "  name: web\n  finalizers: [ingress.k8s.aws/resources]\n")
        .replace("    kubernetes.io/ingress.class: alb\n    alb.ingress.kubernetes.io/group.name: app\n", "")
        .replace("spec:\n", "spec:\n  ingressClassName: absent\n")
    )
    (stack,) = planned(found).stacks
    assert stack.error
    assert "absent" in stack.error
    assert list(stack.members) == ["Ingress default/web"]


def test_a_group_that_cannot_be_built_says_what_the_event_says() -> None:
    result = planned(ingress("web", "/*").replace("number: 80", "number: 81"))

    (stack,) = result.stacks
    assert result.has_failures
    assert stack.error == "ingress: default/web: unable to find port 81 on service default/web"
    assert result.to_json()["stacks"][0]["error"] == {"text": stack.error, "match": "exact"}


def test_an_order_that_an_old_controller_refuses_fails_the_group_and_names_its_members() -> None:
    result = planned(
        ingress("a", "/a", "group.order: '5'"),
        ingress("b", "/b", "group.order: '5'"),
        release=LB_CONTROLLER_RELEASES.oldest,
    )

    (stack,) = result.stacks
    assert stack.error == "conflict Ingress group order: 5"
    assert list(stack.members) == ["Ingress default/a", "Ingress default/b"]


def test_the_class_of_the_helm_chart_is_assumed_for_the_ingresses_that_name_it() -> None:
    documents = [
        ingress(name, f"/{name}")
        .replace("    kubernetes.io/ingress.class: alb\n", "")
        .replace("spec:\n", "spec:\n  ingressClassName: alb\n")
        for name in ("a", "b")
    ]
    found = planned(SERVICE, *documents)
    assert list(found.stacks[0].members) == ["Ingress default/a", "Ingress default/b"]
    assert found.of_assumed_class == ("Ingress default/a", "Ingress default/b")

    own = (
        "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: alb}\n"
        "spec: {controller: example.com/other}\n---\n"
    )
    assert planned(SERVICE, own, *documents).stacks == ()


def test_two_plans_of_the_same_manifests_are_equal() -> None:
    documents = ingress("a", "/a"), SERVICE.replace("web}", "lb}").replace("spec:", "spec:\n  type: NodePort")

    assert planned(*documents).to_json() == planned(*documents).to_json()
