"""The requests of a real controller (LB Controller v3.5.0) to Kubernetes, played against the API in order.

The other half of the tape, and a person who applies, deletes and edits between the stages, are stood in for:
`tests/real_controllers/test_lb_controller_stand_in.py` plays the whole against a running topology.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest

from testbed.kubernetes.api.dispatch import Call
from tests.kubernetes.api.calls import DEFAULT, Api
from tests.real_controllers.lb_controller_tape import TAPE, Names, body_of, requests

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(not TAPE.exists(), reason=f"{TAPE} is not at hand"),
]
PROTOBUF_FIRST = "application/vnd.kubernetes.protobuf,application/json"
INGRESSES = "/apis/networking.k8s.io/v1/namespaces/default/ingresses"


def ingress(name: str, host: str = "") -> dict[str, Any]:
    backend = {"service": {"name": "envoy", "port": {"number": 80}}}
    rule = {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    return {"metadata": {"name": name}, "spec": {"rules": [{**({"host": host} if host else {}), **rule}]}}


def person(api: Api, stage: str) -> None:
    """What a person did at the beginning of a stage of the recording."""
    match stage:
        case "nlb":
            spec = {
                "type": "LoadBalancer",
                "loadBalancerClass": "service.k8s.aws/nlb",
                "ports": [{"port": 443}],
            }
            api.ok("POST", f"{DEFAULT}/services", {"metadata": {"name": "web"}, "spec": spec})
        case "ingress group":
            for name in ("grpc", "http1"):
                api.ok("POST", INGRESSES, ingress(name))
        case "host":
            for name in ("grpc", "http1"):
                patch = {"spec": ingress(name, "api.example.com")["spec"]}
                api.ok("PATCH", f"{INGRESSES}/{name}", patch, "application/merge-patch+json")
        case "delete group":
            for name in ("grpc", "http1"):
                api.ok("DELETE", f"{INGRESSES}/{name}")
        case "delete service":
            api.ok("DELETE", f"{DEFAULT}/services/web")


def test_each_request_of_the_real_controller_is_answered_as_it_needs() -> None:
    api, stage, counted = Api(), "start", False
    for number, line in enumerate(requests()):
        if line["stage"] != stage:
            stage = line["stage"]
            person(api, stage)
        if line["to"] != "kubernetes":
            continue
        url = urlsplit(line["path"])
        title = f"{number} {stage}: {line['method']} {url.path}"
        query = dict(parse_qsl(url.query))
        if "watch" in query:
            query["resourceVersion"] = "0" if "resourceVersion" in query else ""
            assert api.dispatch.watch(Call("GET", url.path, query, accept=PROTOBUF_FIRST)), title
            continue
        body = body_of(line, Names(), lambda path: api.ok("GET", path)["metadata"])
        if "/events" in url.path and line["method"] == "POST" and counted:
            continue  # the recording's server had lost the event; this one has counted it up
        answer = api.dispatch.answer(
            Call(
                line["method"],
                url.path,
                query,
                line.get("content_type", ""),
                PROTOBUF_FIRST,
                "controller/v3.5.0",
                orjson.dumps(body) if body is not None else b"",
            )
        )
        counted = "/events" in url.path and line["method"] == "PATCH" and answer.code == 200
        # The recording's server had no kinds of the Gateway API, which discovery finds here.
        assert answer.code in {200, 201}, f"{title}: {answer.body!r}"
    left = {item["kind"] for item in api.store.list_all()}
    assert left == {"Namespace", "Event"}, "a finalizer was not taken off"
