"""The real kubectl against the real server: what an operator types, and what the store then holds."""

from __future__ import annotations

import json
import ssl
import threading
import urllib.request
from typing import Any

import pytest
import yaml

from testbed.errors import Missing
from testbed.kubernetes.api.api_server import KubernetesApi
from testbed.kubernetes.api.dispatch import Call
from testbed.kubernetes.client import KubernetesClient
from testbed.kubernetes.client_transports import Https, InProcess
from testbed.kubernetes.last_applied import ANNOTATION
from testbed.network import KUBERNETES_PORT, Network
from testbed.runtime.loop_thread import LoopThread
from tests.kubernetes.api.conftest import TOKEN, Cluster
from tests.kubernetes.manifests_of_the_story import service

HOSTNAME = "external-dns.alpha.kubernetes.io/hostname"
INGRESS: dict[str, Any] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "web"},
    "spec": {
        "rules": [
            {
                "host": "api.example.com",
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "envoy", "port": {"number": 443}}},
                        }
                    ]
                },
            }
        ]
    },
}
OLD_INGRESS: dict[str, Any] = {
    "apiVersion": "networking.k8s.io/v1beta1",
    "kind": "Ingress",
    "metadata": {"name": "old"},
    "spec": {"rules": [{"http": {"paths": [{"backend": {"serviceName": "envoy", "servicePort": 443}}]}}]},
}


def test_what_kubectl_applies_is_in_the_store_at_once(cluster: Cluster) -> None:
    item = service(annotations={HOSTNAME: "api.example.com"})
    assert cluster.apply(item) == "service/envoy created\n"
    stored = cluster.store.get("Service", "default", "envoy")
    assert stored
    assert stored["spec"]["ports"][0]["nodePort"]
    assert cluster.apply(item) == "service/envoy unchanged\n"
    assert cluster.apply(service(annotations={})) == "service/envoy configured\n"
    stored = cluster.store.get("Service", "default", "envoy")
    assert stored
    assert HOSTNAME not in stored["metadata"]["annotations"]


def test_an_annotation_is_added_overwritten_and_removed(cluster: Cluster) -> None:
    cluster.store.create(service())
    cluster.ok("annotate", "service", "envoy", f"{HOSTNAME}=a.example.com")
    assert "--overwrite" in cluster.refused("annotate", "service", "envoy", f"{HOSTNAME}=b.example.com")
    cluster.ok("annotate", "--overwrite", "service", "envoy", f"{HOSTNAME}=b.example.com")
    shown = yaml.safe_load(cluster.ok("get", "service", "envoy", "-o", "yaml"))
    assert shown["metadata"]["annotations"] == {HOSTNAME: "b.example.com"}
    cluster.ok("annotate", "service", "envoy", f"{HOSTNAME}-")
    stored = cluster.store.get("Service", "default", "envoy")
    assert stored
    assert not stored["metadata"].get("annotations")


def test_get_prints_the_columns_of_a_real_cluster(cluster: Cluster) -> None:
    cluster.store.create(service(clusterIP="10.100.0.9", ports=[{"port": 443, "nodePort": 30443}]))
    cluster.store.create(service("plain", kind_of_service="ClusterIP", clusterIP="None"))
    cluster.store.update_status(
        "Service", "default", "envoy", {"loadBalancer": {"ingress": [{"hostname": "nlb.example.com"}]}}
    )
    rows = [line.split() for line in cluster.ok("get", "svc", "-o", "wide").splitlines()]
    assert rows[0] == ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE", "SELECTOR"]
    assert rows[1][:5] == ["envoy", "LoadBalancer", "10.100.0.9", "nlb.example.com", "443:30443/TCP"]
    assert rows[1][6] == "app=envoy"
    assert rows[2][:5] == ["plain", "ClusterIP", "None", "<none>", "443/TCP"]
    cluster.apply(INGRESS)
    rows = [line.split() for line in cluster.ok("get", "ingress").splitlines()]
    assert rows[0] == ["NAME", "CLASS", "HOSTS", "ADDRESS", "PORTS", "AGE"]
    assert rows[1][:4] == ["web", "<none>", "api.example.com", "80"]


