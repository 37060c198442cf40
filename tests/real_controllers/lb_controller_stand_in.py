"""Stands in for a binary of the AWS Load Balancer Controller: makes the calls of its tape in their order.

```
python -m tests.real_controllers.lb_controller_stand_in --kubeconfig=… --aws-vpc-id=… …
```
It takes the flags that the real v3.5.0 takes, logs in its form, watches the same resources, serves its
webhooks, metrics and probes, and plays a stage of the tape whenever the objects are there that began that
stage in the recording. An answer with another status than the recorded one ends it.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.client
import json
import os
import signal
import ssl
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import yaml

from tests.real_controllers.lb_controller_tape import (
    GOING_POD,
    RECORDED_REGION,
    STAGES,
    STAYING_POD,
    Names,
    authorization,
    body_of,
    form_of,
    lacking,
    parameter,
    parsed,
    requests,
)

RELEASE = "v3.5.0"
SWITCHES = ("enable-leader-election", "enable-wafv2", "enable-shield")
TEXTS = (
    *("kubeconfig", "aws-region", "aws-vpc-id", "cluster-name", "default-target-type", "log-level"),
    *("webhook-cert-dir", "webhook-cert-file", "webhook-key-file", "webhook-bind-port"),
    *("metrics-bind-addr", "health-probe-bind-addr", "targetgroupbinding-requeue-duration"),
)
_CREATED, _NOT_FOUND, _CONFLICT = 201, 404, 409
_SERVICE, _INGRESSES = "default/web", ("default/grpc", "default/http1")
_LOOK = 0.05


def log(level: str, message: str, **more: Any) -> None:
    """Write a line as the controller does."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    sys.stderr.write(json.dumps({"level": level, "ts": moment, "msg": message, **more}) + "\n")
    sys.stderr.flush()


def fail(message: str, error: str) -> None:
    """End at once, from whichever thread."""
    log("error", message, error=error)
    os._exit(1)


