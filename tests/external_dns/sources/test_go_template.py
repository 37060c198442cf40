"""Templates give the names that Go's give."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.external_dns.sources.go_template import Template, TemplateError
from tests.external_dns.releases import NEWEST, OLDEST

ITEM: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "labels": {"app": "Web", "tier": "front"},
        "annotations": {"dns": "one.test, two.test.", "example.org/host": "svc-three"},
    },
    "spec": {"type": "LoadBalancer", "clusterIP": "10.0.0.1", "ports": [{"port": 80}, {"port": 443}]},
    "status": {"loadBalancer": {"ingress": [{"hostname": "lb.test"}]}},
}


@pytest.mark.parametrize(
    ("source", "hosts"),
    [
        ("{{.Name}}.{{ .Namespace }}.test", ["web.shop.test"]),
        ("{{.Name}}.a.test, {{.Name}}.b.test.", ["web.a.test", "web.b.test"]),
        ("{{.ObjectMeta.Name}}.{{.Kind}}", ["web.Service"]),
        ('{{index .Annotations "dns"}}', ["one.test", "two.test"]),
        ('{{index .Annotations "none"}}', []),
        ("{{ .Labels.app | toLower }}.test", ["web.test"]),
        ('{{ trimPrefix (index .Annotations "example.org/host") "svc-" }}.test', ["three.test"]),
        ('{{ trimSuffix .Name "b" }}{{ replace "e" "i" .Name }}', ["wewib"]),
        ('{{if eq .Spec.Type "LoadBalancer" "NodePort"}}a{{else}}b{{end}}.test', ["a.test"]),
        ('{{if eq .Spec.Type "ClusterIP"}}a{{else if .Labels.tier}}b{{else}}c{{end}}.test', ["b.test"]),
        ("{{if and .Labels.none .Name}}a{{end}}", []),
        ('{{if or .Labels.none (ne .Name "x")}}a{{end}}', ["a"]),
        ('{{if not (hasKey .Labels "app")}}a{{else}}b{{end}}', ["b"]),
        ('{{if contains .Name "we"}}a{{end}}', ["a"]),
        ("{{range .Status.LoadBalancer.Ingress}}{{.Hostname}},{{$.Name}},{{end}}", ["lb.test", "web"]),
        ("{{range $k, $v := .Labels}}{{$k}}-{{$v}},{{end}}", ["app-Web", "tier-front"]),
        ("{{range $i, $p := .Spec.Ports}}{{$.Name}}-{{$p.Port}},{{end}}", ["web-80", "web-443"]),
        ("{{range .Spec.ExternalIPs}}a{{else}}none{{end}}", ["none"]),
        ("{{with .Labels.tier}}{{.}}.test{{end}}", ["front.test"]),
        ("{{$x := .Name}}{{$x}}.test", ["web.test"]),
        ("{{- .Name -}}  .test {{/* a comment */}}", ["web.test"]),
        ('{{ printf "%s-%d" .Name 7 }}', ["web-7"]),
        ('{{ print .Name `-` "x" }}', ["web-x"]),
        ("{{if isIPv4 .Spec.ClusterIP}}{{len .Labels}}{{end}}", ["2"]),
        ("plain.test", ["plain.test"]),
    ],
)
def test_a_template_gives_names(source: str, hosts: list[str]) -> None:
    assert Template(source, NEWEST).hosts(ITEM) == hosts


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{{.Name", "an action is not closed"),
        ("{{if .Name}}a", "{{if}} has no {{end}}"),
        ("{{end}}", "unexpected {{end}}"),
        ("{{upper .Name}}", "function 'upper' not defined"),
        ("{{.Name | }}", "missing value for command"),
        ("{{(.Name}}", "a parenthesis is not closed"),
        ('{{template "x"}}', "does not emulate {{template}}"),
        ("{{.Name ! }}", "unexpected '!'"),
    ],
)
def test_a_template_that_does_not_parse_is_told(source: str, told: str) -> None:
    with pytest.raises(TemplateError) as error:
        Template(source, NEWEST)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{{.Nmae}}", "can't evaluate field Nmae"),
        ("{{.Name.First}}", "can't evaluate field First"),
        ("{{$x}}", "undefined variable '$x'"),
        ("{{toLower}}", "error calling a function"),
        ("{{.Name .Namespace}}", "can't give argument to non-function"),
    ],
)
def test_a_template_that_does_not_fit_the_object_is_told(source: str, told: str) -> None:
    with pytest.raises(TemplateError) as error:
        Template(source, NEWEST).hosts(ITEM)
    assert told in str(error.value)


def test_v0_7_has_one_function_of_its_own() -> None:
    assert Template('{{trimPrefix .Name "w"}}', OLDEST).hosts(ITEM) == ["eb"]
    with pytest.raises(TemplateError, match="'toLower' not defined"):
        Template("{{toLower .Name}}", OLDEST)


@given(st.text('{}.-|()$"`aN \n/*', max_size=20))
def test_any_text_is_a_template_or_told_as_none(source: str) -> None:
    try:
        template = Template(source, NEWEST)
        hosts = template.hosts(ITEM)
    except TemplateError:
        return
    assert all(isinstance(host, str) for host in hosts)
