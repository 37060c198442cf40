"""Objects of the Gateway API, as small as they can be."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
STANDARD, AWS = "gateway.networking.k8s.io/v1", "gateway.k8s.aws/v1"
CERTIFICATE = "arn:aws:acm:eu-west-1:000000000000:certificate/1"


def gateway_class(controller: str = "alb", **spec: Any) -> Json:
    return {
        "apiVersion": STANDARD,
        "kind": "GatewayClass",
        "metadata": {"name": "edge"},
        "spec": {"controllerName": f"gateway.k8s.aws/{controller}", **spec},
    }


def listener(name: str = "https", port: int = 443, protocol: str = "HTTPS", **more: Any) -> Json:
    return {"name": name, "port": port, "protocol": protocol, **more}


def gateway(*listeners: Json, name: str = "edge", configured: bool = True) -> Json:
    reference = {"group": "gateway.k8s.aws", "kind": "LoadBalancerConfiguration", "name": "edge"}
    return {
        "apiVersion": STANDARD,
        "kind": "Gateway",
        "metadata": {"namespace": "shop", "name": name, "uid": "u-1"},
        "spec": {
            "gatewayClassName": "edge",
            "listeners": list(listeners or (listener(),)),
            **({"infrastructure": {"parametersRef": reference}} if configured else {}),
        },
    }


def configuration(name: str = "edge", **spec: Any) -> Json:
    """A LoadBalancerConfiguration with a certificate on 443."""
    certificates = [{"protocolPort": "HTTPS:443", "defaultCertificate": CERTIFICATE}]
    return {
        "apiVersion": AWS,
        "kind": "LoadBalancerConfiguration",
        "metadata": {"namespace": "shop", "name": name},
        "spec": {"listenerConfigurations": certificates, **spec},
    }


def route(
    kind: str = "HTTPRoute", *rules: Json, name: str = "web", hosts: tuple[str, ...] = (), **parent: str
) -> Json:
    spec: Json = {"parentRefs": [{"name": "edge", **parent}], "rules": list(rules or (to("web"),))}
    if hosts:
        spec["hostnames"] = list(hosts)
    return {
        "apiVersion": STANDARD,
        "kind": kind,
        "metadata": {"namespace": "shop", "name": name, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": spec,
    }


def to(
    *services: str, matches: list[Json] | None = None, filters: list[Json] | None = None, **weights: int
) -> Json:
    """A rule to the port 80 of some Services."""
    backends = [
        {"name": one, "port": 80, **({"weight": weights[one]} if one in weights else {})} for one in services
    ]
    found: Json = {"backendRefs": backends}
    return found | ({"matches": matches} if matches else {}) | ({"filters": filters} if filters else {})


def path(value: str, kind: str = "PathPrefix", **more: Any) -> Json:
    return {"path": {"type": kind, "value": value}, **more}


def service(name: str = "web", kind: str = "NodePort", **port: Any) -> Json:
    own = {"port": 80, "targetPort": 8080, **({"nodePort": 30080} if kind == "NodePort" else {}), **port}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": "shop", "name": name},
        "spec": {"type": kind, "ports": [own]},
    }


def target_group_configuration(service_name: str = "web", **spec: Any) -> Json:
    return {
        "apiVersion": AWS,
        "kind": "TargetGroupConfiguration",
        "metadata": {"namespace": "shop", "name": service_name},
        "spec": {"targetReference": {"name": service_name}, **spec},
    }


def rule_configuration(**spec: Any) -> Json:
    return {
        "apiVersion": AWS,
        "kind": "ListenerRuleConfiguration",
        "metadata": {"namespace": "shop", "name": "own"},
        "spec": spec,
    }


OWN_RULE = {
    "type": "ExtensionRef",
    "extensionRef": {"group": "gateway.k8s.aws", "kind": "ListenerRuleConfiguration", "name": "own"},
}
