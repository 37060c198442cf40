from __future__ import annotations

from pathlib import Path

from testbed.backend import grpc_methods
from testbed.traffic.user_protos import compiled

PROTO = Path(__file__).resolve().parents[2] / "protos" / "measurement" / "v1" / "measurement.proto"


def test_every_method_is_one_of_the_proto() -> None:
    protos = compiled([PROTO])
    for path in grpc_methods.METHODS:
        service, _, method = path.removeprefix("/").partition("/")
        assert service == grpc_methods.SERVICE
        assert protos.method(service, method).name == path
