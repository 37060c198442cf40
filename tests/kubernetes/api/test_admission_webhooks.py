"""Admission webhooks that a server of their own answers, over TLS, as the API server asks them."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import trustme

from testbed.kubernetes.api.admission_webhooks import are_configured
from testbed.kubernetes.object_store import ObjectStore, WebhookServer
from testbed.network import Network
from tests.kubernetes.api.calls import DEFAULT, Api
from tests.kubernetes.api.conftest import Cluster
from tests.kubernetes.manifests_of_the_story import service
from tests.kubernetes.rules.test_webhook_configurations import configuration

SERVICES = f"{DEFAULT}/services"
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
VALIDATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
MERGE = "application/merge-patch+json"
CLASS = [{"op": "add", "path": "/spec/loadBalancerClass", "value": "service.k8s.aws/nlb"}]
BOTH = [
    {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": ["services"]}
]


class Hook:
    """A webhook; `answer` gives the response to a request, without its uid."""

    def __init__(self, address: str) -> None:
        self.seen: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.answer: Callable[[dict[str, Any]], dict[str, Any]] = lambda _: {"allowed": True}
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.seen.append(review["request"])
                hook.paths.append(self.path)
                response = {"uid": review["request"]["uid"], **hook.answer(review["request"])}
                body = json.dumps({**review, "response": response}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        authority = trustme.CA()
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("hook.kube-system.svc").configure_cert(tls)
        self._server = ThreadingHTTPServer((address, 0), Handler)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.server = WebhookServer(
            address, self._server.server_port, "hook.kube-system.svc", authority.cert_pem.bytes().decode()
        )
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def hook(network: Network) -> Iterator[Hook]:
    hook = Hook(network.control)
    yield hook
    hook.close()


def served(store: ObjectStore, hook: Hook) -> None:
    store.webhook_servers["kube-system", "hook"] = hook.server


def patch(changes: list[dict[str, Any]]) -> dict[str, Any]:
    encoded = base64.b64encode(json.dumps(changes).encode()).decode()
    return {"allowed": True, "patchType": "JSONPatch", "patch": encoded}


def balancer(name: str = "web") -> dict[str, Any]:
    return {**service(), "metadata": {"name": name, "namespace": "default"}}


def test_a_mutating_webhook_changes_what_kubectl_creates(cluster: Cluster, hook: Hook) -> None:
    served(cluster.store, hook)
    hook.answer = lambda _: patch(CLASS)
    cluster.apply(
        {
            **configuration(),
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfiguration",
        }
    )
    cluster.apply(balancer())
    stored = cluster.store.get("Service", "default", "web")
    assert stored
    assert stored["spec"]["loadBalancerClass"] == "service.k8s.aws/nlb"
    (request,) = hook.seen
    assert hook.paths == ["/mutate-v1-service"]
    assert (request["operation"], request["oldObject"], request["dryRun"]) == ("CREATE", None, False)
    assert request["kind"] == {"group": "", "version": "v1", "kind": "Service"}
    # The rule of the chart names CREATE alone: a second apply asks nobody and leaves the class.
    cluster.apply({**balancer(), "metadata": {"name": "web", "labels": {"a": "b"}}})
    assert len(hook.seen) == 1


def test_a_validating_webhook_refuses_in_its_own_words(api: Api, hook: Hook) -> None:
    served(api.store, hook)
    api.ok("POST", VALIDATIONS, configuration(rules=BOTH))
    hook.answer = lambda _: {"allowed": False, "status": {"code": 403, "message": "not today"}}
    code, _, message = api.refused("POST", SERVICES, balancer())
    assert (code, message) == (
        403,
        'admission webhook "m.aws-load-balancer-webhook" denied the request: not today',
    )
    assert api.store.get("Service", "default", "web") is None
    hook.answer = lambda _: {"allowed": False}
    code, _, message = api.refused("POST", SERVICES, balancer())
    assert code == 400
    assert message.endswith("denied the request without explanation")


@pytest.mark.parametrize(
    "kind", [MERGE, "application/apply-patch+yaml", "application/strategic-merge-patch+json"]
)
def test_every_way_to_update_passes_the_webhook(api: Api, hook: Hook, kind: str) -> None:
    api.ok("POST", SERVICES, balancer())
    served(api.store, hook)
    api.ok("POST", CONFIGURATIONS, configuration(rules=BOTH))
    hook.answer = lambda _: patch([{"op": "add", "path": "/metadata/labels", "value": {"by": "hook"}}])
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "annotations": {"a": "b"}}}
    changed = api.ok("PATCH", f"{SERVICES}/web", body, kind, fieldManager="me")
    assert changed["metadata"]["labels"] == {"by": "hook"}
    assert changed["metadata"]["annotations"] == {"a": "b"}
    (request,) = hook.seen
    assert request["operation"] == "UPDATE"
    assert "annotations" not in request["oldObject"]["metadata"]


def test_what_changes_while_a_webhook_thinks_is_asked_about_again(api: Api, hook: Hook) -> None:
    api.ok("POST", SERVICES, balancer())
    served(api.store, hook)
    api.ok("POST", CONFIGURATIONS, configuration(rules=BOTH))

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        if len(hook.seen) == 1:
            api.store.patch("Service", "default", "web", {"metadata": {"labels": {"late": "yes"}}})
        return patch([{"op": "add", "path": "/metadata/annotations/hook", "value": "seen"}])

    hook.answer = answer
    changed = api.ok("PATCH", f"{SERVICES}/web", {"metadata": {"annotations": {"a": "b"}}}, MERGE)
    assert changed["metadata"]["labels"] == {"late": "yes"}
    assert changed["metadata"]["annotations"] == {"a": "b", "hook": "seen"}
    assert len(hook.seen) == 2


def test_what_a_webhook_in_go_adds_beside_its_change_is_not_stored(api: Api, hook: Hook) -> None:
    served(api.store, hook)
    api.ok("POST", CONFIGURATIONS, configuration())
    unset = [
        {"op": "add", "path": "/metadata/creationTimestamp", "value": None},
        {"op": "add", "path": "/status", "value": {"loadBalancer": {"ingress": [{"hostname": "mine"}]}}},
        {"op": "add", "path": "/spec/loadBalancerIP", "value": None},
    ]
    hook.answer = lambda _: patch([*CLASS, *unset])
    made = api.ok("POST", SERVICES, balancer())
    assert made["metadata"]["creationTimestamp"]
    assert "loadBalancerIP" not in made["spec"]
    assert not made.get("status", {}).get("loadBalancer", {}).get("ingress")


def test_a_generated_name_is_made_once_the_webhook_has_answered(api: Api, hook: Hook) -> None:
    served(api.store, hook)
    api.ok("POST", CONFIGURATIONS, configuration())
    hook.answer = lambda _: patch(CLASS)
    made = api.ok("POST", SERVICES, {**balancer(), "metadata": {"generateName": "web-"}})
    assert made["metadata"]["name"].startswith("web-")
    assert made["spec"]["loadBalancerClass"] == "service.k8s.aws/nlb"
    assert len(hook.seen) == 1


def test_a_webhook_that_does_not_answer_refuses_unless_it_is_to_be_ignored(api: Api, hook: Hook) -> None:
    served(api.store, hook)
    hook.close()
    hook.close = lambda: None  # type: ignore[method-assign] the fixture closes it, too
    api.ok("POST", CONFIGURATIONS, configuration())
    code, reason, message = api.refused("POST", SERVICES, balancer())
    assert (code, reason) == (500, "InternalError")
    assert 'failed calling webhook "m.aws-load-balancer-webhook": failed to call webhook: Post' in message
    api.ok("DELETE", f"{CONFIGURATIONS}/aws-load-balancer-webhook")
    api.ok("POST", CONFIGURATIONS, configuration(failurePolicy="Ignore"))
    api.ok("POST", SERVICES, balancer())


@pytest.mark.parametrize(
    "client",
    [
        {"service": {"namespace": "cert-manager", "name": "cert-manager-webhook"}},
        {"url": "https://hook.example.com/mutate"},
        {"url": "https://10.0.0.1/mutate"},
        {"url": "http://127.0.0.1/mutate"},
    ],
)
def test_webhooks_of_programs_that_do_not_run_here_are_not_called(api: Api, client: dict[str, Any]) -> None:
    assert not are_configured(api.store)
    api.ok("POST", CONFIGURATIONS, configuration(clientConfig=client))
    assert are_configured(api.store)
    api.ok("POST", SERVICES, balancer())


def test_a_url_on_the_loopback_is_called_with_the_authority_of_its_configuration(
    api: Api, hook: Hook
) -> None:
    bundle = base64.b64encode(hook.server.authority.encode()).decode()
    url = f"https://{hook.server.address}:{hook.server.port}/mutate"
    api.ok("POST", CONFIGURATIONS, configuration(clientConfig={"url": url, "caBundle": bundle}))
    code, _, message = api.refused("POST", SERVICES, balancer())
    # It is asked, and has a certificate for another name.
    assert code == 500
    assert "certificate" in message


def test_a_webhook_may_read_from_the_api_that_asks_it(cluster: Cluster, hook: Hook) -> None:
    served(cluster.store, hook)
    found: list[str] = []

    def answer(_: dict[str, Any]) -> dict[str, Any]:
        found.append(cluster.ok("get", "namespaces", "-o", "name"))
        return {"allowed": True}

    hook.answer = answer
    cluster.apply(
        {
            **configuration(),
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
        }
    )
    cluster.apply(balancer())
    assert "namespace/default" in found[0]
