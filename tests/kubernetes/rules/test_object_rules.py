"""One rule set: whatever way an object comes in, the same rules refuse it in the same words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import grimp
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from testbed.cli.check import check
from testbed.clock import Clock
from testbed.errors import BadInput
from testbed.kubernetes import ObjectStore
from testbed.kubernetes.api.api_requests import Request
from testbed.kubernetes.api.api_resources import BUILT_IN
from testbed.kubernetes.api.statuses import Refused
from testbed.kubernetes.api.verbs import Verbs
from testbed.kubernetes.manifests import load, parse
from testbed.kubernetes.references import check_references
from testbed.kubernetes.rules import object_rules
from testbed.network import lease
from tests.kubernetes.api.conftest import Cluster, cluster_of

FILE = Path("some.yaml")
SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: envoy
spec:
  type: LoadBalancer
  ports:
    - port: 443
"""
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: rest
spec:
  ingressClassName: alb
  rules:
    - http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: envoy
                port:
                  number: 443
"""


class Wrong(NamedTuple):
    """A manifest that the API server refuses, the line of the field, and the API server's words."""

    text: str
    line: int
    words: str


WRONG = {
    "a targetPort name of more than 15 characters": Wrong(
        f"{SERVICE}      targetPort: name-of-17-letters\n",
        9,
        'spec.ports[0].targetPort: Invalid value: "name-of-17-letters": must be no more than 15 characters',
    ),
    "a node port outside the range": Wrong(
        f"{SERVICE}      nodePort: 99\n",
        9,
        "spec.ports[0].nodePort: Invalid value: 99: provided port is not in the valid range. The range of "
        "valid ports is 30000-32767",
    ),
    "a source range of 99 bits": Wrong(
        f"{SERVICE}  loadBalancerSourceRanges: [10.0.0.0/99]\n",
        9,
        'spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.0/99": must be a valid CIDR value, (e.g. '
        "10.9.8.0/24 or 2001:db8::/64)",
    ),
    "a load balancer class on a ClusterIP Service": Wrong(
        SERVICE.replace("type: LoadBalancer", "type: ClusterIP")
        + "  loadBalancerClass: service.k8s.aws/nlb\n",
        9,
        "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
    ),
    "a path with two slashes": Wrong(
        INGRESS.replace("path: /\n", "path: //a\n"),
        10,
        "spec.rules[0].http.paths[0].path: Invalid value: \"//a\": must not contain '//'",
    ),
    "another class in the annotation": Wrong(
        INGRESS.replace("spec:", "  annotations:\n    kubernetes.io/ingress.class: nginx\nspec:"),
        6,
        'annotations.kubernetes.io/ingress.class: Invalid value: "nginx": must match `ingressClassName` when '
        "both are specified",
    ),
    "a TLS host in capitals": Wrong(
        INGRESS.replace("  rules:", "  tls:\n    - hosts: [API.example.com]\n  rules:"),
        8,
        'spec.tls[0].hosts[0]: Invalid value: "API.example.com": a lowercase RFC 1123 subdomain must',
    ),
    "a label value with a space": Wrong(
        SERVICE.replace("  name: envoy", "  name: envoy\n  labels:\n    team: the shop"),
        6,
        'metadata.labels: Invalid value: "the shop": a valid label must be an empty string or consist of',
    ),
    "a port above 65535": Wrong(  # the one that all ways refused before they shared the rules
        SERVICE.replace("443", "70000"),
        8,
        "spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive",
    ),
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with lease() as network:
        yield from cluster_of(network, Clock(), tmp_path_factory.mktemp("kubectl"))


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_every_way_in_refuses_in_the_same_words(wrong: Wrong, cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(wrong.text)
    with pytest.raises(BadInput) as applied:
        check_references(load([path]), zones=["example.com"])
    checked = CliRunner().invoke(check, [str(path)])
    assert wrong.words in str(applied.value)
    assert isinstance(checked.exception, BadInput)
    assert str(checked.exception) == str(applied.value)
    assert str(applied.value).startswith(f"{path}:{wrong.line}: ")
    assert wrong.words in cluster.refused("apply", "-f", str(path))
    assert wrong.words in cluster.refused("apply", "--dry-run=server", "-f", str(path))
    assert cluster.store.list("Service") == cluster.store.list("Ingress") == []


@pytest.mark.parametrize("text", [SERVICE, INGRESS])
def test_every_way_in_takes_what_is_right(text: str, cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "right.yaml"
    path.write_text(text)
    assert len(load([path])) == 1
    cluster.ok("apply", "--dry-run=server", "-f", str(path))


def test_a_new_type_is_taken_without_a_word_about_what_the_old_one_held(cluster: Cluster) -> None:
    cluster.ok("apply", "-f", "-", text=SERVICE)
    cluster.ok("patch", "service", "envoy", "-p", '{"spec": {"type": "ClusterIP"}}')
    (stored,) = cluster.store.list("Service")
    assert "nodePort" not in stored["spec"]["ports"][0]
    cluster.ok("delete", "service", "envoy")


def test_rules_know_neither_the_api_nor_files() -> None:
    graph = grimp.build_graph("testbed", cache_dir=None)
    above = {"testbed.kubernetes.manifests", "testbed.kubernetes.object_store"}
    above |= graph.find_descendants("testbed.kubernetes.api")
    for rule in graph.find_children("testbed.kubernetes.rules"):
        assert graph.find_upstream_modules(rule).isdisjoint(above), rule


def refusal_of_the_api(item: Mapping[str, Any]) -> str:
    """The message of the API for a strict create, "" if it takes the object."""
    store = ObjectStore()
    store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
    resource = next(
        resource
        for resource in BUILT_IN
        if (resource.kind, resource.api_version) == (item["kind"], item["apiVersion"])
    )
    query = {"fieldValidation": "Strict", "dryRun": "All"}
    body = json.dumps(item).encode()
    try:
        Verbs(store, Clock()).create(
            Request("POST", resource, "default", "", "", query, "application/json", body=body)
        )
    except Refused as refusal:
        return str(refusal)
    return ""


def refusal_of_a_file(item: Mapping[str, Any]) -> str:
    """The words of a person's line without the object that they are about, "" if the file is read."""
    try:
        parse(json.dumps(item), FILE)
    except BadInput as refusal:
        return refusal.what.split(": ", 1)[1]
    return ""


def mostly(*right: Any, wrong: Sequence[Any]) -> st.SearchStrategy[Any]:
    """Mostly a right value: an object with twenty wrong fields is refused whatever the rules are."""
    odd = [*wrong, None, True, [], {}, 1.5]
    return st.sampled_from([*right * (20 * len(odd) // len(right)), *odd])


TEXTS = mostly(
    "a", "envoy", wrong=["", "A", "a b", "a.b", "-a", "x" * 16, "x" * 64, "1", "*.a.com", "10.0.0.1"]
)
NUMBERS = mostly(30000, 30001, wrong=[-1, 0, 80, 32768, 65536, 2**31, "a"])
BOOLEANS = mostly(True, False, wrong=["yes"])


def struct(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def lists(items: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(items, max_size=2)


PORT = st.fixed_dictionaries(
    {"port": NUMBERS, "name": TEXTS},
    optional={
        "targetPort": TEXTS | NUMBERS,
        "nodePort": NUMBERS,
        "protocol": mostly("TCP", "UDP", wrong=["tcp", ""]),
        "appProtocol": TEXTS,
    },
)
SERVICE_SPECS = st.fixed_dictionaries(
    {
        "type": mostly("LoadBalancer", "NodePort", "ClusterIP", wrong=["ExternalName", "Balancer", ""]),
        "ports": st.lists(PORT, min_size=1, max_size=2),
    },
    optional={
        "selector": st.dictionaries(st.just("app"), TEXTS),
        "clusterIP": mostly("", "10.100.0.1", wrong=["None"]),
        "externalName": TEXTS,
        "externalIPs": lists(mostly("10.0.0.1", "010.0.0.1", wrong=["127.0.0.1", "x"])),
        "externalTrafficPolicy": mostly("Local", "Cluster", wrong=["local", ""]),
        "healthCheckNodePort": NUMBERS,
        "loadBalancerClass": mostly("a/b", "service.k8s.aws/nlb", wrong=["", "a/b/c"]),
        "loadBalancerSourceRanges": lists(mostly("10.0.0.0/8", " ::/0", wrong=["10.0.0.0", "x/8", "::/129"])),
        "allocateLoadBalancerNodePorts": BOOLEANS,
        "sessionAffinity": mostly("None", "ClientIP", wrong=["", "IP"]),
        "sessionAffinityConfig": struct(clientIP=struct(timeoutSeconds=mostly(1, 86400, wrong=[0, 86401]))),
        "ipFamilies": lists(mostly("IPv4", wrong=["IPv5"])),
        "internalTrafficPolicy": mostly("Cluster", wrong=["Zone"]),
        "trafficDistribution": mostly("PreferClose", wrong=["Close"]),
    },
)
BACKENDS = st.one_of(
    *[st.fixed_dictionaries({"service": struct(name=TEXTS, port=struct(number=NUMBERS))})] * 3,
    struct(service=struct(name=TEXTS, port=struct(name=TEXTS, number=NUMBERS)), resource=struct(name=TEXTS)),
    st.fixed_dictionaries({"resource": struct(apiGroup=TEXTS, kind=TEXTS, name=TEXTS)}),
)
OLD_BACKENDS = st.fixed_dictionaries({"serviceName": TEXTS, "servicePort": TEXTS | NUMBERS}) | struct(
    serviceName=TEXTS, servicePort=NUMBERS, service=TEXTS
)


def ingress_specs(default: str, backends: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    path = st.fixed_dictionaries(
        {
            "pathType": mostly("Exact", "Prefix", "ImplementationSpecific", wrong=["prefix"]),
            "backend": backends,
        },
        optional={"path": mostly("/", "/a", wrong=["", "a", "/a//b", "/a/..", "/%2f"])},
    )
    rule = struct(
        host=mostly("a.com", "*.a.com", wrong=["A.com", "*.*.com", "10.0.0.1", "a.com:443"]),
        http=st.fixed_dictionaries({"paths": lists(path)}),
    )
    tls = struct(hosts=lists(mostly("a.com", "*.a.com", wrong=["A.com"])), secretName=TEXTS)
    return st.fixed_dictionaries(
        {"rules": st.lists(rule, min_size=1, max_size=2)},
        optional={"ingressClassName": TEXTS, "tls": lists(tls), default: backends, "rulez": st.just(())},
    )


ANNOTATIONS = {
    "kubernetes.io/ingress.class": TEXTS,
    "service.beta.kubernetes.io/load-balancer-source-ranges": mostly("10.0.0.0/8", wrong=["10.0.0.0/8,x"]),
    "Example.com/A": TEXTS,
}
METADATA = st.fixed_dictionaries(
    {"name": TEXTS},
    optional={
        "labels": st.dictionaries(TEXTS.map(str), TEXTS, max_size=2),
        "annotations": struct(**ANNOTATIONS),
    },
)
OBJECTS = st.one_of(
    st.fixed_dictionaries(
        {"apiVersion": st.just("v1"), "kind": st.just("Service"), "metadata": METADATA, "spec": SERVICE_SPECS}
    ),
    *(
        st.fixed_dictionaries(
            {
                "apiVersion": st.just(f"networking.k8s.io/{version}"),
                "kind": st.just("Ingress"),
                "metadata": METADATA,
                "spec": ingress_specs(default, backends),
            }
        )
        for version, default, backends in (
            ("v1", "defaultBackend", BACKENDS),
            ("v1beta1", "backend", OLD_BACKENDS),
        )
    ),
)


@given(OBJECTS)
def test_a_file_is_refused_exactly_where_the_api_refuses_and_in_its_words(item: dict[str, Any]) -> None:
    of_the_api, of_a_file = refusal_of_the_api(item), refusal_of_a_file(item)
    assert bool(of_a_file) == bool(of_the_api), (of_a_file, of_the_api)
    assert of_a_file in of_the_api


def test_a_placeholder_has_no_value_yet() -> None:
    text = INGRESS.replace("  rules:", "  tls:\n    - hosts: ['${HOST}']\n  rules:")
    (manifest,) = parse(text, FILE)
    assert manifest.object["spec"]["tls"] == [{"hosts": ["${HOST}"]}]
    assert "spec.tls[0].hosts[0]" in refusal_of_the_api(manifest.object)


def test_a_custom_resource_is_held_to_the_rules_of_metadata_only() -> None:
    item = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "1st"},
        "spec": {},
    }
    assert list(object_rules.problems(item)) == []
    item["metadata"] = {"name": "First"}
    assert [problem.field for problem in object_rules.problems(item)] == ["metadata.name"]
