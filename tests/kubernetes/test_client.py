"""The client does what kubectl does: the same objects, whichever of them an operator uses."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from testbed.clock import Clock
from testbed.errors import BadInput
from testbed.kubernetes import ObjectStore
from testbed.kubernetes.api.dispatch import Answer, Call, Dispatch
from testbed.kubernetes.api_errors import Conflict, Denied, Invalid, NotFound
from testbed.kubernetes.client import KubernetesClient
from testbed.kubernetes.client_transports import Https, InProcess
from testbed.kubernetes.last_applied import ANNOTATION
from testbed.network import Network
from tests.kubernetes.api.conftest import KUBECTL, Cluster, cluster_of

Item = dict[str, Any]


# --- the same story, told to kubectl and to the client ------------------------------------------------


@dataclass(frozen=True, slots=True)
class Apply:
    """The operator applies a manifest."""

    manifest: Item


@dataclass(frozen=True, slots=True)
class Annotate:
    """The operator annotates an object; None removes."""

    kind: str
    name: str
    annotations: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Delete:
    """The operator deletes an object."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Patched:
    """Somebody else patches an object by a merge patch."""

    path: str
    patch: Item


Step = Apply | Annotate | Delete | Patched


class ByKubectl:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def apply(self, item: Item) -> None:
        self._cluster.apply(item)

    def annotate(self, kind: str, name: str, annotations: Mapping[str, str | None]) -> None:
        words = [f"{key}-" if value is None else f"{key}={value}" for key, value in annotations.items()]
        self._cluster.ok("annotate", "--overwrite", kind, name, *words)

    def delete(self, kind: str, name: str) -> None:
        self._cluster.ok("delete", kind, name)


class ByClient:
    def __init__(self, client: KubernetesClient) -> None:
        self._client = client

    def apply(self, item: Item) -> None:
        self._client.apply(item)

    def annotate(self, kind: str, name: str, annotations: Mapping[str, str | None]) -> None:
        self._client.annotate(kind, None, name, annotations)

    def delete(self, kind: str, name: str) -> None:
        self._client.delete(kind, None, name)


def by_https(cluster: Cluster) -> ByClient:
    config = yaml.safe_load((cluster.folder / "kubeconfig").read_text())
    return ByClient(KubernetesClient(Https(config)))


WAYS: Mapping[str, Callable[[Cluster], ByKubectl | ByClient]] = {
    "kubectl": ByKubectl,
    "in process": lambda cluster: ByClient(KubernetesClient(InProcess(cluster.store, cluster.clock))),
    "https": by_https,
}


def played(network: Network, folder: Path, way: str, steps: Sequence[Step]) -> list[Item]:
    """What the store holds at the end, without times."""
    folder.mkdir()
    with contextlib.contextmanager(cluster_of)(network, Clock(), folder) as cluster:
        operator = WAYS[way](cluster)
        for step in steps:
            match step:
                case Apply(manifest):
                    operator.apply(manifest)
                case Annotate(kind, name, annotations):
                    operator.annotate(kind, name, annotations)
                case Delete(kind, name):
                    operator.delete(kind, name)
                case Patched(path, patch):
                    merge(cluster.store, path, patch)
        return [without_times(item) for item in cluster.store.list_all()]


def merge(store: ObjectStore, path: str, patch: Item) -> None:
    call = Call("PATCH", path, {}, "application/merge-patch+json", agent="other", body=orjson.dumps(patch))
    answer = Dispatch(store, Clock()).answer(call)
    assert answer.code == 200, answer


def without_times(item: Item) -> Item:
    def walk(node: Any) -> Any:
        if isinstance(node, dict):
            times = ("time", "creationTimestamp", "lastTransitionTime")
            return {key: walk(value) for key, value in node.items() if key not in times}
        return [walk(one) for one in node] if isinstance(node, list) else node

    found: Item = walk(item)
    return found


# --- the manifests ------------------------------------------------------------------------------------


def service(*ports: Item, annotations: Item | None = None, **spec: Any) -> Item:
    metadata = {"name": "web", **({"annotations": annotations} if annotations is not None else {})}
    listed = list(ports) or [{"name": "https", "port": 443, "targetPort": 8443}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": listed, **spec},
    }