def test_a_watch_prints_each_change(cluster: Cluster) -> None:
    cluster.store.create(service())
    watching = cluster.start("get", "service", "-w", "-o", "name", "--request-timeout=30s")
    try:
        assert watching.stdout
        assert watching.stdout.readline() == "service/envoy\n"
        cluster.store.patch("Service", "default", "envoy", {"metadata": {"annotations": {"a": "1"}}})
        assert watching.stdout.readline() == "service/envoy\n"
        cluster.store.create(service("second"))
        assert watching.stdout.readline() == "service/second\n"
    finally:
        watching.kill()
        watching.communicate()


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("strategic", '{"spec":{"ports":[{"port":443,"targetPort":9443}]}}'),
        ("merge", '{"spec":{"ports":[{"name":"https","port":443,"targetPort":9443}]}}'),
        ("json", '[{"op":"replace","path":"/spec/ports/0/targetPort","value":9443}]'),
    ],
)
def test_every_kind_of_patch_changes_what_it_names(cluster: Cluster, kind: str, patch: str) -> None:
    cluster.store.create(service())
    cluster.ok("patch", "service", "envoy", "--type", kind, "-p", patch)
    stored = cluster.store.get("Service", "default", "envoy")
    assert stored
    assert [(port["name"], port["targetPort"]) for port in stored["spec"]["ports"]] == [("https", 9443)]
    assert stored["spec"]["selector"] == {"app": "envoy"}


def test_a_patch_that_does_not_fit_is_refused(cluster: Cluster) -> None:
    cluster.store.create(service())
    patch = '[{"op":"test","path":"/spec/type","value":"ClusterIP"}]'
    assert "the server rejected our request" in cluster.refused(
        "patch", "service", "envoy", "--type", "json", "-p", patch
    )


def test_diff_shows_what_apply_would_change_and_changes_nothing(cluster: Cluster) -> None:
    cluster.apply(service())
    before = cluster.store.get("Service", "default", "envoy")
    answer = cluster.kubectl("diff", "-f", "-", text=yaml.safe_dump(service(annotations={"new": "1"})))
    assert answer.code == 1
    assert '+    new: "1"' in answer.stdout
    assert cluster.store.get("Service", "default", "envoy") == before
    assert cluster.kubectl("diff", "-f", "-", text=yaml.safe_dump(service())).code == 0


def test_describe_tells_of_the_pods_behind_a_service_and_of_its_events(cluster: Cluster) -> None:
    item = cluster.store.create(service())
    cluster.store.record_event(item, "Warning", "SyncLoadBalancerFailed", "no subnets")
    cluster.store.create(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "envoy-1", "labels": {"kubernetes.io/service-name": "envoy"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["127.9.9.9"], "conditions": {"ready": True}}],
            "ports": [{"name": "https", "port": 8443, "protocol": "TCP"}],
        }
    )
    shown = cluster.ok("describe", "service", "envoy")
    assert "127.9.9.9:8443" in shown
    assert "SyncLoadBalancerFailed" in shown
    assert "no subnets" in cluster.ok("events", "--for", "service/envoy")
    assert "SyncLoadBalancerFailed" in cluster.ok("get", "events", "--field-selector", "type=Warning")
    assert "No resources found" in cluster.kubectl("get", "events", "--field-selector", "type=Normal").stderr


def test_labels_select(cluster: Cluster) -> None:
    cluster.store.create(service("a"))
    cluster.store.create(service("b"))
    cluster.ok("label", "service", "a", "tier=front")
    assert cluster.ok("get", "service", "-l", "tier in (front,back)", "-o", "name") == "service/a\n"
    assert cluster.ok("get", "service", "-l", "!tier", "-o", "name") == "service/b\n"
    assert cluster.ok("get", "service", "--field-selector", "metadata.name!=a", "-o", "name") == "service/b\n"


def test_wait_ends_when_the_field_has_its_value(cluster: Cluster) -> None:
    cluster.store.create(service())
    waiting = cluster.start(
        "wait", "service/envoy", "--for=jsonpath={.status.loadBalancer.ingress}", "--timeout=60s"
    )
    status = {"loadBalancer": {"ingress": [{"hostname": "nlb.example.com"}]}}
    cluster.store.update_status("Service", "default", "envoy", status)
    stdout, _ = waiting.communicate(timeout=60)
    assert stdout == "service/envoy condition met\n"


