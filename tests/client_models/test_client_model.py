from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.client_models import MODELS
from testbed.client_models.client_model import (
    NEVER,
    AddressCache,
    ClientModel,
    LookUp,
    NegativeCache,
    OnNewAnswer,
    Source,
)

SECONDS = st.floats(0, 1e6)


def model(looks_up: LookUp, cache: AddressCache | None = None, interval: float = 0.0) -> ClientModel:
    source = Source("a library", "1", date(2026, 11, 27), ("A1",))
    return ClientModel(
        "x", "X", "http/1.1", looks_up, source, cache=cache or AddressCache(), interval=interval
    )


def test_a_fixed_cache_does_not_look_at_the_ttl() -> None:
    assert AddressCache(30.0).lifetime(2) == 30.0
    assert AddressCache(30.0).lifetime(300) == 30.0


def test_a_cache_that_honours_the_ttl_keeps_an_answer_for_at_least_its_floor() -> None:
    assert AddressCache(60.0, honours_ttl=True).lifetime(2) == 60.0
    assert AddressCache(60.0, honours_ttl=True).lifetime(300) == 300.0
    assert AddressCache(honours_ttl=True, extra=1.0).lifetime(60) == 61.0


def test_a_negative_answer_is_kept_for_seconds_or_for_the_lesser_value_of_the_soa_record() -> None:
    assert NegativeCache(10.0).lifetime(900, 60) == 10.0
    assert NegativeCache(by_soa=True).lifetime(900, 60) == 60.0
    assert NegativeCache().lifetime(900, 60) == 0.0


@given(last=SECONDS, after=SECONDS, seconds=SECONDS, ttl=SECONDS)
def test_the_cache_answers_until_its_time_is_over_and_a_query_does_after_that(
    last: float, after: float, seconds: float, ttl: float
) -> None:
    wanted = last + after
    at = model(LookUp.CONNECT, AddressCache(seconds)).looks_up_at(wanted, last, ttl)
    assert at == (wanted if wanted >= last + seconds else None)


@given(last=SECONDS, after=SECONDS, interval=SECONDS)
def test_a_look_up_that_is_wanted_too_soon_waits_for_the_least_time_after_the_last(
    last: float, after: float, interval: float
) -> None:
    at = model(LookUp.LOSS, interval=interval).looks_up_at(last + after, last, 60.0)
    assert at is not None
    assert at >= last + interval
    assert at == max(last + after, last + interval)


@pytest.mark.parametrize("looks_up", LookUp, ids=lambda one: one.name)
def test_the_first_look_up_never_waits(looks_up: LookUp) -> None:
    assert model(looks_up, AddressCache(60.0), 30.0).looks_up_at(5.0, None, 60.0) == 5.0


@pytest.mark.parametrize("one", MODELS.values(), ids=lambda one: one.name)
def test_values_of_a_model_agree_with_each_other(one: ClientModel) -> None:
    assert (one.interval > 0) == (one.looks_up in (LookUp.LOSS, LookUp.INTERVAL))
    assert one.max_idle > 0
    assert one.retries >= 0
    if one.cache.seconds == NEVER:
        assert one.looks_up is LookUp.CONNECT
        assert not one.follows_by_itself
    if one.looks_up in (LookUp.LOSS, LookUp.INTERVAL):
        assert one.cache == AddressCache()
    if one.on_new_answer is OnNewAnswer.ABANDONS:
        assert one.max_idle < NEVER, "what it abandons would stay for ever"


def test_few_clients_follow_while_nothing_ends_their_connection() -> None:
    assert {name for name, one in MODELS.items() if one.follows_by_itself} == {
        "java-http1",
        "nginx-resolver",
        "envoy-strict-dns",
        "envoy-logical-dns",
        "squid",
        "ttl-pool",
    }


def test_a_drain_soon_after_the_look_up_ties_those_with_a_cache_to_the_old_address() -> None:
    tied = {name for name, one in MODELS.items() if one.reconnects_by_cache}
    assert {"php-curl", "libcurl", "python-aiohttp", "java-urlconnection", "grpcio"} <= tied
    assert not tied & {"python-requests", "go-net-http", "node-fetch", "boto3", "ruby-net-http", "grpclib"}


def test_a_source_says_library_version_day_and_experiments() -> None:
    source = Source("requests", "2.34.2", date(2026, 11, 27), ("A1", "R"))
    assert str(source) == "requests 2.34.2, measured 2026-11-27 (A1, R)"