def port(number: int, name: str = "", protocol: str = "TCP", target: int | str = 8443) -> Item:
    return {"name": name or f"p{number}", "port": number, "protocol": protocol, "targetPort": target}


def ingress(version: str, *paths: str, **metadata: Any) -> Item:
    old = {"serviceName": "web", "servicePort": 443}
    backend = old if version.endswith("beta1") else {"service": {"name": "web", "port": {"number": 443}}}
    rule = [{"path": path, "pathType": "Prefix", "backend": backend} for path in paths]
    return {
        "apiVersion": version,
        "kind": "Ingress",
        "metadata": {"name": "web", **metadata},
        "spec": {"rules": [{"host": "api.example.com", "http": {"paths": rule}}]},
    }


def deployment(*containers: Item, strategy: Item, volumes: list[Item]) -> Item:
    labels = {"app": "web"}
    pod = {"containers": list(containers), "volumes": volumes}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": labels},
            "strategy": strategy,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


DEFINITION: Item = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                },
            }
        ],
    },
}


def widget(**spec: Any) -> Item:
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": spec}


SERVICE = "/api/v1/namespaces/default/services/web"
WIDGET = "/apis/example.com/v1/namespaces/default/widgets/w"
INGRESS = "/apis/networking.k8s.io/v1/namespaces/default/ingresses/web"
WEB = {"name": "web", "image": "web:1"}