def test_delete_waits_for_the_finalizers(cluster: Cluster) -> None:
    cluster.store.create(service())
    cluster.store.patch("Service", "default", "envoy", {"metadata": {"finalizers": ["hold.example.com/it"]}})
    deleting = cluster.start("delete", "service", "envoy")
    with cluster.store.watch(["Service"]) as watch:
        while (event := watch.get(60)) and not event.object["metadata"].get("deletionTimestamp"):
            pass
    assert deleting.poll() is None
    cluster.ok("patch", "service", "envoy", "-p", '{"metadata":{"finalizers":null}}')
    deleting.communicate(timeout=60)
    assert deleting.returncode == 0
    assert cluster.store.get("Service", "default", "envoy") is None
    assert "NotFound" in cluster.refused("delete", "service", "envoy")


def test_what_depends_on_a_deleted_object_goes_or_stays_as_asked(cluster: Cluster) -> None:
    for name, policy in (("a", "background"), ("b", "orphan"), ("c", "foreground")):
        owner = cluster.store.create(service(name))
        reference = {"apiVersion": "v1", "kind": "Service", "name": name, "uid": owner["metadata"]["uid"]}
        metadata = {"name": name, "ownerReferences": [reference]}
        cluster.store.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
        cluster.ok("delete", "service", name, f"--cascade={policy}")
    left = cluster.store.list("ConfigMap")
    assert [item["metadata"]["name"] for item in left] == ["b"]
    assert "ownerReferences" not in left[0]["metadata"]


def test_a_namespace_goes_with_all_that_is_in_it(cluster: Cluster) -> None:
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "prod"}})
    cluster.ok("-n", "prod", "apply", "-f", "-", text=yaml.safe_dump(service()))
    assert cluster.store.get("Service", "prod", "envoy")
    cluster.ok("delete", "namespace", "prod")
    assert cluster.store.get("Namespace", None, "prod") is None
    assert cluster.store.get("Service", "prod", "envoy") is None
    refusal = cluster.refused("-n", "prod", "apply", "-f", "-", text=yaml.safe_dump(service()))
    assert 'namespaces "prod" not found' in refusal


def test_deletecollection_takes_what_the_selector_chooses(cluster: Cluster) -> None:
    cluster.store.create(service("a"))
    cluster.store.create(service("b"))
    cluster.ok("label", "service", "a", "tier=front")
    cluster.ok("delete", "service", "-l", "tier=front")
    assert [item["metadata"]["name"] for item in cluster.store.list("Service")] == ["b"]


def test_server_side_apply_owns_fields_and_refuses_to_take_those_of_others(cluster: Cluster) -> None:
    def text(port: int, **annotations: str) -> str:
        item = service(annotations=annotations)
        item["spec"]["ports"][0]["targetPort"] = port
        return yaml.safe_dump(item)

    cluster.ok("apply", "--server-side", "-f", "-", text=text(8443, mine="1"))
    first = cluster.store.get("Service", "default", "envoy")
    cluster.ok("apply", "--server-side", "-f", "-", text=text(8443, mine="1"))
    assert cluster.store.get("Service", "default", "envoy") == first
    other = ("apply", "--server-side", "--field-manager=other", "-f", "-")
    refusal = cluster.refused(*other, text=text(9443))
    assert 'conflict with "kubectl": .spec.ports[port=443,protocol="TCP"].targetPort' in refusal
    cluster.ok(*other, "--force-conflicts", text=text(9443, theirs="2"))
    stored = cluster.store.get("Service", "default", "envoy")
    assert stored
    assert stored["spec"]["ports"][0]["targetPort"] == 9443
    assert stored["metadata"]["annotations"] == {"mine": "1", "theirs": "2"}
    cluster.ok(*other, text=text(9443))
    stored = cluster.store.get("Service", "default", "envoy")
    assert stored
    assert stored["metadata"]["annotations"] == {"mine": "1"}
    managers = {one["manager"]: one["operation"] for one in stored["metadata"]["managedFields"]}
    assert managers == {"kubectl": "Apply", "other": "Apply"}