class Kubernetes:
    """The API of the kubeconfig, and what its watches have shown."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        self._server = urlsplit(cluster["server"])
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._tls = ssl.create_default_context(cadata=authority)
        token = config["users"][0]["user"]["token"]
        self._headers = {"Authorization": f"Bearer {token}", "User-Agent": f"elbv2.k8s.aws/{RELEASE}"}
        self.seen: dict[str, dict[str, Any]] = {}
        """Objects by the kind and their key, `Service default/web`."""
        self.gone: set[str] = set()
        self._synced: dict[str, threading.Event] = {}

    def ask(self, method: str, path: str, body: Any = None, kind: str = "") -> tuple[int, Any]:
        """Return status and document of an answer."""
        connection = self._connection()
        try:
            data = json.dumps(body) if body is not None else None
            headers = {**self._headers, "Accept": "application/vnd.kubernetes.protobuf,application/json"}
            connection.request(method, path, data, {**headers, **({"Content-Type": kind} if kind else {})})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        finally:
            connection.close()

    def follow(self, path: str) -> None:
        """Watch from a thread of its own; the objects that it shows first are there when this returns."""
        synced = self._synced[path] = threading.Event()
        threading.Thread(target=self._follow, args=(path, synced), daemon=True).start()
        synced.wait()

    def _follow(self, path: str, synced: threading.Event) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):  # the API has ended
            self._watch(path, synced)

    def _watch(self, path: str, synced: threading.Event) -> None:
        connection = self._connection()
        connection.timeout = None  # type: ignore[assignment]
        connection.request("GET", path, None, self._headers)
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            fail("watch refused", f"{path}: {answer.status} {answer.read().decode()}")
        if "sendInitialEvents" not in path:
            synced.set()
        for line in answer:
            event = json.loads(line)
            self._see(event)
            annotations = event["object"].get("metadata", {}).get("annotations") or {}
            if event["type"] == "BOOKMARK" and annotations.get("k8s.io/initial-events-end") == "true":
                synced.set()

    def _see(self, event: Mapping[str, Any]) -> None:
        item = event["object"]
        if event["type"] in ("BOOKMARK", "ERROR"):
            return
        metadata = item["metadata"]
        key = f"{item['kind']} {metadata.get('namespace', '')}/{metadata['name']}"
        if event["type"] == "DELETED":
            self.gone.add(key)
            self.seen.pop(key, None)
        else:
            self.seen[key] = item

    def _connection(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            self._server.hostname or "", self._server.port, context=self._tls, timeout=30
        )


class StandIn:
    """Plays the tape.

    Args:
        flags: by their names, without dashes.
    """

    def __init__(self, flags: Mapping[str, str]) -> None:
        self._flags = flags
        self.kubernetes = Kubernetes(Path(flags["kubeconfig"]))
        self._endpoint = os.environ["AWS_ENDPOINT_URL"]
        self.names = Names(
            {
                RECORDED_REGION: flags["aws-region"],
                parameter("DescribeSubnets", "Filter.1.Value.1"): flags["aws-vpc-id"],
            }
        )
        self._tape = requests()

    def start(self) -> None:
        """Ask what there is, and watch it."""
        for number, request in enumerate(self._tape):
            if request["stage"] != "start":
                break
            if "watch=true" in request["path"]:
                # The recorded version of the second watch of pods is of another cluster.
                path = request["path"].replace("resourceVersion=103", "resourceVersion=0")
                self.kubernetes.follow(path)
                continue
            status, document = self.kubernetes.ask("GET", request["path"])
            if status != http.client.OK:
                fail("unable to start", f"request {number}, {request['path']}: {status} {document}")
        log("info", "Starting workers", controller="ingress")

    def play(self) -> None:
        """Play each further stage once its objects are there."""
        for stage in STAGES[1:]:
            while not self._has_begun(stage):
                time.sleep(_LOOK)
            log("info", f"successfully built model for {stage}")
            for number, request in enumerate(self._tape):
                if request["stage"] == stage:
                    self._send(number, request)
            log("info", f"successfully deployed model for {stage}")
        log("info", "the tape is at its end")

    def _has_begun(self, stage: str) -> bool:
        seen, gone = self.kubernetes.seen, self.kubernetes.gone
        service = seen.get(f"Service {_SERVICE}")
        ingresses = [seen.get(f"Ingress {key}") for key in _INGRESSES]
        pods = [item["status"].get("podIP") for key, item in seen.items() if key.startswith("Pod ")]
        match stage:
            case "nlb":
                if not service or not service["spec"].get("loadBalancerClass") or len(pods) < 2:
                    return False
                self._learn_what_stands(service)
                return True
            case "ingress group":
                return all(ingresses)
            case "a pod goes":
                return any(key.startswith("Pod ") for key in gone)
            case "host":
                return all(item and item["spec"]["rules"][0].get("host") for item in ingresses)
            case "delete group":
                return all(item and item["metadata"].get("deletionTimestamp") for item in ingresses)
        return bool(service and service["metadata"].get("deletionTimestamp"))

    def _learn_what_stands(self, service: Mapping[str, Any]) -> None:
        """Pods, node and certificate, which the recording found in its objects."""
        seen = self.kubernetes.seen
        first, second = sorted(item["status"]["podIP"] for key, item in seen.items() if key[:4] == "Pod ")
        node = next(item for key, item in sorted(seen.items()) if key.startswith("Node "))
        annotations = service["metadata"]["annotations"]
        self.names.known |= {
            STAYING_POD: first,
            GOING_POD: second,
            parameter("DescribeInstances", "InstanceId.1"): node["spec"]["providerID"].rpartition("/")[2],
            parameter("CreateListener", "Certificates.member.1.CertificateArn"): annotations[
                "service.beta.kubernetes.io/aws-load-balancer-ssl-cert"
            ],
        }

    def _send(self, number: int, request: Mapping[str, Any]) -> None:
        if request["to"] == "aws":
            self._call_aws(number, request)
        else:
            self._call_kubernetes(number, request)

    def _call_aws(self, number: int, call: Mapping[str, Any]) -> None:
        endpoint = urlsplit(self._endpoint)
        connection = http.client.HTTPConnection(endpoint.hostname or "", endpoint.port, timeout=30)
        headers = {
            "Authorization": authorization(call["service"], self._flags["aws-region"]),
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "User-Agent": f"aws-sdk-go-v2 elbv2.k8s.aws/{RELEASE}",
        }
        try:
            connection.request("POST", "/", urlencode(form_of(call, self.names)), headers)
            answer = connection.getresponse()
            own = parsed(answer.read().decode())
        finally:
            connection.close()
        if answer.status != call["status"]:
            fail("Reconciler error", f"request {number}, {call['action']}: {answer.status} {own}")
        if missing := lacking(call, own):
            fail("Reconciler error", f"request {number}, {call['action']}: the answer lacks {missing}")
        self.names.learn(parsed(call["answer"]), own)
        if not call["action"].startswith("Describe"):
            log("info", call["action"])

    def _call_kubernetes(self, number: int, request: Mapping[str, Any]) -> None:
        body = body_of(request, self.names, self._metadata)
        status, document = self.kubernetes.ask(
            request["method"], request["path"], body, request.get("content_type", "")
        )
        is_event = "/events" in request["path"]
        # The recording's server had lost the event that is counted up; this one has it.
        wanted = (http.client.OK, _CREATED, *((_NOT_FOUND, _CONFLICT) if is_event else ()))
        if status not in wanted:
            what = f"request {number}, {request['method']} {request['path']}: {status} {document}"
            fail("Reconciler error", what)

    def _metadata(self, path: str) -> Mapping[str, Any]:
        """The metadata of the object at a path, read anew: the watch may be a moment late."""
        status, document = self.kubernetes.ask("GET", path)
        if status != http.client.OK:
            fail("Reconciler error", f"{path}: {status} {document}")
        metadata: Mapping[str, Any] = document["metadata"]
        return metadata


class Hooks(BaseHTTPRequestHandler):
    """Answers admission reviews as the controller's webhooks do, and `/readyz` and `/metrics`."""

    def do_GET(self) -> None:
        """Answer a probe."""
        self._answer(b"ok")

    def do_POST(self) -> None:
        """Admit what comes; a new Service gets the class."""
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        request = review["request"]
        log("info", f"webhook {self.path} asked about {request['kind']['kind']} {request['name']}")
        response: dict[str, Any] = {"uid": request["uid"], "allowed": True}
        spec = request["object"].get("spec") or {}
        if self.path == "/mutate-v1-service" and spec.get("type") == "LoadBalancer":
            patch = [{"op": "add", "path": "/spec/loadBalancerClass", "value": "service.k8s.aws/nlb"}]
            encoded = base64.b64encode(json.dumps(patch).encode()).decode()
            response |= {"patchType": "JSONPatch", "patch": encoded}
        self._answer(json.dumps({**review, "response": response}).encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _answer(self, body: bytes) -> None:
        self.send_response(http.client.OK)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(address: str, port: int, tls: ssl.SSLContext | None = None) -> None:
    """Serve the hooks from a thread."""
    server = ThreadingHTTPServer((address, port), Hooks)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()


class _Flags(argparse.ArgumentParser):
    def error(self, message: str) -> Any:  # pflag prints the usage, then the error
        flags = "".join(f"      --{name} string   a flag\n" for name in (*TEXTS, *SWITCHES))
        told = message.replace("unrecognized arguments:", "unknown flag:")
        sys.stderr.write(f"Usage of :\n{flags}{told}\n")
        raise SystemExit(2)


def main() -> None:
    """Run until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    log("info", "version", GitVersion=RELEASE, GitCommit="0000000", BuildDate="2026-01-01T00:00:00+0000")
    parser = _Flags(add_help=False, allow_abbrev=False)
    for name in TEXTS:
        parser.add_argument(f"--{name}", default="")
    for name in SWITCHES:
        parser.add_argument(f"--{name}", default="true", choices=("true", "false"))
    flags = {name.replace("_", "-"): value for name, value in vars(parser.parse_args()).items()}
    if "true" in [flags[name] for name in SWITCHES]:
        fail("unable to start", "leader election, WAF and Shield are to be off here")
    folder = Path(flags["webhook-cert-dir"])
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    files = (flags["webhook-cert-file"] or "tls.crt", flags["webhook-key-file"] or "tls.key")
    tls.load_cert_chain(*(folder / name for name in files))
    serve("0.0.0.0", int(flags["webhook-bind-port"]), tls)
    for name in ("metrics-bind-addr", "health-probe-bind-addr"):
        address, _, port = flags[name].rpartition(":")
        serve(address, int(port))
    stand_in = StandIn(flags)
    stand_in.start()
    stand_in.play()
    threading.Event().wait()


if __name__ == "__main__":
    main()
