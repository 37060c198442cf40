"""Describes the traffic of the user's own service, in a small file or in the scenario's Python.

```toml
# traffic.toml; only one [[grpc]] or [[rest]] is required
proto = ["cart.proto"]             # compiled when the run starts; gives payloads and shapes
reflection = true                  # or: get the protos from backend.grpc

[backend]                          # default: the sample backend, which answers any method and path
grpc = "127.0.0.1:50051"           # your server, if it runs already; loopback only
rest = "127.0.0.1:8080"
command = "python server.py --grpc {address}:{grpc_port} --http {address}:{rest_port}"   # or: start one

[[grpc]]
method = "shop.v1.Cart/Get"
share = 9                          # weight among all calls; default 1
payload = { id = "1" }             # in the JSON form of the proto
shape = "server_stream"            # only without a proto: unary, server_stream, client_stream, bidi
metadata = { tenant = "a" }

[[rest]]
request = "PUT /carts/1"
json = { items = [] }              # or body = "..."
headers = { authorization = "x" }
status = 201                       # default: any 2xx
```

All calls together have the rate of the run (`--rate`); streams last as long as those of the sample service.
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from testbed.errors import BadInput, Location
from testbed.traffic.calls import STREAMS, Call

OWN_HEADERS = ("host", "content-length", "transfer-encoding", "connection", "x-request-id")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_GRPC = re.compile(r"/?([A-Za-z_][\w.]*)/([A-Za-z_]\w*)")
_REST = re.compile(r"([A-Z]+) (/[!-~]*)")
_HEADER = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t -~]*")
_KEYS = {
    "": ("proto", "reflection", "backend", "grpc", "rest"),
    "backend": ("grpc", "rest", "command"),
    "grpc": ("method", "share", "payload", "shape", "metadata"),
    "rest": ("request", "share", "json", "body", "headers", "status"),
}


@dataclass(frozen=True, slots=True)
class Backend:
    """The servers behind the target Envoys.

    Attributes:
        grpc, rest: addresses of running servers such as `127.0.0.1:50051`; "" for none.
        command: command that starts a server for each backend pod; `{name}`, `{address}`, `{grpc_port}` and
            `{rest_port}` in it are replaced.
    """

    grpc: str = ""
    rest: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Traffic:
    """The calls of the clients, and the backend that answers them."""

    calls: tuple[Call, ...]
    backend: Backend = Backend()

    def __post_init__(self) -> None:
        if not self.calls or not all(0 < call.share < float("inf") for call in self.calls):
            raise BadInput("traffic needs at least one call, and every share must be greater than 0")


def load(path: Path) -> Traffic:
    """Read the traffic from a file; compile its protos, or get them from the server.

    Raises:
        BadInput: the file or a proto is wrong; the message has file and line.
        Missing: the server that has the protos does not answer.
    """
    reader = _Reader(path)
    table = reader.table
    backend = Backend(**{key: str(value) for key, value in reader.section("backend").items()})
    for key in ("grpc", "rest"):
        if address := getattr(backend, key):
            reader.check_address(address, "backend", key)
    if backend.command and (backend.grpc or backend.rest):
        raise reader.wrong("a backend has either addresses or a command, not both", "backend", key="command")
    messages = reader.messages(table, backend)
    calls = [reader.grpc(entry, number, messages) for number, entry in enumerate(reader.entries("grpc"))]
    calls += [reader.rest(entry, number) for number, entry in enumerate(reader.entries("rest"))]
    if not calls:
        raise reader.wrong("the file has no call", do="add a [[grpc]] or a [[rest]]")
    return Traffic(tuple(calls), backend)


def resolve(traffic: str | Traffic | None, folder: Path) -> Traffic | None:
    """Return the traffic of a scenario, which has it in Python or names a file in its folder."""
    return load(folder / traffic) if isinstance(traffic, str) else traffic


class _Reader:
    """Reads one file, and knows the lines of its keys for messages."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._text = path.read_text(encoding="utf-8")
            self.table: dict[str, Any] = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"line (\d+)", str(error))
            where = Location(path, int(line[1]) if line else max(1, self._text.count("\n")))
            raise BadInput(f"not valid TOML: {error}", where=where) from None
        except (OSError, ValueError) as error:
            raise BadInput(f"cannot be read: {error}", where=Location(path)) from None
        self._check_keys(self.table, "", 0)

    def section(self, name: str) -> Mapping[str, Any]:
        table = self.table.get(name, {})
        if not isinstance(table, dict):
            raise self.wrong(f"{name} must be a table", key=name)
        self._check_keys(table, name, 0)
        return table

    def entries(self, name: str) -> Sequence[Mapping[str, Any]]:
        tables = self.table.get(name, [])
        if not isinstance(tables, list) or not all(isinstance(entry, dict) for entry in tables):
            raise self.wrong(f"{name} must be a list of tables", key=name, do=f"write [[{name}]]")
        for number, entry in enumerate(tables):
            self._check_keys(entry, name, number)
        return tables

    def messages(self, table: Mapping[str, Any], backend: Backend) -> Any:
        """Return the protos that encode payloads; None if the file has none."""
        from testbed.traffic import user_protos

        proto = table.get("proto", [])
        files = [proto] if isinstance(proto, str) else proto
        if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
            raise self.wrong("proto must be a list of files", key="proto")
        if files:
            return user_protos.compiled([self.path.parent / file for file in files])
        if table.get("reflection"):
            if not backend.grpc:
                do = "set backend.grpc to the address of your running server"
                raise self.wrong("reflection needs a server", key="reflection", do=do)
            return user_protos.reflected(backend.grpc)
        return None

    def grpc(self, entry: Mapping[str, Any], number: int, messages: Any) -> Call:
        match = _GRPC.fullmatch(str(entry.get("method", "")))
        if not match:
            raise self.wrong("method must be package.Service/Method", "grpc", number, "method")
        path = f"/{match[1]}/{match[2]}"
        shape, body = entry.get("shape", "unary"), b""
        if shape not in ("unary", *STREAMS):
            raise self.wrong(
                f"shape {shape!r} is not one of unary, {', '.join(STREAMS)}", "grpc", number, "shape"
            )
        if messages is not None:
            try:
                method = messages.method(match[1], match[2])
                if entry.get("shape", method.shape) != method.shape:
                    raise BadInput(f"{path} is {method.shape} in its proto")
                shape, body = method.shape, method.encode(entry.get("payload", {}))
            except BadInput as error:
                key = "payload" if "payload" in str(error) else "method"
                raise self.wrong(error.what, "grpc", number, key) from None
        elif "payload" in entry:
            do = "name the proto, or set reflection = true"
            raise self.wrong("a payload needs a proto", "grpc", number, "payload", do=do)
        headers = self._headers(entry.get("metadata", {}), "grpc", number, "metadata")
        return Call("grpc", path, "POST", shape, self._share(entry, "grpc", number), body, headers)

    def rest(self, entry: Mapping[str, Any], number: int) -> Call:
        match = _REST.fullmatch(str(entry.get("request", "")))
        if not match or match[1] not in METHODS:
            raise self.wrong(
                f"request must be METHOD /path with one of {', '.join(METHODS)}", "rest", number, "request"
            )
        headers = self._headers(entry.get("headers", {}), "rest", number, "headers")
        body = b""
        if "json" in entry and "body" in entry:
            raise self.wrong("a request has either json or body, not both", "rest", number, "body")
        if "json" in entry:
            body = orjson.dumps(entry["json"])
            headers = (("content-type", "application/json"), *headers)
        elif "body" in entry:
            body = str(entry["body"]).encode()
        status = entry.get("status")
        if status is not None and (not isinstance(status, int) or not 200 <= status < 300):
            raise self.wrong("status must be from 200 to 299", "rest", number, "status")
        share = self._share(entry, "rest", number)
        return Call("rest", match[2], match[1], "unary", share, body, headers, status)

    def check_address(self, text: str, table: str, key: str) -> None:
        host, _, port = text.rpartition(":")
        try:
            is_loopback = ipaddress.IPv4Address(host).is_loopback
        except ValueError:
            is_loopback = False
        if not is_loopback or not port.isdecimal() or not 0 < int(port) < 1 << 16:
            do = "the testbed calls servers on this machine only"
            raise self.wrong(f"{text!r} is no loopback address such as 127.0.0.1:8080", table, key=key, do=do)

    def wrong(self, what: str, table: str = "", number: int = 0, key: str = "", *, do: str = "") -> BadInput:
        return BadInput(what, where=Location(self.path, self._line(table, number, key)), do=do or None)

    def _share(self, entry: Mapping[str, Any], table: str, number: int) -> float:
        share = entry.get("share", 1)
        # bool is an int in Python, and `share = true` is a mistake.
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < float("inf"):
            raise self.wrong("share must be a number greater than 0", table, number, "share")
        return float(share)

    def _headers(self, value: Any, table: str, number: int, key: str) -> tuple[tuple[str, str], ...]:
        if not isinstance(value, dict):
            raise self.wrong(f"{key} must be a table", table, number, key)
        headers = tuple((name.lower(), str(text)) for name, text in value.items())
        for name, text in headers:
            if not _HEADER.fullmatch(name) or not _VALUE.fullmatch(text) or name.endswith("-bin"):
                raise self.wrong(f"the header {name!r} cannot be sent", table, number, key)
            if name in OWN_HEADERS:
                raise self.wrong(f"the testbed sets the header {name} itself", table, number, key)
        return headers

    def _check_keys(self, entry: Mapping[str, Any], table: str, number: int) -> None:
        for key in entry:
            if key not in _KEYS[table]:
                known = ", ".join(_KEYS[table])
                raise self.wrong(f"unknown key {key!r}", table, number, key, do=f"known keys are {known}")

    def _line(self, table: str, number: int, key: str) -> int | None:
        """Return the line of a key in the n-th table of a name; that of the table if the key is missing."""
        lines = self._text.splitlines()
        heads = [
            index for index, line in enumerate(lines) if re.match(rf"\s*\[+\s*{re.escape(table)}\s*\]+", line)
        ]
        start = heads[number] if table and number < len(heads) else 0
        if key:
            for index in range(start, len(lines)):
                if table and index > start and re.match(r"\s*\[", lines[index]):
                    break
                if re.match(rf"\s*\[*\s*[\"']?{re.escape(key)}\b", lines[index]):
                    return index + 1
        return start + 1 if lines else None