def test_a_dry_run_of_the_server_changes_nothing(cluster: Cluster) -> None:
    text = yaml.safe_dump(service())
    shown = yaml.safe_load(cluster.ok("apply", "--dry-run=server", "-o", "yaml", "-f", "-", text=text))
    assert shown["spec"]["clusterIP"]
    assert cluster.store.list("Service") == []
    cluster.store.create(service())
    cluster.ok("delete", "service", "envoy", "--dry-run=server")
    assert cluster.store.get("Service", "default", "envoy")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metadata": {"name": "Bad"}}, 'metadata.name: Invalid value: "Bad": a DNS-1035 label must'),
        ({"spec": {"ports": []}}, "spec.ports: Required value"),
        ({"spec": {"porst": []}}, 'strict decoding error: unknown field "spec.porst"'),
        (
            {"spec": {"type": "Outside", "ports": [{"port": 1}]}},
            'spec.type: Unsupported value: "Outside": supported values: "ClusterIP", "ExternalName"',
        ),
        (
            {"spec": {"ports": [{"port": 70000}]}},
            "spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive",
        ),
        (
            {"spec": {"ports": [{"port": "80"}]}},
            "json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32",
        ),
        ({"spec": {"ports": [{"port": 1}, {"port": 2}]}}, "spec.ports[0].name: Required value"),
    ],
)
def test_a_wrong_service_is_refused_in_the_api_servers_words(
    cluster: Cluster, change: dict[str, Any], words: str
) -> None:
    item = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "envoy"}, **change}
    item.setdefault("spec", {"ports": [{"port": 80}]})
    assert words in cluster.refused("apply", "-f", "-", text=yaml.safe_dump(item))
    assert cluster.store.list("Service") == []


def test_a_wrong_ingress_is_refused_in_the_api_servers_words(cluster: Cluster) -> None:
    paths = [{"path": "foo", "pathType": "Prefix", "backend": {"service": {"name": "x"}}}]
    rules = [{"host": "10.0.0.1", "http": {"paths": paths}}]
    refusal = cluster.refused("apply", "-f", "-", text=yaml.safe_dump({**INGRESS, "spec": {"rules": rules}}))
    assert 'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address' in refusal
    assert 'http.paths[0].path: Invalid value: "foo": must be an absolute path' in refusal
    assert "http.paths[0].backend: Required value: port name or number is required" in refusal


def test_an_ingress_of_the_storys_version_is_stored_in_todays(cluster: Cluster) -> None:
    answer = cluster.kubectl("apply", "-f", "-", text=yaml.safe_dump(OLD_INGRESS))
    assert "networking.k8s.io/v1beta1 Ingress is deprecated in v1.19+, unavailable in v1.22+" in answer.stderr
    stored = cluster.store.get("Ingress", "default", "old")
    assert stored
    backend = stored["spec"]["rules"][0]["http"]["paths"][0]["backend"]
    assert backend == {"service": {"name": "envoy", "port": {"number": 443}}}
    shown = yaml.safe_load(cluster.ok("get", "ingresses.v1beta1.networking.k8s.io", "old", "-o", "yaml"))
    assert shown["spec"] == OLD_INGRESS["spec"] | {
        "rules": [
            {
                "http": {
                    "paths": [
                        {
                            "pathType": "ImplementationSpecific",
                            "backend": {"serviceName": "envoy", "servicePort": 443},
                        }
                    ]
                }
            }
        ]
    }


def test_a_custom_resource_is_served_as_its_definition_says(cluster: Cluster) -> None:
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {
            "openAPIV3Schema": {
                "type": "object",
                "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        },
        "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
    }
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Cluster",
            "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]},
            "versions": [version],
        },
    }
    cluster.apply(definition)
    cluster.ok("wait", "--for=condition=established", "crd/widgets.example.com", "--timeout=60s")
    widget = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w"},
        "spec": {"size": 3},
    }
    cluster.apply(widget)
    rows = [line.split() for line in cluster.ok("get", "widgets").splitlines()]
    assert rows == [["NAME", "SIZE"], ["w", "3"]]
    cluster.ok("patch", "wd", "w", "--type=merge", "-p", '{"spec":{"size":4}}')
    assert cluster.ok("get", "wd", "w", "-o", "jsonpath={.spec.size}") == "4"
    refusal = cluster.refused("patch", "wd", "w", "-p", '{"spec":{"size":5}}')
    assert "application/strategic-merge-patch+json is not supported by example.com/v1, Kind=Widget" in refusal


