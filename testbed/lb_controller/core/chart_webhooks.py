"""The admission webhooks that the Helm chart installs, for a real controller of a cluster without the chart.

Source: helm/aws-load-balancer-controller/templates/webhook.yaml with its default values. Left out are those
that ask for a label of their own on each pod (QUIC, target control).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

NAMESPACE, SERVICE = "kube-system", "aws-load-balancer-webhook-service"
"""The Service that leads to the webhooks, as `helm install aws-load-balancer-controller` names it."""
_NAME = "aws-load-balancer-webhook"
_OF_THE_CONTROLLER = (".elbv2.k8s.aws", ".aga.k8s.aws")
_NOT_ITSELF = {
    "matchExpressions": [
        {"key": "app.kubernetes.io/name", "operator": "NotIn", "values": ["aws-load-balancer-controller"]}
    ]
}
_INJECTED = {
    "matchExpressions": [
        {"key": "elbv2.k8s.aws/pod-readiness-gate-inject", "operator": "In", "values": ["enabled"]}
    ]
}
_SERVICES = "mservice.elbv2.k8s.aws"


def configurations(*, services: bool, name: str = _NAME) -> list[dict[str, Any]]:
    """Return the chart's two configurations.

    Args:
        services: whether new Services are claimed (`enableServiceMutatorWebhook`).
        name: of both.
    """
    binding = "elbv2-k8s-aws-v1beta1-targetgroupbinding"
    mutating = [
        _webhook(
            "mpod.elbv2.k8s.aws",
            "mutate-v1-pod",
            "/v1/pods",
            ("CREATE",),
            namespaceSelector=_INJECTED,
            objectSelector=_NOT_ITSELF,
        ),
        _webhook(_SERVICES, "mutate-v1-service", "/v1/services", ("CREATE",), objectSelector=_NOT_ITSELF),
        _webhook("mtargetgroupbinding.elbv2.k8s.aws", f"mutate-{binding}", _BINDINGS, _BOTH),
    ]
    validating = [
        _webhook(
            "vingressclassparams.elbv2.k8s.aws",
            "validate-elbv2-k8s-aws-v1beta1-ingressclassparams",
            "elbv2.k8s.aws/v1beta1/ingressclassparams",
            _BOTH,
            objectSelector=_NOT_ITSELF,
        ),
        _webhook("vtargetgroupbinding.elbv2.k8s.aws", f"validate-{binding}", _BINDINGS, _BOTH),
        _webhook(
            "vingress.elbv2.k8s.aws",
            "validate-networking-v1-ingress",
            "networking.k8s.io/v1/ingresses",
            _BOTH,
        ),
    ]
    wanted = [webhook for webhook in mutating if services or webhook["name"] != _SERVICES]
    return [
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": kind,
            "metadata": {"name": name},
            "webhooks": webhooks,
        }
        for kind, webhooks in (
            ("MutatingWebhookConfiguration", wanted),
            ("ValidatingWebhookConfiguration", validating),
        )
    ]


def services_of(installed: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield namespace and name of each Service that leads to webhooks of the controller."""
    for configuration in installed:
        for webhook in configuration.get("webhooks") or ():
            service = (webhook.get("clientConfig") or {}).get("service")
            if service and str(webhook.get("name", "")).endswith(_OF_THE_CONTROLLER):
                yield str(service.get("namespace", "")), str(service.get("name", ""))


_BINDINGS = "elbv2.k8s.aws/v1beta1/targetgroupbindings"
_BOTH = ("CREATE", "UPDATE")


def _webhook(
    name: str, path: str, resource: str, operations: tuple[str, ...], **selectors: Any
) -> dict[str, Any]:
    group, version, plural = resource.split("/")
    return {
        "name": name,
        "clientConfig": {"service": {"namespace": NAMESPACE, "name": SERVICE, "path": f"/{path}"}},
        "failurePolicy": "Fail",
        "admissionReviewVersions": ["v1beta1"],
        "sideEffects": "None",
        "rules": [
            {
                "apiGroups": [group],
                "apiVersions": [version],
                "operations": list(operations),
                "resources": [plural],
            }
        ],
        **selectors,
    }
