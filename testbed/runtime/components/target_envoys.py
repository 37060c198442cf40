"""The target pods: Envoys that terminate TLS in front of the backends, and their access logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from testbed.clock import Clock
from testbed.errors import Location, Missing
from testbed.journal import Access
from testbed.network import Network
from testbed.rehearsal.setup import Setup
from testbed.runtime.components import backends, cluster_objects
from testbed.runtime.components.envoy_process import Envoy, configured
from testbed.runtime.components.envoy_templates import Value
from testbed.settings import PRODUCTION

ADMIN_PORT = 9901
_PROXY_PROTOCOL = "envoy.filters.listener.proxy_protocol"
_TLS_INSPECTOR = "envoy.filters.listener.tls_inspector"


@dataclass(frozen=True, slots=True)
class TargetPod:
    """The configuration of one target pod.

    Attributes:
        name: the pod's name, in every answer and access log line.
        address: the pod's IP.
        backends: IPs of the backend pods.
        certificate, key: PEM files of Envoy's own certificate.
        max_connection_age: production seconds after which the TLS listener retires a connection;
            None never does.
        tls_ports, plain_ports: its ports; at least one each.
        proxy_protocol: true if the TLS listeners expect the PROXY protocol.
        plain_age: true if the plain listeners retire connections at that age, too.
        server_names: the names without one of which the TLS listeners close a connection; empty for none.
        grpc, rest: address and port of a server of the user's own; None for the backend pods.
    """

    name: str
    address: str
    backends: tuple[str, ...]
    certificate: Path
    key: Path
    max_connection_age: float | None = PRODUCTION.target_max_connection_age
    tls_ports: tuple[int, ...] = (8443,)
    plain_ports: tuple[int, ...] = (8080,)
    proxy_protocol: bool = False
    server_names: tuple[str, ...] = ()
    plain_age: bool = False
    grpc: tuple[str, int] | None = None
    rest: tuple[str, int] | None = None


def pods(setup: Setup, network: Network, certificate: Path, key: Path) -> list[TargetPod]:
    """Return the target pods of all clusters of a setup.

    Args:
        certificate, key: PEM files of the host's certificate.
    """
    own = setup.backend
    # Envoy needs an address for each protocol, also where the user has a server for one of them only.
    return [
        TargetPod(
            name=pod.name,
            address=network.envoy_pod(pod.index),
            backends=tuple(network.backend_pod(index) for index in range(backends.PODS)),
            certificate=certificate,
            key=key,
            max_connection_age=setup.connection_age,
            tls_ports=tuple(dict.fromkeys(map(network.pod_port, pod.targets.tls_ports))),
            plain_ports=tuple(dict.fromkeys(map(network.pod_port, pod.targets.plain_ports))),
            proxy_protocol=pod.targets.proxy_protocol,
            server_names=pod.targets.server_names,
            plain_age=pod.targets.plain_age,
            grpc=backends.address(own.grpc or own.rest),
            rest=backends.address(own.rest or own.grpc),
        )
        for number, cluster in enumerate(setup.clusters)
        for pod in cluster_objects.pods(cluster, number)
    ]


def envoy(pod: TargetPod, clock: Clock, folder: Path) -> Envoy:
    """Return the Envoy of a pod; its access log is `<folder>/<name>.access.json`.

    Raises:
        Missing: no Envoy is installed.
    """
    built = configured("target.yaml", pod.name, values(pod, folder), clock, folder, (pod.address, ADMIN_PORT))
    return replace(built, files={secret_file(folder, pod.name): secret(pod.certificate, pod.key)})


def values(pod: TargetPod, folder: Path) -> dict[str, Value]:
    """Return the values for the names in `envoy/target.yaml`; the access log goes to a folder."""
    age = None if pod.max_connection_age is None else f"{pod.max_connection_age:g}s"
    return {
        "POD_NAME": pod.name,
        "POD_IP": pod.address,
        "TLS_PORT": pod.tls_ports[0],
        "PLAIN_PORT": pod.plain_ports[0],
        "OTHER_TLS_PORT": pod.tls_ports[1:],
        "OTHER_PLAIN_PORT": pod.plain_ports[1:],
        "PROXY_PROTOCOL": (_PROXY_PROTOCOL,) if pod.proxy_protocol else (),
        "TLS_INSPECTOR": (_TLS_INSPECTOR,) if pod.server_names else (),
        "SERVER_NAME": pod.server_names,
        "GRPC_BACKEND": (pod.grpc[0],) if pod.grpc else pod.backends,
        "GRPC_PORT": pod.grpc[1] if pod.grpc else backends.GRPC_PORT,
        "REST_BACKEND": (pod.rest[0],) if pod.rest else pod.backends,
        "REST_PORT": pod.rest[1] if pod.rest else backends.REST_PORT,
        "TLS_SECRET": str(secret_file(folder, pod.name).resolve()),
        "ACCESS_LOG": str(access_log(folder, pod.name).resolve()),
        "MAX_CONNECTION_AGE": age,
        "PLAIN_CONNECTION_AGE": age if pod.plain_age else None,
    }


def secret_file(folder: Path, name: str) -> Path:
    """Return the path of the file that names the certificate of a pod."""
    return folder / f"{name}.secret.json"


def secret(certificate: Path, key: Path) -> Mapping[str, Any]:
    """Return the content of that file: one resource of Envoy's secret discovery."""
    return {
        "resources": [
            {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
                "name": "own",
                "tls_certificate": {
                    "certificate_chain": {"filename": str(certificate.resolve())},
                    "private_key": {"filename": str(key.resolve())},
                },
            }
        ]
    }


def access_log(folder: Path, name: str) -> Path:
    """Return the path of the access log of a pod."""
    return folder / f"{name}.access.json"


def access_events(path: Path) -> Iterator[Access]:
    """Yield the lines of an access log as events, without a torn last line.

    Raises:
        Missing: a line before the last is torn, so the log does not show what the target served.
    """
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            # The last line, which Envoy was still writing.
            if not line.endswith(b"\n"):
                return
            try:
                fields = orjson.loads(line)
            except orjson.JSONDecodeError:
                torn = "a line of the access log is torn, so it does not show what this target served"
                raise Missing(torn, where=Location(path, number)) from None
            yield Access(
                time=float(fields["time"]),
                id=fields["id"] or "",
                pod=fields["pod"],
                listener=fields["listener"],
                peer=fields["peer"],
                connection=str(fields["connection"]),
                protocol=fields["protocol"] or "",
                method=fields["method"] or "",
                path=fields["path"] or "",
                status=int(fields["status"] or 0),
                grpc_status=fields["grpc_status"] or "",
                flags=(fields["flags"] or "").strip("-"),
                duration=float(fields["duration"] or 0) / 1000,
                upstream=fields.get("upstream") or "",
            )
