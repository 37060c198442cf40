"""The user's own protos, compiled when the run starts or read from a server by reflection.

protoc runs in a process of its own (`python -m grpc_tools.protoc`), because it writes errors to the standard
error of its process. Its first error becomes one line with file and line.
"""

from __future__ import annotations

import importlib.resources
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.errors import BadInput, Location, Missing
from testbed.settings import PATIENCE
from testbed.traffic.calls import Shape

_ERROR = re.compile(r"^(?P<file>[^:\n]+?):(?P<line>\d+):\d+: (?P<what>(?!warning:).+)$", re.MULTILINE)
_PLAIN = re.compile(r"^(?P<file>[^:\n]+?): (?P<what>(?!warning:).+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Method:
    """A gRPC method: its path, its shape, and the descriptor of its request message."""

    name: str
    shape: Shape
    request: Any

    def encode(self, payload: Any) -> bytes:
        """Encode a payload in proto JSON as the request message.

        Raises:
            BadInput: the payload is not such a message.
        """
        from google.protobuf import json_format
        from google.protobuf.message_factory import GetMessageClass

        if not isinstance(payload, dict):
            raise BadInput(f"the payload does not match {self.request.full_name}: it is not a table")
        message = GetMessageClass(self.request)()
        try:
            json_format.ParseDict(payload, message)
        except (json_format.ParseError, TypeError, AttributeError) as error:
            raise BadInput(f"the payload does not match {self.request.full_name}: {error}") from None
        return bytes(message.SerializeToString(deterministic=True))


class Protos:
    """The services of a descriptor pool."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    def method(self, service: str, name: str) -> Method:
        """Return a method by the full name of its service and its own name.

        Raises:
            BadInput: there is no such method.
        """
        try:
            descriptor = self._pool.FindServiceByName(service)
        except KeyError:
            raise BadInput(f"no proto has a service {service}") from None
        if name not in descriptor.methods_by_name:
            known = ", ".join(descriptor.methods_by_name) or "none"
            raise BadInput(f"{service} has no method {name}; its methods are {known}")
        method = descriptor.methods_by_name[name]
        shapes: dict[tuple[bool, bool], Shape] = {
            (False, False): "unary",
            (False, True): "server_stream",
            (True, False): "client_stream",
            (True, True): "bidi",
        }
        shape = shapes[bool(method.client_streaming), bool(method.server_streaming)]
        return Method(f"/{service}/{name}", shape, method.input_type)


def compiled(files: Sequence[Path]) -> Protos:
    """Compile protos; each may import from its own folder, and Google's well-known types.

    Raises:
        BadInput: a proto does not compile; the message has file and line.
        Missing: protoc did not end in time.
    """
    from google.protobuf import descriptor_pb2
    from google.protobuf.descriptor_pool import DescriptorPool

    for file in files:
        if not file.is_file():
            raise BadInput("no such proto", where=Location(file))
    folders = dict.fromkeys(file.resolve().parent for file in files)
    with tempfile.TemporaryDirectory(prefix="testbed-proto-") as folder:
        out = Path(folder) / "set.pb"
        arguments = [
            sys.executable, "-m", "grpc_tools.protoc",
            *(f"-I{folder_of_protos}" for folder_of_protos in folders),
            f"-I{importlib.resources.files('grpc_tools') / '_proto'}",
            "--include_imports",
            f"--descriptor_set_out={out}",
            *(str(file.resolve()) for file in files),
        ]  # fmt: skip
        try:
            done = subprocess.run(
                arguments, capture_output=True, text=True, timeout=PATIENCE.process_start, check=False
            )
        except subprocess.TimeoutExpired:
            raise Missing(f"protoc did not end within {PATIENCE.process_start:g} s") from None
        if done.returncode:
            raise _refused(done.stderr, files)
        descriptors = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    pool = DescriptorPool()
    for descriptor in descriptors.file:
        pool.Add(descriptor)
    return Protos(pool)


def reflected(address: str) -> Protos:
    """Read the protos of a server by reflection.

    Raises:
        Missing: the server does not answer, or has no reflection.
    """
    import grpc
    from google.protobuf.descriptor_pool import DescriptorPool
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
        ProtoReflectionDescriptorDatabase,
    )

    channel = grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)])
    try:
        grpc.channel_ready_future(channel).result(timeout=PATIENCE.api_call)
        database = ProtoReflectionDescriptorDatabase(channel)
        pool = DescriptorPool(database)
        for service in database.get_services():
            pool.FindServiceByName(service)  # reads them now, before the channel closes
        return Protos(pool)
    except (grpc.FutureTimeoutError, grpc.RpcError, KeyError) as error:
        reason = error.code().name if isinstance(error, grpc.RpcError) else "it does not answer"
        do = "start it first, with server reflection"
        raise Missing(f"the protos of {address} cannot be read by reflection: {reason}", do=do) from None
    finally:
        channel.close()


def _refused(output: str, files: Sequence[Path]) -> BadInput:
    match = _ERROR.search(output) or _PLAIN.search(output)
    if match is None:
        return BadInput(
            f"protoc refuses it: {output.strip() or 'without a message'}", where=Location(files[0])
        )
    line = match.groupdict().get("line")
    # protoc names a file relative to its import folder.
    place = next((file for file in files if str(file.resolve()).endswith(match["file"])), Path(match["file"]))
    return BadInput(
        f"the proto does not compile: {match['what']}", where=Location(place, int(line or 0) or None)
    )
