from __future__ import annotations

from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.traffic.calls import Call, from_text, to_text
from testbed.traffic.description import Backend, Traffic, load, resolve

PROTO = """\
syntax = "proto3";
package shop.v1;
import "google/protobuf/timestamp.proto";

message Cart {
  string id = 1;
  google.protobuf.Timestamp changed = 2;
}
service Carts {
  rpc Get (Cart) returns (Cart);
  rpc Watch (Cart) returns (stream Cart);
  rpc Put (stream Cart) returns (Cart);
  rpc Talk (stream Cart) returns (stream Cart);
}
"""


def described(folder: Path, text: str, proto: str = PROTO) -> Traffic:
    (folder / "cart.proto").write_text(proto)
    (folder / "traffic.toml").write_text(text)
    return load(folder / "traffic.toml")


def test_grpc_and_rest_without_a_proto(tmp_path: Path) -> None:
    found = described(
        tmp_path,
        """
[[grpc]]
method = "shop.v1.Carts/Get"
share = 3
shape = "bidi"
metadata = { Tenant = "a" }

[[rest]]
request = "PUT /carts/1?x=y"
json = { items = [1] }
status = 201
""",
    )
    assert found == Traffic(
        (
            Call("grpc", "/shop.v1.Carts/Get", "POST", "bidi", 3.0, b"", (("tenant", "a"),)),
            Call(
                "rest", "/carts/1?x=y", "PUT", "unary", 1.0, b'{"items":[1]}',
                (("content-type", "application/json"),), 201,
            ),
        )
    )  # fmt: skip
    assert from_text(to_text(found.calls)) == found.calls


def test_a_proto_gives_shapes_and_encodes_payloads(tmp_path: Path) -> None:
    methods = {"Get": "unary", "Watch": "server_stream", "Put": "client_stream", "Talk": "bidi"}
    text = 'proto = ["cart.proto"]\n' + "".join(
        f'[[grpc]]\nmethod = "shop.v1.Carts/{name}"\npayload = {{ id = "{name}" }}\n' for name in methods
    )
    calls = described(tmp_path, text).calls
    assert {call.path.rpartition("/")[2]: call.shape for call in calls} == methods
    assert [call.body for call in calls] == [b"\n" + bytes([len(name)]) + name.encode() for name in methods]


def test_a_backend_of_the_users_own(tmp_path: Path) -> None:
    text = '[backend]\ncommand = "server {address}"\n[[rest]]\nrequest = "GET /"\n'
    assert described(tmp_path, text).backend == Backend(command="server {address}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "traffic.toml: the file has no call"),
        ("a = [\n", "traffic.toml:1: not valid TOML"),
        ("speed = 1\n", "traffic.toml:1: unknown key 'speed'; known keys are proto"),
        ('[[rest]]\nrequest = "GET /"\n\n[[rest]]\nrequest = "FETCH /"\n', "traffic.toml:5: request must be"),
        ('[[rest]]\nrequest = "GET x"\n', "traffic.toml:2: request must be METHOD /path"),
        ('[[rest]]\nrequest = "GET /a b"\n', "traffic.toml:2: request must be METHOD /path"),
        ('[[rest]]\nshare = 1\n', "traffic.toml:1: request must be"),
        ('[[rest]]\nrequest = "GET /"\nshare = 0\n', "traffic.toml:3: share must be"),
        ('[[rest]]\nrequest = "GET /"\nshare = true\n', "traffic.toml:3: share must be"),
        ('[[rest]]\nrequest = "GET /"\nstatus = 404\n', "traffic.toml:3: status must be"),
        ('[[rest]]\nrequest = "GET /"\nheaders = { Host = "a" }\n', ":3: the testbed sets the header host"),
        ('[[rest]]\nrequest = "GET /"\nheaders = { a = "b\\nc: d" }\n', ":3: the header 'a' cannot be sent"),
        ('[[grpc]]\nmethod = "Get"\n', "traffic.toml:2: method must be package.Service/Method"),
        ('[[grpc]]\nmethod = "a.B/C"\nshape = "duplex"\n', "traffic.toml:3: shape 'duplex' is not one of"),
        ('[[grpc]]\nmethod = "a.B/C"\npayload = {}\n', "traffic.toml:3: a payload needs a proto; name the"),
        ('[backend]\nrest = "10.0.0.1:80"\n', "traffic.toml:2: '10.0.0.1:80' is no loopback address"),
        ('[backend]\nrest = "shop.example.com:80"\n', "is no loopback address"),
        ('[backend]\nrest = "127.0.0.1:80"\ncommand = "x"\n', "traffic.toml:3: a backend has either"),
        ('reflection = true\n[[grpc]]\nmethod = "a.B/C"\n', "traffic.toml:1: reflection needs a"),
        ('proto = ["no.proto"]\n[[grpc]]\nmethod = "a.B/C"\n', "no.proto: no such proto"),
        ('proto = ["cart.proto"]\n[[grpc]]\nmethod = "a.B/C"\n', "traffic.toml:3: no proto has a service"),
        (
            'proto = ["cart.proto"]\n[[grpc]]\nmethod = "shop.v1.Carts/Drop"\n',
            "traffic.toml:3: shop.v1.Carts has no method Drop; its methods are Get, Watch, Put, Talk",
        ),
        (
            'proto = ["cart.proto"]\n[[grpc]]\nmethod = "shop.v1.Carts/Get"\npayload = { ID = 1 }\n',
            "traffic.toml:4: the payload does not match shop.v1.Cart",
        ),
        (
            'proto = ["cart.proto"]\n[[grpc]]\nmethod = "shop.v1.Carts/Get"\nshape = "bidi"\n',
            "/shop.v1.Carts/Get is unary in its proto",
        ),
    ],
)  # fmt: skip
def test_an_error_is_one_line_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput) as error:
        described(tmp_path, text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_proto_that_does_not_compile_names_its_line(tmp_path: Path) -> None:
    text = 'proto = ["cart.proto"]\n[[grpc]]\nmethod = "shop.v1.Carts/Get"\n'
    with pytest.raises(BadInput) as error:
        described(tmp_path, text, PROTO.replace("string id = 1;", "strin id = 1;"))
    assert str(error.value) == f'{tmp_path}/cart.proto:6: the proto does not compile: "strin" is not defined.'


def test_a_proto_that_imports_a_missing_file_names_it(tmp_path: Path) -> None:
    text = 'proto = ["cart.proto"]\n[[grpc]]\nmethod = "shop.v1.Carts/Get"\n'
    with pytest.raises(BadInput, match=r"other\.proto.* not found|does not compile: .*other\.proto"):
        described(tmp_path, text, PROTO.replace("google/protobuf/timestamp.proto", "other.proto"))


def test_no_such_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"traffic\.toml: cannot be read"):
        load(tmp_path / "traffic.toml")


def test_a_scenario_may_describe_its_traffic_in_python_or_name_a_file(tmp_path: Path) -> None:
    traffic = Traffic((Call("rest", "/carts", method="GET"),))
    assert resolve(traffic, tmp_path) is traffic
    (tmp_path / "traffic.toml").write_text('[[rest]]\nrequest = "GET /carts"\n')
    assert resolve("traffic.toml", tmp_path) == traffic
    assert resolve(None, tmp_path) is None


@pytest.mark.parametrize("share", [0.0, -1.0, float("nan"), float("inf")])
def test_a_wrong_share_is_refused_in_python_too(share: float) -> None:
    with pytest.raises(BadInput, match="every share must be greater than 0"):
        Traffic((Call("rest", "/", method="GET", share=share),))
    with pytest.raises(BadInput):
        Traffic(())
