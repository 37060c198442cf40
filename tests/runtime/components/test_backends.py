from __future__ import annotations

import dataclasses
import sys

import pytest

from testbed.errors import BadInput, Missing
from testbed.network import lease
from testbed.runtime.components import backends
from testbed.traffic.calls import Call
from testbed.traffic.description import Backend
from tests.made_setups import PLAIN as SETUP

ADDRESSES = ["127.9.2.1", "127.9.2.2"]


def test_the_sample_service_answers_anything_only_if_the_calls_are_the_users() -> None:
    plain = backends.commands(SETUP, ADDRESSES)
    assert [one.name for one in plain] == ["backend-0", "backend-1"]
    assert "--anything" not in plain[0].arguments
    own = dataclasses.replace(SETUP, calls=(Call("rest", "/", method="GET"),))
    assert backends.commands(own, ADDRESSES)[0].arguments[-1] == "--anything"


def test_a_command_of_the_users_own_gets_the_places() -> None:
    setup = dataclasses.replace(
        SETUP, backend=Backend(command=f"{sys.executable} 'my server.py' {{address}}:{{grpc_port}}")
    )
    assert backends.commands(setup, ADDRESSES)[1].arguments == [
        sys.executable,
        "my server.py",
        "127.9.2.2:50051",
    ]


@pytest.mark.parametrize("text", ["server {port}", "server '", "server {0}"])
def test_a_command_that_cannot_be_read_is_one_line(text: str) -> None:
    with pytest.raises(BadInput, match=r"the backend's command .* cannot be read"):
        backends.commands(dataclasses.replace(SETUP, backend=Backend(command=text)), ADDRESSES)


def test_servers_that_run_already_are_not_started_but_must_answer() -> None:
    with lease() as network:
        setup = dataclasses.replace(SETUP, backend=Backend(rest=f"{network.control}:8123"))
        assert backends.commands(setup, ADDRESSES) == []
        with pytest.raises(Missing, match=r"nothing answers at .*:8123; start your server"):
            backends.check(setup)
