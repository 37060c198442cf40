"""Protos of all kinds: what compiles can be encoded and read back, what does not is one line."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.backend.grpc_service import serve_grpc
from testbed.errors import BadInput, Missing
from testbed.network import Network
from testbed.settings import Patience
from testbed.traffic import user_protos
from testbed.traffic.user_protos import Protos, compiled

PROTO = """\
syntax = "proto3";
package a.b;
import "lib/item.proto";
service S { rpc M (Cart) returns (Cart); }
message Cart { string id = 1; repeated lib.Item items = 2; int64 size = 3; map<string, bool> flags = 4; }
"""
ITEM = 'syntax = "proto3";\npackage lib;\nmessage Item { string name = 1; }\n'


@pytest.fixture(scope="module")
def protos(tmp_path_factory: pytest.TempPathFactory) -> Protos:
    folder = tmp_path_factory.mktemp("protos")
    (folder / "lib").mkdir()
    (folder / "lib" / "item.proto").write_text(ITEM)
    (folder / "cart.proto").write_text(PROTO)
    return compiled([folder / "cart.proto"])


@settings(max_examples=50)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.text(min_size=1, max_size=8),
            "items": st.lists(
                st.fixed_dictionaries({"name": st.text(min_size=1, max_size=5)}), min_size=1, max_size=3
            ),
            "size": st.integers(1, 2**62).map(str),
            "flags": st.dictionaries(st.text(max_size=4), st.booleans(), min_size=1, max_size=3),
        },
    )
)
def test_a_payload_is_encoded_as_its_proto_says(protos: Protos, payload: dict[str, object]) -> None:
    method = protos.method("a.b.S", "M")
    message = GetMessageClass(method.request).FromString(method.encode(payload))
    assert json_format.MessageToDict(message) == payload


@pytest.mark.parametrize("payload", [{"id": 3}, {"nothing": 1}, {"items": {}}, [], "text", 3])
def test_a_payload_of_another_shape_is_refused(protos: Protos, payload: object) -> None:
    with pytest.raises(BadInput, match=r"the payload does not match a\.b\.Cart"):
        protos.method("a.b.S", "M").encode(payload)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", None),
        ("nonsense", 1),
        ('syntax = "proto3";\nmessage A { string a = 1; string b = 1; }\n', 2),
        ('syntax = "proto3";\nmessage A {\n', 3),
        ('syntax = "proto3";\nservice S { rpc M (No) returns (No); }\n', 2),
    ],
)
def test_what_does_not_compile_names_the_file_and_its_line(
    tmp_path: Path, text: str, line: int | None
) -> None:
    path = tmp_path / "a.proto"
    path.write_text(text)
    if line is None:
        compiled([path])  # an empty file is a proto without anything
        return
    with pytest.raises(BadInput) as error:
        compiled([path])
    assert str(error.value).startswith(f"{path}:{line}: the proto does not compile: ")
    assert "\n" not in str(error.value)


async def test_protos_are_read_from_a_server_by_reflection(network: Network) -> None:
    started = await serve_grpc("pod-0", network.control, 50051)
    reflected = await asyncio.to_thread(user_protos.reflected, f"{network.control}:50051")
    method = reflected.method("measurement.v1.MeasurementService", "WatchMeasurements")
    await started.stop(None)
    assert method.shape == "server_stream"
    assert method.encode({"id": "a", "count": 2}) == b"\x0a\x01a\x10\x02"


def test_a_server_that_does_not_answer_is_missing(monkeypatch: pytest.MonkeyPatch, network: Network) -> None:
    monkeypatch.setattr(user_protos, "PATIENCE", Patience(api_call=0.2))
    message = "cannot be read by reflection: it does not answer"
    with pytest.raises(Missing, match=message):
        user_protos.reflected(f"{network.control}:50051")
