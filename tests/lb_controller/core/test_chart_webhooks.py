"""The webhooks of the Helm chart."""

from __future__ import annotations

from typing import Any

from testbed.kubernetes.rules.webhook_configurations import Write, matching
from testbed.lb_controller.core.chart_webhooks import NAMESPACE, SERVICE, configurations, services_of

NEW_SERVICE = Write("CREATE", "", "services", {}, None, {})


def named(items: list[dict[str, Any]], write: Write) -> list[str]:
    return [webhook.name for webhook in matching(items, write)]


def test_a_new_service_passes_the_one_that_claims_it_unless_that_is_off() -> None:
    assert named(configurations(services=True), NEW_SERVICE) == ["mservice.elbv2.k8s.aws"]
    assert named(configurations(services=False), NEW_SERVICE) == []


def test_a_pod_passes_the_one_for_readiness_gates_where_its_namespace_says_so() -> None:
    installed = configurations(services=True)
    pod = Write("CREATE", "", "pods", {}, None, {"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"})
    assert named(installed, pod) == ["mpod.elbv2.k8s.aws"]
    assert named(installed, Write("CREATE", "", "pods", {}, None, {})) == []


def test_ingresses_and_bindings_pass_theirs_at_every_write() -> None:
    installed = configurations(services=True)
    ingress = Write("UPDATE", "networking.k8s.io", "ingresses", {}, {}, {})
    assert named(installed, ingress) == ["vingress.elbv2.k8s.aws"]
    binding = Write("CREATE", "elbv2.k8s.aws", "targetgroupbindings", {}, None, {})
    assert named(installed, binding) == [
        "mtargetgroupbinding.elbv2.k8s.aws",
        "vtargetgroupbinding.elbv2.k8s.aws",
    ]


def test_the_services_of_the_controllers_webhooks_are_found_among_others() -> None:
    other = {
        "webhooks": [
            {"name": "webhook.cert-manager.io", "clientConfig": {"service": {"namespace": "c", "name": "w"}}},
            {"name": "vingress.elbv2.k8s.aws", "clientConfig": {"url": "https://127.0.0.1/"}},
        ]
    }
    assert set(services_of([other, *configurations(services=True)])) == {(NAMESPACE, SERVICE)}
