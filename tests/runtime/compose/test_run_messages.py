"""What the services send each other, on its way through JSON."""

from __future__ import annotations

import dataclasses
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.clock import Clock
from testbed.errors import BadInput, ExitCode, Missing
from testbed.rehearsal.scenario import Targets
from testbed.rehearsal.setup import ClusterSetup, Setup
from testbed.runtime.compose import run_messages
from testbed.traffic.calls import Call
from testbed.traffic.traffic_plan import ClientGroup
from tests.made_setups import OWN, PLAIN

FINITE = st.floats(allow_nan=False, allow_infinity=False)
PORTS = st.integers(0, 65535)


def every_field_of(kind: type[Any], **known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of a dataclass; what is not known follows from the types, so that a new field is tried, too."""
    return st.builds(kind, **{field.name: known.get(field.name, ...) for field in dataclasses.fields(kind)})


TARGETS = every_field_of(
    Targets,
    labels=st.dictionaries(st.text(), st.text()),
    tls_ports=st.lists(PORTS).map(tuple),
    plain_ports=st.lists(PORTS).map(tuple),
    port_names=st.dictionaries(st.text(), PORTS),
    server_names=st.lists(st.text()).map(tuple),
)
DEFINITIONS = st.lists(st.dictionaries(st.text(), st.text()), max_size=2).map(tuple)
CALLS = every_field_of(Call, share=FINITE, status=st.none() | PORTS)
SETUPS = every_field_of(
    Setup,
    clusters=st.lists(
        every_field_of(
            ClusterSetup, targets=st.lists(TARGETS, max_size=2).map(tuple), definitions=DEFINITIONS
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    connection_age=st.none() | FINITE,
    balancer_provisioning=FINITE,
    certificates=st.dictionaries(st.text(), st.lists(st.text())),
    ipv6_clients=FINITE,
    seed=PORTS,
    port=PORTS,
    clients=st.lists(
        every_field_of(ClientGroup, count=PORTS, started=FINITE, requests_every=FINITE), max_size=3
    ).map(tuple),
    calls=st.lists(CALLS, max_size=3).map(tuple),
)


def sent(setup: Setup, clock: Clock) -> tuple[Setup, Clock]:
    return run_messages.read_run(orjson.loads(orjson.dumps(run_messages.run(setup, clock))))


def test_no_field_of_the_example_is_left_at_its_default() -> None:
    for own, plain in ((OWN, PLAIN), (OWN.cluster, PLAIN.cluster)):
        for field in dataclasses.fields(own):
            assert getattr(own, field.name) != getattr(plain, field.name), field.name


@pytest.mark.parametrize("setup", [OWN, PLAIN], ids=["own", "plain"])
def test_a_run_arrives_as_it_was_ordered(setup: Setup) -> None:
    clock = Clock(60.0, 1.0, 2.0)
    assert sent(setup, clock) == (setup, clock)


@given(SETUPS, st.builds(Clock, FINITE, FINITE, FINITE))
def test_every_field_of_any_setup_survives_the_way_there_and_back(setup: Setup, clock: Clock) -> None:
    assert sent(setup, clock) == (setup, clock)


@pytest.mark.parametrize("error", [Missing("no Envoy", do="install it"), BadInput("bad")], ids=str)
def test_an_error_keeps_its_exit_code_and_its_words(error: Missing | BadInput) -> None:
    told = run_messages.raised(run_messages.error(error))
    assert (type(told), str(told), told.exit_code) == (type(error), str(error), error.exit_code)


def test_an_exception_that_is_a_bug_is_named_by_its_type() -> None:
    assert run_messages.error(KeyError("x")) == {"code": ExitCode.FAIL, "text": "KeyError: 'x'"}
