# ruff: noqa: E501 the cases read best one a line
from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.errors import BadInput
from testbed.kubernetes.manifests import check, load, parse

FILE = Path("some.yaml")
STORY = Path(__file__).parents[2] / "scenarios" / "zozomat" / "manifests"
SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: envoy
  annotations:
    external-dns.alpha.kubernetes.io/hostname: api.example.com
spec:
  ports:
    - port: 443
"""
V1 = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: rest
spec:
  rules:
    - host: api.example.com
      http:
        paths:
          - path: /x
            pathType: Prefix
            backend:
              service:
                name: envoy
                port:
                  number: 80
"""


def test_the_manifests_of_the_story_are_fine() -> None:
    assert len(load([STORY / "1-nlb.yaml", STORY / "2-alb.yaml"])) == 4


def test_every_field_knows_its_line() -> None:
    (manifest,) = parse(SERVICE, FILE)
    assert str(manifest.where) == "some.yaml:1"
    assert manifest.line("spec", "ports", 0, "port").line == 9
    assert manifest.line("metadata", "annotations").line == 5
    assert manifest.line("spec", "ports", 0, "nodePort").line == 9
    assert manifest.line("spec", "selector").line == 7
    assert manifest.with_object({"kind": "Service", "metadata": {"name": "x"}}).line("spec").line == 7


def test_documents_lists_and_json_are_read_alike() -> None:
    as_list = "kind: List\napiVersion: v1\nitems:\n- " + SERVICE.replace("\n", "\n  ").rstrip() + "\n"
    as_json = '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "envoy"}, "spec": {"ports": [{"port": 443}]}}'
    typed = "kind: ServiceList\napiVersion: v1\nitems:\n- metadata: {name: envoy}\n  spec: {ports: [{port: 443}]}\n"
    assert [item.title for item in parse(f"---\n# nothing\n---\n{SERVICE}---\n", FILE)] == [
        "Service default/envoy"
    ]
    (listed,) = parse(as_list, FILE)
    assert listed.object == parse(SERVICE, FILE)[0].object
    assert listed.line("spec", "ports", 0).line == 12
    assert parse(as_json, FILE)[0].object["spec"] == {"ports": [{"port": 443}]}
    assert parse(typed, FILE)[0].title == "Service default/envoy"
    assert parse("kind: List\napiVersion: v1\nitems: []\n", FILE) == []


def test_a_folder_gives_its_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "b.yml").write_text(V1)
    (tmp_path / "a.yaml").write_text(SERVICE)
    (tmp_path / "readme.txt").write_text("no manifest")
    assert [item.object["kind"] for item in load([tmp_path])] == ["Service", "Ingress"]


def test_dates_times_and_octal_numbers_are_read_as_kubernetes_reads_them() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: 2020-12-01, b: 12:30, c: 0755, d: yes}\n"
    assert parse(text, FILE)[0].object["data"] == {"a": "2020-12-01", "b": "12:30", "c": 493, "d": True}


def test_merge_keys_and_aliases_are_followed() -> None:
    text = SERVICE.replace("metadata:", "x: &x {name: other, labels: {a: b}}\nmetadata:\n  <<: *x").replace(
        "x: &x", "status: &x"
    )
    (manifest,) = parse(text, FILE)
    assert manifest.object["metadata"]["name"] == "envoy"
    assert manifest.object["metadata"]["labels"] == {"a": "b"}