STORIES: Mapping[str, Sequence[Step]] = {
    "a patched field that no manifest names stays": (
        Apply(service()),
        Patched(SERVICE, {"spec": {"externalTrafficPolicy": "Local"}}),
        Patched(SERVICE, {"spec": {"loadBalancerSourceRanges": ["10.0.0.0/8"]}}),
        Apply(service()),
    ),
    "a patched field that the manifest names is set back": (
        Apply(service(externalTrafficPolicy="Cluster")),
        Patched(SERVICE, {"spec": {"externalTrafficPolicy": "Local", "selector": {"app": "other"}}}),
        Apply(service(externalTrafficPolicy="Cluster")),
    ),
    "a field that the manifest no longer names goes": (
        Apply(service(loadBalancerSourceRanges=["10.0.0.0/8"], selector={"app": "web", "tier": "front"})),
        Apply(service()),
    ),
    "a field that only somebody else set stays when another goes": (
        Apply(service(selector={"app": "web", "tier": "front"})),
        Patched(SERVICE, {"spec": {"selector": {"zone": "a"}}}),
        Apply(service(selector={"app": "web"})),
    ),
    "a list that is one value is replaced whole": (
        Apply(service(loadBalancerSourceRanges=["10.0.0.0/8"])),
        Patched(SERVICE, {"spec": {"loadBalancerSourceRanges": ["10.0.0.0/8", "192.168.0.0/16"]}}),
        Apply(service(loadBalancerSourceRanges=["172.16.0.0/12"])),
    ),
    "ports are merged by their number": (
        Apply(service(port(443), port(80))),
        Apply(service(port(443, target=9443), port(80), port(8080))),
        Apply(service(port(8080), port(443, target="https"))),
    ),
    "ports in another order": (
        Apply(service(port(443), port(80), port(8080))),
        Apply(service(port(8080), port(443), port(80))),
    ),
    "a port that somebody else added stays": (
        Apply(service(port(443))),
        Patched(SERVICE, {"spec": {"ports": [port(80), port(443)]}}),
        Apply(service(port(443, target=9443))),
    ),
    "a port keeps what was allocated for it when it is renamed": (
        Apply(service(port(443))),
        Apply(service(port(443, name="other"))),
    ),
    "two ports of one number and two protocols": (
        Apply(service(port(53, "tcp"), port(53, "udp", "UDP"))),
        Apply(service(port(53, "tcp"), port(53, "udp", "UDP"))),
        Apply(service(port(53, "tcp"), port(53, "udp", "UDP"), selector={"app": "other"})),
    ),
    "annotations of others stay, those that left the manifest go": (
        Apply(service(annotations={"mine": "1", "also-mine": "2"})),
        Annotate("Service", "web", {"theirs": "3"}),
        Apply(service(annotations={"mine": "4"})),
    ),
    "an annotation that was taken away comes back": (
        Apply(service(annotations={"mine": "1"})),
        Annotate("Service", "web", {"mine": None}),
        Apply(service(annotations={"mine": "1"})),
    ),
    "a manifest without annotations takes away the last one": (
        Apply(service(annotations={"mine": "1"})),
        Apply(service()),
    ),
    "characters that Go escapes": (
        Apply(service(annotations={"mine": 'a<b>&c "d" \\ \u2028 ü'})),
        Apply(service(annotations={"mine": 'a<b>&c "d" \\ \u2028 ü'})),
    ),
    "null takes away what somebody else set": (
        Apply(service()),
        Patched(SERVICE, {"spec": {"loadBalancerSourceRanges": ["10.0.0.0/8"]}}),
        Apply(service(loadBalancerSourceRanges=None)),
        Apply(service(loadBalancerSourceRanges=None)),
    ),
    "an object that nobody applied": (
        Patched("/api/v1/namespaces/default", {"metadata": {"labels": {"a": "1"}}}),
        Apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}),
        Apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default", "labels": {"b": "2"}}}
        ),
        Apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}),
    ),
    "an Ingress of today": (
        Apply(ingress("networking.k8s.io/v1", "/a", "/b")),
        Patched(INGRESS, {"spec": {"ingressClassName": "alb"}}),
        Apply(ingress("networking.k8s.io/v1", "/b")),
    ),
    "an Ingress of the story's version": (
        Apply(ingress("networking.k8s.io/v1beta1", "/a", annotations={"a": "1"})),
        Patched(INGRESS, {"spec": {"ingressClassName": "alb"}}),
        Apply(ingress("networking.k8s.io/v1beta1", "/a", "/b")),
        Apply(ingress("networking.k8s.io/v1", "/b")),
    ),
    "containers, volumes and a strategy": (
        Apply(
            deployment(
                {**WEB, "ports": [{"containerPort": 80}], "env": [{"name": "A", "value": "1"}]},
                {"name": "side", "image": "side:1"},
                strategy={"type": "RollingUpdate"},
                volumes=[
                    {"name": "data", "emptyDir": {"medium": "Memory"}},
                    {"name": "more", "emptyDir": {}},
                ],
            )
        ),
        Patched(
            "/apis/apps/v1/namespaces/default/deployments/web",
            {"spec": {"replicas": 3, "strategy": {"rollingUpdate": {"maxUnavailable": 2}}}},
        ),
        Apply(
            deployment(
                {**WEB, "image": "web:2", "env": [{"name": "B", "value": "2"}]},
                strategy={"type": "Recreate"},
                volumes=[{"name": "data", "configMap": {"name": "c"}}],
            )
        ),
    ),
    "finalizers are a set": (
        Apply(ingress("networking.k8s.io/v1", "/", finalizers=["a.example.com/a", "a.example.com/b"])),
        Patched(
            INGRESS,
            {"metadata": {"finalizers": ["a.example.com/a", "a.example.com/b", "b.example.com/theirs"]}},
        ),
        Apply(ingress("networking.k8s.io/v1", "/", finalizers=["a.example.com/c", "a.example.com/b"])),
    ),
    "a custom resource": (
        Apply(DEFINITION),
        Apply(widget(size=1, colour="red", parts=[{"name": "a", "n": 1}], nested={"a": 1, "b": 2})),
        Patched(WIDGET, {"spec": {"owner": "me", "size": 2, "parts": [], "nested": {"c": 3}}}),
        Apply(widget(size=1, parts=[{"name": "b"}], nested={"a": 1}, empty={})),
    ),
    "null in a custom resource": (
        Apply(DEFINITION),
        Apply(widget(size=1, a=1)),
        Patched(WIDGET, {"spec": {"b": 2, "c": 3}}),
        Apply(widget(size=1, a=None, b=None)),
        Patched(WIDGET, {"spec": {"b": 4}}),
        Apply(widget(size=2, a=None, b=None)),
    ),
    "a definition of a custom resource": (
        Apply(DEFINITION),
        Apply(
            {**DEFINITION, "spec": {**DEFINITION["spec"], "names": {"plural": "widgets", "kind": "Gadget"}}}
        ),
    ),
    "a kind of the AWS controller": (
        Apply(
            {
                "apiVersion": "elbv2.k8s.aws/v1beta1",
                "kind": "IngressClassParams",
                "metadata": {"name": "alb"},
                "spec": {"scheme": "internal", "tags": [{"key": "a", "value": "1"}]},
            }
        ),
        Apply(
            {
                "apiVersion": "elbv2.k8s.aws/v1beta1",
                "kind": "IngressClassParams",
                "metadata": {"name": "alb"},
                "spec": {"tags": [{"key": "b", "value": "1"}]},
            }
        ),
    ),
    "a version that has gone from Kubernetes since": (
        Apply(
            {
                "apiVersion": "policy/v1beta1",
                "kind": "PodDisruptionBudget",
                "metadata": {"name": "web"},
                "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
            }
        ),
        Apply(
            {
                "apiVersion": "policy/v1beta1",
                "kind": "PodDisruptionBudget",
                "metadata": {"name": "web"},
                "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}},
            }
        ),
    ),
    "annotate what is annotated already": (
        Apply(service(annotations={"a": "1"})),
        Annotate("Service", "web", {"a": "1", "b": None}),
        Annotate("Service", "web", {"a": "2", "b": "3"}),
    ),
    "delete": (
        Apply(service()),
        Apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}),
        Apply(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "c", "namespace": "shop"},
                "data": {},
            }
        ),
        Delete("Service", "web"),
        Delete("Namespace", "shop"),
    ),
}


