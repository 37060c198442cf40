# ruff: noqa: E501 the cases read best one a line
from __future__ import annotations

from typing import Any

import pytest

from testbed.kubernetes.rules.ingress_rules import class_problems, path_in_v1beta1, problems
from testbed.kubernetes.rules.problems import Path

BACKEND = {"service": {"name": "envoy", "port": {"number": 80}}}


def words(spec: dict[str, Any], old: dict[str, Any] | None = None, **annotations: str) -> list[str]:
    item = {"metadata": {"name": "rest", "annotations": annotations}, "spec": spec}
    return [str(problem) for problem in problems(item, old)]


def with_path(path: dict[str, Any]) -> dict[str, Any]:
    return {"rules": [{"http": {"paths": [{"pathType": "Prefix", "backend": BACKEND, "path": "/", **path}]}}]}


@pytest.mark.parametrize(
    "spec",
    [
        {"defaultBackend": BACKEND},
        {"rules": [{"host": "a.example.com"}]},
        {
            "rules": [{"host": "*.example.com"}],
            "tls": [{"hosts": ["*.example.com", "a.b"], "secretName": "a.b"}],
        },
        with_path({"path": "/a//b", "pathType": "ImplementationSpecific"}),
        with_path({"path": "", "pathType": "ImplementationSpecific"}),
        with_path({"backend": {"service": {"name": "envoy", "port": {"name": "use-annotation"}}}}),
        with_path({"backend": {"resource": {"kind": "Bucket", "name": "b", "apiGroup": "example.com"}}}),
    ],
)
def test_what_the_api_server_takes_is_taken(spec: dict[str, Any]) -> None:
    assert words(spec) == []


WHERE = "spec.rules[0].http.paths[0]"


@pytest.mark.parametrize(
    ("spec", "refused"),
    [
        (
            {},
            "spec: Invalid value: []networking.IngressRule(nil): either `defaultBackend` or `rules` must be specified",
        ),
        ({"rules": [{"host": "A.com"}]}, 'spec.rules[0].host: Invalid value: "A.com": a lowercase RFC 1123'),
        (
            {"rules": [{"host": "a.*.com"}]},
            'spec.rules[0].host: Invalid value: "a.*.com": a wildcard DNS-1123',
        ),
        (
            {"rules": [{"host": "10.0.0.1"}]},
            'Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
        ),
        ({"rules": [{"http": {}}]}, "spec.rules[0].http.paths: Required value"),
        ({"rules": [{}], "ingressClassName": ""}, 'spec.ingressClassName: Invalid value: ""'),
        ({"rules": [{}], "tls": [{"hosts": ["A"]}]}, 'spec.tls[0].hosts[0]: Invalid value: "A"'),
        ({"rules": [{}], "tls": [{"secretName": "A"}]}, 'spec.tls[0].secretName: Invalid value: "A"'),
        (with_path({"pathType": None}), f"{WHERE}.pathType: Required value: pathType must be specified"),
        (with_path({"pathType": "prefix"}), f'{WHERE}.pathType: Unsupported value: "prefix"'),
        (with_path({"path": "a"}), f'{WHERE}.path: Invalid value: "a": must be an absolute path'),
        (with_path({"path": ""}), f'{WHERE}.path: Invalid value: "": must be an absolute path'),
        (with_path({"path": "//a"}), f"{WHERE}.path: Invalid value: \"//a\": must not contain '//'"),
        (with_path({"path": "/a/.."}), "cannot end with '/..'"),
        (
            with_path({"backend": {}}),
            f'{WHERE}.backend: Invalid value: "": resource or service backend is required',
        ),
        (
            with_path({"backend": {**BACKEND, "resource": {}}}),
            f'{WHERE}.backend: Invalid value: "": cannot set both resource and service backends',
        ),
        (
            with_path({"backend": {"resource": {"kind": "a"}}}),
            f"{WHERE}.backend.resource.name: Required value",
        ),
        (
            with_path({"backend": {"resource": {"kind": "a", "name": "b", "apiGroup": ""}}}),
            f'{WHERE}.backend.resource.apiGroup: Invalid value: ""',
        ),
        (
            with_path({"backend": {"service": {"port": {"number": 1}}}}),
            f"{WHERE}.backend.service.name: Required value",
        ),
        (
            with_path({"backend": {"service": {"name": "1a", "port": {"number": 1}}}}),
            f'{WHERE}.backend.service.name: Invalid value: "1a": a DNS-1035 label must',
        ),
        (
            with_path({"backend": {"service": {"name": "a"}}}),
            f"{WHERE}.backend: Required value: port name or number is required",
        ),
        (
            with_path({"backend": {"service": {"name": "a", "port": {"name": "b", "number": 1}}}}),
            f'{WHERE}.backend: Invalid value: "": cannot set both port name & port number',
        ),
        (
            with_path({"backend": {"service": {"name": "a", "port": {"name": "a" * 16}}}}),
            "backend.service.port.name: Invalid value",
        ),
        (
            with_path({"backend": {"service": {"name": "a", "port": {"number": 65536}}}}),
            f"{WHERE}.backend.service.port.number: Invalid value: 65536: must be between 1 and 65535, inclusive",
        ),
        (
            {"defaultBackend": {}},
            'spec.defaultBackend: Invalid value: "": resource or service backend is required',
        ),
    ],
)
def test_what_the_api_server_refuses_is_refused_in_its_words(spec: dict[str, Any], refused: str) -> None:
    (only,) = words(spec)
    assert refused in only


