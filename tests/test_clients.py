"""`testbed.clients`, where scenarios import the description of their traffic from."""

from __future__ import annotations

from pathlib import Path

from testbed import clients
from testbed.rehearsal.scenario import scenario
from testbed.traffic import calls, description


def test_traffic_in_python_is_what_a_file_describes(tmp_path: Path) -> None:
    path = tmp_path / "traffic.toml"
    path.write_text('[[rest]]\nrequest = "GET /carts"\n')
    written = clients.Traffic(calls=(clients.Call("rest", "/carts", method="GET"),))
    assert clients.load(path) == written
    assert description.resolve(written, tmp_path) == written


def test_a_scenario_takes_the_traffic_that_the_module_describes() -> None:
    traffic = clients.Traffic(
        calls=(clients.Call("grpc", "/shop.v1.Cart/Get"),), backend=clients.Backend(grpc="127.0.0.1:50051")
    )

    @scenario("A move", host="api.example.com", traffic=traffic)
    def move(cutover: object) -> None: ...

    assert move.__dict__["testbed_scenario"].traffic is traffic


def test_it_offers_the_very_classes_of_the_traffic_package() -> None:
    assert (clients.Call, clients.Traffic) == (calls.Call, description.Traffic)
    assert (clients.Backend, clients.load) == (description.Backend, description.load)