@pytest.fixture
def kubectl() -> None:
    if not KUBECTL.exists():
        pytest.skip("no kubectl: install the dev extra")


@pytest.mark.parametrize("steps", STORIES.values(), ids=STORIES)
def test_the_client_leaves_the_same_objects_as_kubectl(
    kubectl: None, network: Network, tmp_path: Path, steps: Sequence[Step]
) -> None:
    expected = played(network, tmp_path / "kubectl", "kubectl", steps)
    for number, way in enumerate(("in process", "https")):
        assert played(network, tmp_path / str(number), way, steps) == expected, way


# --- what it returns, and what it refuses -------------------------------------------------------------


@pytest.fixture
def store() -> ObjectStore:
    store = ObjectStore(Clock())
    store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
    return store


@pytest.fixture
def client(store: ObjectStore) -> KubernetesClient:
    return KubernetesClient(InProcess(store, Clock()))


def test_get_returns_the_object_or_none(client: KubernetesClient) -> None:
    made = client.apply(service())
    assert client.get("Service", "default", "web") == made
    assert client.get("Service", None, "web") == made
    assert client.get("Service", "default", "absent") is None


def test_a_list_is_of_one_namespace_or_of_all(client: KubernetesClient, store: ObjectStore) -> None:
    client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    client.apply(service())
    item = service()
    client.apply({**item, "metadata": {"name": "other", "namespace": "shop"}})
    assert [one["metadata"]["name"] for one in client.list("Service")] == ["web", "other"]
    assert [one["metadata"]["name"] for one in client.list("Service", "shop")] == ["other"]
    listed = client.list("Service", "shop")[0]
    assert (listed["apiVersion"], listed["kind"]) == ("v1", "Service")


def test_objects_of_a_custom_resource_are_found_by_kind_and_group(client: KubernetesClient) -> None:
    client.apply(DEFINITION)
    client.apply(widget(size=1))
    found = client.get("Widget.example.com", None, "w")
    assert found
    assert found["spec"] == {"size": 1}
    client.annotate("Widget.example.com", None, "w", {"a": "1"})
    assert client.list("Widget.example.com")[0]["metadata"]["annotations"]["a"] == "1"
    client.delete("Widget.example.com", None, "w")
    assert client.list("Widget.example.com") == []


def test_a_kind_that_nobody_defined_is_refused_in_kubectls_words(client: KubernetesClient) -> None:
    with pytest.raises(
        NotFound, match=r'no matches for kind "Widget" in version "example.com/v1"; ensure CRDs'
    ):
        client.apply(widget())
    with pytest.raises(NotFound, match="the server doesn't have a resource type"):
        client.list("Widget.example.com")


