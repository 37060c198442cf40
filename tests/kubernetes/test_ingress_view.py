from __future__ import annotations

from typing import Any

from testbed.kubernetes.ingress_view import USE_ANNOTATION, Backend, Ingress
from tests.kubernetes.manifests_of_the_story import ingress


def of_v1(**spec: Any) -> Ingress:
    return Ingress.of(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "rest", "namespace": "prod", "annotations": {"a": "b"}},
            "spec": spec,
        }
    )


def backend(service: str, **port: int | str) -> dict[str, Any]:
    return {"service": {"name": service, "port": port}}


def test_the_view_of_an_ingress_has_hosts_backends_and_status() -> None:
    item = {
        **ingress(host="a.example.com"),
        "status": {"loadBalancer": {"ingress": [{"hostname": "x.elb"}, {"ip": "1.2.3.4"}]}},
    }
    view = Ingress.of(item)
    assert view.rules[0].host == "a.example.com"
    assert list(view.backends()) == [Backend("envoy-service", 80)]
    assert view.hostnames == ("x.elb",)
    assert view.addresses == ("1.2.3.4",)


def test_backends_come_with_the_default_first_and_resources_are_none() -> None:
    paths = [
        {"path": "/a", "pathType": "Exact", "backend": backend("a", name=USE_ANNOTATION)},
        {"pathType": "Prefix", "backend": {"resource": {"kind": "Bucket", "name": "b"}}},
    ]
    view = of_v1(defaultBackend=backend("other", number=81), rules=[{"http": {"paths": paths}}])
    assert list(view.backends()) == [Backend("other", 81), Backend("a", USE_ANNOTATION)]
    first, second = view.rules[0].paths
    assert (first.path, first.path_type) == ("/a", "Exact")
    assert (second.path, second.backend) == ("", None)
    assert view.rules[0].host == ""


def test_hosts_of_all_certificates_are_listed() -> None:
    view = of_v1(ingressClassName="alb", tls=[{"hosts": ["a", "b"]}, {"secretName": "s"}, {"hosts": ["c"]}])
    assert view.tls_hosts == ("a", "b", "c")
    assert (view.class_name, view.namespace, view.annotations) == ("alb", "prod", {"a": "b"})


def test_an_ingress_of_names_alone_has_empty_fields() -> None:
    view = Ingress.of({"kind": "Ingress", "metadata": {"name": "x"}})
    assert (view.namespace, view.rules, view.default_backend) == ("default", (), None)
    assert list(view.backends()) == []