BAD = {
    "broken YAML": ("a: [1\nb: 2", 2, "not valid YAML"),
    "tab": ("a:\n\tb: 1", 2, "not valid YAML"),
    "control character": ("a: b\nc: \x00", 2, "not valid YAML"),
    "empty": ("", None, "the file is empty"),
    "only comments": ("# nothing\n---\n", None, "there is no object"),
    "no mapping": ("- a\n", 1, "must be a mapping"),
    "no kind": ("apiVersion: v1\n", 1, "kind is missing"),
    "no apiVersion": ("kind: Service\n", 1, "apiVersion is missing"),
    "unknown kind": (SERVICE.replace("kind: Service", "kind: Servic"), 2, "known are .*Ingress.*Service"),
    "wrong version": (SERVICE.replace("v1", "v2", 1), 1, "Service has no apiVersion 'v2'; use v1"),
    "no name": (SERVICE.replace("  name: envoy\n", ""), 3, "Service: metadata.name: Required value: name or generateName is required"),
    "no metadata": ("apiVersion: v1\nkind: Pod\nspec: {}", 1, "Pod: metadata.name: Required value"),
    "annotation that is no string": (SERVICE.replace("api.example.com", "true"), 6, "must be a string, not a boolean .true.; put it in quotes"),
    "port that is no number": (SERVICE.replace("443", '"443"'), 9, r"spec.ports\[0\].port must be a number, not a string"),
    "port out of range": (SERVICE.replace("443", "70000"), 9, r"spec.ports\[0\].port: Invalid value: 70000: must be between 1 and 65535, inclusive"),
    "no ports": (SERVICE.replace("  ports:\n    - port: 443\n", "  type: LoadBalancer\n"), 7, "Service envoy: spec.ports: Required value"),
    "unknown field": (SERVICE.replace("ports", "port"), 8, 'unknown field "spec.port"; did you mean ports'),
    "wrong type name": (SERVICE + "  type: Loadbalancer\n", 10, 'Unsupported value: "Loadbalancer": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'),
    "key twice": (SERVICE + "  ports: []\n", 10, "key 'ports' appears twice, first in line 8"),
    "twice": (f"{SERVICE}---\n{SERVICE}", 11, "defined twice, first at .*:1"),
    "capitals in a name": (SERVICE.replace("envoy", "Envoy"), 4, "metadata.name: Invalid value: .Envoy.: a DNS-1035 label must"),
    "two ports without names": (SERVICE + "    - port: 80\n", 9, r"spec.ports\[0\].name: Required value"),
    "two ports alike": (SERVICE.replace("- port: 443", "- {port: 1, name: a}\n    - {port: 2, name: a}"), 10, r"spec.ports\[1\].name: Duplicate value: .a."),
    "old backend in v1": (V1.replace("service:", "serviceName: x"), None, "not valid YAML"),
    "old field in v1": (V1[: V1.index("              service:")] + "              serviceName: x\n", 13, 'unknown field ".*serviceName"; networking.k8s.io/v1 has'),
    "no pathType": (V1.replace("            pathType: Prefix\n", ""), 10, "pathType: Required value: pathType must be specified"),
    "no port in a backend": (V1.replace("number: 80", "name:"), 15, "backend: Required value: port name or number is required"),
    "host with a port": (V1.replace("api.example.com", "api.example.com:443"), 7, "a lowercase RFC 1123 subdomain must"),
    "host that is an address": (V1.replace("api.example.com", "10.0.0.1"), 7, "must be a DNS name, not an IP address"),
    "relative path": (V1.replace("/x", "x"), 10, "must be an absolute path"),
    "alias in itself": ("&a\nkind: List\nitems: [*a]\n", 1, "an alias refers to a node that contains it"),
    "list with a broken item": ("kind: List\napiVersion: v1\nitems:\n- 5\n", 4, "must be a mapping"),
    "null spec": (SERVICE[: SERVICE.index("spec:")] + "spec:\n", 7, "spec.ports: Required value"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "what"), BAD.values(), ids=BAD)
def test_bad_input_is_told_in_one_line_with_its_place(
    tmp_path: Path, text: str, line: int | None, what: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match=what) as caught:
        load([path])
    assert caught.value.where is not None
    assert "\n" not in str(caught.value)
    if line is not None:
        assert caught.value.where.line == line, str(caught.value)


def test_files_that_cannot_be_read_are_bad_input(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("a: b\nc: ü".encode("latin-1"))
    with pytest.raises(BadInput, match=r"latin\.yaml:2: not UTF-8"):
        load([tmp_path / "latin.yaml"])
    with pytest.raises(BadInput, match="No such file"):
        load([tmp_path / "none.yaml"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="the folder has no"):
        load([tmp_path / "empty"])


def test_of_an_object_in_two_files_the_later_one_counts(tmp_path: Path) -> None:
    (tmp_path / "1.yaml").write_text(f"{SERVICE}---\n{SERVICE.replace('envoy', 'other')}")
    (tmp_path / "2.yaml").write_text(SERVICE.replace("api.example.com", "new.example.com"))
    other, envoy = load([tmp_path])
    assert (other.key[2], envoy.key[2]) == ("other", "envoy")
    assert "new.example.com" in envoy.object["metadata"]["annotations"].values()


@given(st.text(max_size=60) | st.text(alphabet="ab:-[]{}&*!\n \"'|>#?,", max_size=60))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    with contextlib.suppress(BadInput):
        parse(text, FILE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["ports", "rules", "host", "http", "paths", "port", "backend", "service", "name", "tls"]), inner, max_size=3
    ),
)  # fmt: skip