@pytest.mark.parametrize("way", ["in process", "https"])
def test_refusals_have_the_api_servers_words(network: Network, tmp_path: Path, way: str) -> None:
    with contextlib.contextmanager(cluster_of)(network, Clock(), tmp_path) as cluster:
        operator = WAYS[way](cluster)
        wrong = (
            'Service "web" is invalid: spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535'
        )
        with pytest.raises(Invalid) as refused:
            operator.apply(service(port(70000, "https")))
        assert refused.value.what.startswith(wrong)
        with pytest.raises(NotFound, match='services "absent" not found'):
            operator.annotate("Service", "absent", {"a": "1"})
        with pytest.raises(NotFound, match='services "absent" not found'):
            operator.delete("Service", "absent")
        with pytest.raises(NotFound, match='namespaces "nowhere" not found'):
            operator.apply({**service(), "metadata": {"name": "web", "namespace": "nowhere"}})
        with pytest.raises(BadInput, match=r'strict decoding error: unknown field "spec.porst"'):
            operator.apply(service(porst=1))

        def refuse(item: Item, old: Item | None) -> None:
            raise Denied('admission webhook "vingress.elbv2.k8s.aws" denied the request: no')

        cluster.store.webhooks.append(refuse)
        with pytest.raises(Denied, match=r"admission webhook .* denied the request: no"):
            operator.apply(service())
        assert cluster.store.list("Service") == []


def test_the_balancer_of_another_controller_is_in_the_status(client: KubernetesClient) -> None:
    client.apply(service(port(443)))
    client.set_balancer("Service", "default", "web", "a.elb.eu-west-1.amazonaws.com")
    held = client.get("Service", "default", "web")
    assert held
    assert held["status"] == {"loadBalancer": {"ingress": [{"hostname": "a.elb.eu-west-1.amazonaws.com"}]}}
    with pytest.raises(NotFound):
        client.set_balancer("Service", "default", "nowhere", "a.elb.eu-west-1.amazonaws.com")


def test_an_object_that_a_finalizer_holds_stays_in_deletion(client: KubernetesClient) -> None:
    client.apply(ingress("networking.k8s.io/v1", "/", finalizers=["a.example.com/hold"]))
    client.delete("Ingress", None, "web")
    held = client.get("Ingress", None, "web")
    assert held
    assert held["metadata"]["deletionTimestamp"]


def test_a_manifest_that_was_exported_from_another_cluster_is_applied_again_and_again(
    client: KubernetesClient, store: ObjectStore
) -> None:
    exported = {
        **service(),
        "metadata": {
            "name": "web",
            "namespace": "default",
            "uid": "1",
            "resourceVersion": "12345",
            "creationTimestamp": "2020-01-01T00:00:00Z",
            "managedFields": [{"manager": "x"}],
            "annotations": {ANNOTATION: "{}", "a": "1"},
        },
        "status": {"loadBalancer": {"ingress": [{"hostname": "nlb.example.com"}]}},
    }
    first = client.apply(exported)
    assert client.apply(exported) == first
    changed = client.apply({**exported, "spec": service(port(80))["spec"]})
    assert [one["port"] for one in changed["spec"]["ports"]] == [80]
    assert changed["metadata"]["uid"] == first["metadata"]["uid"] != "1"


def test_writes_are_owned_by_the_managers_that_kubectl_names(client: KubernetesClient) -> None:
    client.apply(service())
    found = client.annotate("Service", None, "web", {"a": "1"})
    managers = [entry["manager"] for entry in found["metadata"]["managedFields"]]
    assert managers == ["kubectl-client-side-apply", "kubectl-annotate"]


class Overtaken:
    """A transport on which somebody else writes just before each patch, `times` times."""

    def __init__(self, store: ObjectStore, times: int) -> None:
        self._inner, self._times = InProcess(store, Clock()), times
        self.patches = 0

    def send(self, call: Call) -> Answer:
        if call.method != "PATCH":
            return self._inner.send(call)
        self.patches += 1
        if self.patches > self._times:
            return self._inner.send(call)
        status = {
            "kind": "Status",
            "status": "Failure",
            "reason": "Conflict",
            "message": "modified",
            "code": 409,
        }
        return Answer(409, orjson.dumps(status))