def test_explain_tells_the_fields(cluster: Cluster) -> None:
    shown = cluster.ok("explain", "service.spec.ports")
    assert "targetPort" in shown
    assert "-required-" in shown


def test_a_client_without_the_token_is_not_let_in(cluster: Cluster) -> None:
    answer = cluster.kubectl("--token=wrong", "get", "service")
    assert answer.code == 1
    assert "Unauthorized" in answer.stderr or "must be logged in" in answer.stderr


def config_of(cluster: Cluster) -> Any:
    return yaml.safe_load((cluster.folder / "kubeconfig").read_text())


def call(cluster: Cluster, path: str) -> Any:
    config = config_of(cluster)
    import base64

    authority = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
    request = urllib.request.Request(cluster.url + path, headers={"Authorization": f"Bearer {TOKEN}"})
    context = ssl.create_default_context(cadata=authority)
    with urllib.request.urlopen(request, context=context) as answer:
        return [json.loads(line) for line in answer]


def test_the_pages_of_a_list_are_of_one_moment(cluster: Cluster) -> None:
    for name in "abc":
        cluster.store.create(service(name))
    base = "/api/v1/namespaces/default/services?limit=2"
    first = call(cluster, base)[0]
    assert [item["metadata"]["name"] for item in first["items"]] == ["a", "b"]
    assert first["metadata"]["remainingItemCount"] == 1
    cluster.store.delete("Service", "default", "c")
    cluster.store.create(service("d"))
    second = call(cluster, f"{base}&continue={first['metadata']['continue']}")[0]
    assert [item["metadata"]["name"] for item in second["items"]] == ["c"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_a_watch_that_begins_too_early_is_told_so(cluster: Cluster) -> None:
    cluster.store.create(service())
    for number in range(5000):
        cluster.store.patch(
            "Service", "default", "envoy", {"metadata": {"annotations": {"number": str(number)}}}
        )
    lines = call(cluster, "/api/v1/services?watch=1&resourceVersion=1")
    assert [(line["type"], line["object"]["code"], line["object"]["reason"]) for line in lines] == [
        ("ERROR", 410, "Expired")
    ]


def test_a_watch_by_labels_tells_who_comes_and_who_leaves(cluster: Cluster) -> None:
    cluster.store.create(service())
    since = cluster.store.revision
    found: list[Any] = []
    path = f"/api/v1/services?watch=1&labelSelector=tier%3Dfront&timeoutSeconds=1&resourceVersion={since}"
    for value in ("front", "front", "back"):
        cluster.store.patch("Service", "default", "envoy", {"metadata": {"labels": {"tier": value}}})
        cluster.store.patch("Service", "default", "envoy", {"metadata": {"annotations": {"seen": value}}})
    found = [line["type"] for line in call(cluster, path)]
    assert found == ["ADDED", "MODIFIED", "DELETED"]


def test_a_watch_can_begin_with_all_that_stands(cluster: Cluster) -> None:
    cluster.store.create(service())
    lines = call(
        cluster,
        "/api/v1/services?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
        "&allowWatchBookmarks=true&timeoutSeconds=1",
    )
    assert [line["type"] for line in lines[:2]] == ["ADDED", "BOOKMARK"]
    assert lines[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_the_official_python_client_follows_changes(cluster: Cluster) -> None:
    kubernetes = pytest.importorskip("kubernetes")
    client = kubernetes.config.new_client_from_config(str(cluster.folder / "kubeconfig"))
    core = kubernetes.client.CoreV1Api(client)
    cluster.store.create(service())
    version = core.list_namespaced_service("default").metadata.resource_version
    following = kubernetes.watch.Watch()
    seen = []
    threading.Timer(
        0,
        lambda: cluster.store.patch("Service", "default", "envoy", {"metadata": {"annotations": {"a": "1"}}}),
    ).start()
    for event in following.stream(
        core.list_namespaced_service, "default", resource_version=version, timeout_seconds=60
    ):
        seen.append((event["type"], event["object"].metadata.annotations))
        if len(seen) == 1:
            core.delete_namespaced_service("envoy", "default")
        else:
            following.stop()
    assert seen == [("MODIFIED", {"a": "1"}), ("DELETED", {"a": "1"})]
    client.close()


def test_what_kubectl_creates_by_itself_arrives_whole(cluster: Cluster) -> None:
    # kubectl 1.37 sends these in protobuf
    cluster.ok("create", "namespace", "prod")
    cluster.ok("-n", "prod", "create", "configmap", "c", "--from-literal=a=1")
    cluster.ok("-n", "prod", "create", "secret", "generic", "s", "--from-literal=a=1")
    cluster.ok("create", "service", "loadbalancer", "lb", "--tcp=443:8443", "--tcp=80:http")
    cluster.ok("create", "ingress", "i", "--class=alb", "--rule=a.example.com/p*=lb:443,tls=sec")
    configuration = cluster.store.get("ConfigMap", "prod", "c")
    assert configuration
    assert configuration["data"] == {"a": "1"}
    secret = cluster.store.get("Secret", "prod", "s")
    assert secret
    assert secret["data"] == {"a": "MQ=="}
    balancer = cluster.store.get("Service", "default", "lb")
    assert balancer
    ports = [(port["port"], port["targetPort"], port["protocol"]) for port in balancer["spec"]["ports"]]
    assert ports == [(443, 8443, "TCP"), (80, "http", "TCP")]
    assert balancer["spec"]["type"] == "LoadBalancer"
    assert balancer["spec"]["selector"] == balancer["metadata"]["labels"] == {"app": "lb"}
    ingress = cluster.store.get("Ingress", "default", "i")
    assert ingress
    backend = {"service": {"name": "lb", "port": {"number": 443}}}
    assert ingress["spec"] == {
        "ingressClassName": "alb",
        "tls": [{"hosts": ["a.example.com"], "secretName": "sec"}],
        "rules": [
            {
                "host": "a.example.com",
                "http": {"paths": [{"path": "/p", "pathType": "Prefix", "backend": backend}]},
            }
        ],
    }


def test_the_plain_data_of_a_secret_is_encoded(cluster: Cluster) -> None:
    cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "1"}})
    stored = cluster.store.get("Secret", "default", "s")
    assert stored
    assert (stored["data"], stored["type"]) == ({"a": "MQ=="}, "Opaque")
    assert "stringData" not in stored