SPECS = st.fixed_dictionaries(
    {}, optional={"ports": st.lists(st.none() | st.fixed_dictionaries({"port": st.integers(1, 9)}, optional={"name": JSON}), max_size=3),
    "rules": st.lists(st.none() | st.fixed_dictionaries({}, optional={"host": JSON, "http": st.none() | st.fixed_dictionaries({"paths": st.lists(JSON | st.fixed_dictionaries({"backend": JSON}), max_size=2)})}), max_size=2), "defaultBackend": JSON}
)  # fmt: skip


@given(st.sampled_from(["Service", "Ingress", "IngressClass", "Pod"]), st.just({"name": "x"}) | JSON, SPECS)
def test_any_shape_of_an_object_is_read_or_refused(kind: str, metadata: object, spec: object) -> None:
    version = {"Service": "v1", "Pod": "v1"}.get(kind, "networking.k8s.io/v1")
    text = json.dumps({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec})
    with contextlib.suppress(BadInput):
        parse(text, FILE)


KNATIVE = "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: envoy}\nspec: {template: {}}\n"


def test_custom_resources_are_kept_apart_where_they_are_asked_for_and_refused_elsewhere() -> None:
    path = Path("all.yaml")
    service, custom = parse(f"{SERVICE}\n---\n{KNATIVE}", path, custom=True)
    assert (service.is_custom, custom.is_custom) == (False, True)
    assert custom.key[0] == "Service.serving.knative.dev"
    with pytest.raises(BadInput, match="unknown kind 'Service'"):
        parse(KNATIVE, path)


@pytest.mark.parametrize(("version", "kind"), [("v1", "Banana"), ("networking.k8s.io/v2", "Ingress")])
def test_a_kind_that_a_known_group_does_not_have_is_refused_even_then(version: str, kind: str) -> None:
    with pytest.raises(BadInput, match=r"unknown kind|has no apiVersion"):
        parse(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n", Path("a.yaml"), custom=True)


def test_a_placeholder_is_checked_when_it_has_a_value() -> None:
    (manifest,) = parse(V1.replace("api.example.com", "${HOST}"), FILE)
    filled = json.loads(json.dumps(manifest.object).replace("${HOST}", "api.example.com"))
    check(manifest.with_object(filled))
    filled = json.loads(json.dumps(manifest.object).replace("${HOST}", "API.example.com"))
    with pytest.raises(BadInput, match=r"some\.yaml:7: Ingress rest: spec\.rules\[0\]\.host: Invalid value"):
        check(manifest.with_object(filled))


def test_the_line_of_a_field_is_that_of_the_version_in_which_it_is_written() -> None:
    text = (
        V1[: V1.index("              service:")]
        + "              serviceName: 1st\n              servicePort: 80\n"
    )
    with pytest.raises(
        BadInput, match=r"some\.yaml:13: .*backend\.service\.name: Invalid value: .1st.: a DNS-1035"
    ):
        parse(text.replace("networking.k8s.io/v1", "networking.k8s.io/v1beta1"), FILE)


def test_an_object_is_read_as_the_api_reads_it() -> None:
    text = SERVICE.replace("    - port: 443", "    - {port: 443, name: }") + "  selector: {app: }\n  type:\n"
    (manifest,) = parse(text, FILE)
    assert manifest.object["spec"] == {"ports": [{"port": 443}], "selector": {"app": ""}}


@pytest.mark.parametrize("folder", ["zozomat", "weighted", "by_hand"])
def test_the_manifests_of_the_scenarios_are_right(folder: str) -> None:
    assert load([STORY.parents[1] / folder / "manifests" / "2-alb.yaml"])