def test_apply_tries_again_when_somebody_else_was_faster(store: ObjectStore) -> None:
    KubernetesClient(InProcess(store, Clock())).apply(service())
    transport = Overtaken(store, 4)
    KubernetesClient(transport).apply(service(port(80)))
    assert transport.patches == 5
    with pytest.raises(Conflict, match="modified"):
        KubernetesClient(Overtaken(store, 5)).apply(service(port(443)))


def test_two_ports_of_one_number_go_together_as_with_kubectl(
    kubectl: None, network: Network, tmp_path: Path
) -> None:
    both, one = service(port(53, "tcp"), port(53, "udp", "UDP")), service(port(53, "tcp"))
    with contextlib.contextmanager(cluster_of)(network, Clock(), tmp_path) as cluster:
        cluster.apply(both)
        said = cluster.refused("apply", "-f", "-", text=yaml.safe_dump(one))
        with pytest.raises(Invalid) as refused:
            by_https(cluster).apply(one)
    assert refused.value.what == 'Service "web" is invalid: spec.ports: Required value'
    assert "spec.ports: Required value" in said


# --- apply twice --------------------------------------------------------------------------------------

# One protocol a number: of two ports of one number kubectl deletes both when one goes (kubernetes#39188).
PORTS = st.lists(
    st.builds(port, st.sampled_from([53, 80, 443]), st.just(""), st.sampled_from(["TCP", "UDP"])),
    unique_by=lambda one: one["port"],
    min_size=1,
).map(lambda ports: [{**one, "name": f"p{number}"} for number, one in enumerate(ports)])
SPECS = st.fixed_dictionaries(
    {"ports": PORTS},
    optional={
        "selector": st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"), max_size=2),
        "loadBalancerSourceRanges": st.sampled_from([[], ["10.0.0.0/8"], ["10.0.0.0/8", "172.16.0.0/12"]]),
        "externalTrafficPolicy": st.sampled_from(["Local", "Cluster"]),
        "sessionAffinity": st.sampled_from(["None", "ClientIP"]),
    },
)
ANNOTATIONS = st.none() | st.dictionaries(st.sampled_from("abc"), st.sampled_from("12&"), max_size=3)
MANIFESTS = st.builds(lambda spec, annotations: service(annotations=annotations, **spec), SPECS, ANNOTATIONS)
PATCHES = st.fixed_dictionaries(
    {},
    optional={
        "spec": st.fixed_dictionaries(
            {},
            optional={
                "externalTrafficPolicy": st.sampled_from(["Local", "Cluster"]),
                "loadBalancerSourceRanges": st.sampled_from([["192.168.0.0/16"], None]),
                "selector": st.sampled_from([{"z": "1"}, {"a": None}, None]),
            },
        ),
        "metadata": st.fixed_dictionaries(
            {"annotations": st.dictionaries(st.sampled_from("abz"), st.none() | st.just("3"))}
        ),
    },
)


@given(first=MANIFESTS, patch=PATCHES, second=MANIFESTS)
def test_applying_again_writes_nothing_and_the_manifest_holds(first: Item, patch: Item, second: Item) -> None:
    store = ObjectStore(Clock())
    store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
    client = KubernetesClient(InProcess(store, Clock()))
    client.apply(first)
    merge(store, SERVICE, patch)
    applied = client.apply(second)
    revision = store.revision
    assert client.apply(second) == applied
    assert store.revision == revision
    spec, wanted = applied["spec"], second["spec"]
    scalars = ("externalTrafficPolicy", "sessionAffinity", "loadBalancerSourceRanges")
    assert {key: spec.get(key) for key in scalars if key in wanted} == {
        key: wanted[key] for key in scalars if key in wanted
    }
    assert (wanted.get("selector") or {}).items() <= (spec.get("selector") or {}).items()
    assert (second["metadata"].get("annotations") or {}).items() <= applied["metadata"]["annotations"].items()
    assert {one["port"] for one in wanted["ports"]} == {one["port"] for one in spec["ports"]}