def test_kubectl_apply_takes_away_what_the_scenarios_manifest_had_and_the_operators_has_not(
    cluster: Cluster,
) -> None:
    client = KubernetesClient(InProcess(cluster.store, cluster.clock))
    client.apply(service(annotations={HOSTNAME: "api.example.com", "kept": "1"}))
    answer = cluster.kubectl("apply", "-f", "-", text=yaml.safe_dump(service(annotations={"kept": "1"})))
    assert (answer.stdout, answer.stderr) == ("service/envoy configured\n", "")
    stored = cluster.store.get("Service", "default", "envoy")
    assert stored
    assert HOSTNAME not in stored["metadata"]["annotations"]
    client.apply(service(annotations={}))
    stored = cluster.store.get("Service", "default", "envoy")
    assert stored
    assert set(stored["metadata"]["annotations"]) == {ANNOTATION}


def test_a_port_that_is_taken_is_missing(cluster: Cluster, network: Network) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    second = KubernetesApi(
        cluster.store, cluster.clock, network.control, KUBERNETES_PORT, tls=tls, token=TOKEN
    )
    with LoopThread() as loop, pytest.raises(Missing, match=r":6443 \(Kubernetes API\) is taken"):
        loop.run(second.start())


def test_health_and_version_need_no_token_and_anything_else_does(cluster: Cluster) -> None:
    bare = Https({**config_of(cluster), "users": [{"user": {"token": "wrong"}}]})
    assert bare.send(Call("GET", "/readyz")).body == b"ok"
    assert bare.send(Call("GET", "/version")).code == 200
    for path in ("/api/v1/services", "/apis", "/openapi/v3"):
        assert bare.send(Call("GET", path)).code == 401


def test_a_body_beyond_the_limit_is_refused(cluster: Cluster) -> None:
    item = {"metadata": {"name": "c"}, "data": {"a": "x" * (4 << 20)}}
    body = json.dumps(item).encode()
    call = Call("POST", "/api/v1/namespaces/default/configmaps", {}, "application/json", body=body)
    answer = Https(config_of(cluster)).send(call)
    assert (answer.code, json.loads(answer.body)["reason"]) == (413, "RequestEntityTooLarge")