def test_the_class_in_the_annotation_must_be_that_of_the_field_when_an_ingress_is_created() -> None:
    spec = {"defaultBackend": BACKEND, "ingressClassName": "alb"}
    annotation = {"kubernetes.io/ingress.class": "nginx"}
    assert words(spec, **{"kubernetes.io/ingress.class": "alb"}) == []
    (refused,) = words(spec, **annotation)
    assert refused == (
        'annotations.kubernetes.io/ingress.class: Invalid value: "nginx": must match `ingressClassName` when both '
        "are specified"
    )
    assert words(spec, old={"spec": spec}, **annotation) == []


def test_a_cluster_that_serves_v1beta1_takes_no_class_twice() -> None:
    item = {
        "metadata": {"name": "rest", "annotations": {"kubernetes.io/ingress.class": "alb"}},
        "spec": {"defaultBackend": BACKEND, "ingressClassName": "alb"},
    }
    (refused,) = problems(item, None, "networking.k8s.io/v1beta1")
    assert str(refused) == (
        'annotations.kubernetes.io/ingress.class: Invalid value: "alb": can not be set when the class field is '
        "also set"
    )
    assert list(problems(item, None, "networking.k8s.io/v1")) == []


@pytest.mark.parametrize(
    ("controller", "refused"),
    [
        ("ingress.k8s.aws/alb", []),
        ("", ["spec.controller: Required value"]),
        (f"a.b/{'c' * 247}", ["spec.controller: Too long: may not be more than 250 bytes"]),
        (
            "alb",
            ['spec.controller: Invalid value: "alb": must be a domain-prefixed path (such as "acme.io/foo")'],
        ),
    ],
)
def test_an_ingress_class_names_its_controller(controller: str, refused: list[str]) -> None:
    item = {"metadata": {"name": "alb"}, "spec": {"controller": controller}}
    assert [str(problem) for problem in class_problems(item)] == refused


def test_an_ingress_class_keeps_its_controller() -> None:
    old = {"metadata": {"name": "alb"}, "spec": {"controller": "ingress.k8s.aws/alb"}}
    new = {**old, "spec": {"controller": "k8s.io/ingress-nginx"}}
    assert list(class_problems(old, old)) == []
    assert [str(problem) for problem in class_problems(new, old)] == [
        'spec.controller: Invalid value: "k8s.io/ingress-nginx": field is immutable'
    ]


PARAMETERS = {"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": "alb"}


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, []),
        ({"scope": "Cluster"}, []),
        ({"scope": "Namespace", "namespace": "shop"}, []),
        ({"name": ""}, ["spec.parameters.name: Required value"]),
        ({"kind": ""}, ["spec.parameters.kind: Required value"]),
        ({"name": "a/b"}, ["spec.parameters.name: Invalid value: \"a/b\": may not contain '/'"]),
        (
            {"scope": "Pod"},
            ['spec.parameters.scope: Unsupported value: "Pod": supported values: "Cluster", "Namespace"'],
        ),
        (
            {"scope": "Namespace"},
            ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"],
        ),
        (
            {"namespace": "shop"},
            ["spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
        ),
    ],
)
def test_the_parameters_of_an_ingress_class_have_a_scope(changes: dict[str, str], refused: list[str]) -> None:
    spec = {"controller": "ingress.k8s.aws/alb", "parameters": {**PARAMETERS, **changes}}
    item = {"metadata": {"name": "alb"}, "spec": spec}
    assert [str(problem) for problem in class_problems(item)] == refused


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (("spec", "defaultBackend"), ("spec", "backend")),
        (("spec", "defaultBackend", "service", "name"), ("spec", "backend", "serviceName")),
        (
            ("spec", "rules", 0, "http", "paths", 1, "backend", "service", "port", "number"),
            ("spec", "rules", 0, "http", "paths", 1, "backend", "servicePort"),
        ),
        (("spec", "rules", 0, "host"), ("spec", "rules", 0, "host")),
    ],
)
def test_a_field_of_v1_is_found_in_a_manifest_of_v1beta1(new: Path, old: Path) -> None:
    assert path_in_v1beta1(new) == old
