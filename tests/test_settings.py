from __future__ import annotations

import dataclasses

import pytest

from testbed.settings import PATIENCE, PRODUCTION


def test_streams_fit_between_the_timeouts_of_an_alb() -> None:
    assert 0 < PRODUCTION.stream_message < PRODUCTION.alb_idle_timeout
    assert PRODUCTION.stream_message <= PRODUCTION.stream_least <= PRODUCTION.stream_most


def test_a_client_gives_up_an_idle_connection_before_the_alb_does() -> None:
    assert PRODUCTION.client_validate_after < PRODUCTION.client_keep_alive <= PRODUCTION.alb_idle_timeout / 2


def test_patience_is_never_zero() -> None:
    assert all(seconds > 0 for seconds in dataclasses.asdict(PATIENCE).values())


def test_a_poll_is_shorter_than_what_it_waits_for() -> None:
    assert PATIENCE.poll < PATIENCE.process_stop < PATIENCE.process_start
    assert PATIENCE.look < PATIENCE.condition


def test_a_run_cannot_change_them() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        PRODUCTION.alias_ttl = 1.0  # type: ignore[misc]
