from __future__ import annotations

import pytest

from testbed.client_models import grpc
from testbed.client_models.client_model import LookUp, OnNewAnswer

NAMED = {one.name: one for one in grpc.MODELS}


@pytest.mark.parametrize("name", ["grpcio", "grpc-js", "grpc-go"])
def test_grpcs_own_resolvers_wait_30_s_between_look_ups_and_leave_a_healthy_connection(name: str) -> None:
    one = NAMED[name]
    assert (one.looks_up, one.interval) == (LookUp.LOSS, 30.0)
    assert one.on_new_answer is OnNewAnswer.LEAVES
    assert one.keeps_addresses


def test_a_death_3_s_before_the_move_costs_27_s_after_it() -> None:
    # Experiment B6: the look-up that the death caused got the old address; the next was wanted at once.
    assert NAMED["grpcio"].looks_up_at(-2.9, -3.0, 2.0) == 27.0


def test_grpclib_and_connectrpc_look_up_for_each_connection() -> None:
    assert NAMED["grpclib"].looks_up_at(5.0, 4.0, 60.0) == 5.0
    assert NAMED["connectrpc"].looks_up_at(5.0, 4.0, 60.0) is None
    assert NAMED["connectrpc"].negative.lifetime(900, 20) == 20
