from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.clock import Clock
from testbed.traffic.calls import Call
from testbed.traffic.open_loop_schedule import arrivals
from testbed.traffic.traffic_plan import LONG, Mix, RequestKind, TrafficPlan

rates = st.floats(0.5, 5_000)
seeds = st.integers(0, 2**32)


def plan(**changes):
    fields = {
        "run": "t",
        "clock": Clock(speed=60),
        "journal": Path("j"),
        "host": "api.example.com",
        "port": 8443,
        "dns": "127.80.0.53:5300",
        "ca_file": Path("ca"),
    }
    return TrafficPlan(**(fields | changes))


@given(seed=seeds, rate=rates)
def test_the_same_seed_gives_the_same_schedule(seed, rate):
    first, second = (list(islice(arrivals(plan(seed=seed), rate), 50)) for _ in range(2))
    assert first == second


@given(seed=seeds, rate=rates, kind=st.sampled_from(["poisson", "uniform"]))
def test_time_never_goes_back(seed, rate, kind):
    times = [arrival.at for arrival in islice(arrivals(plan(seed=seed, arrivals=kind), rate), 100)]
    assert times[0] > 0
    assert all(earlier <= later for earlier, later in pairwise(times))


@given(rate=rates)
def test_uniform_arrivals_are_as_far_apart_as_the_rate_says(rate):
    times = [arrival.at for arrival in islice(arrivals(plan(arrivals="uniform"), rate), 100)]
    assert all(abs(at - number / rate) < 1e-6 for number, at in enumerate(times, 1))


@settings(max_examples=10)
@given(seed=seeds)
def test_poisson_arrivals_keep_the_rate_in_the_long_run(seed):
    last = list(islice(arrivals(plan(seed=seed), 1_000.0), 5_000))[-1]
    assert 4.5 < last.at < 5.5  # seven standard deviations


@given(seed=seeds, generation=st.integers(0, 5))
def test_a_change_of_rate_does_not_repeat_a_schedule(seed, generation):
    first = list(islice(arrivals(plan(seed=seed), 100.0, generation), 20))
    assert first != list(islice(arrivals(plan(seed=seed), 100.0, generation + 1), 20))


@given(seed=seeds)
def test_streams_last_as_long_as_the_plan_says(seed):
    for arrival in islice(arrivals(plan(seed=seed), 100.0), 200):
        expected = range(3, 7) if arrival.kind in LONG else range(1, 2)  # 20 to 50 s, a message each 10 s
        assert arrival.messages in expected


@given(rate=st.floats(1, 50_000), seconds=st.floats(0.01, 100), connections=st.integers(1, 50))
def test_open_streams_fit_into_the_connections(rate, seconds, connections):
    weights = Mix().limited(rate, seconds, connections).weights()
    share = sum(weights[kind] for kind in LONG) / sum(Mix().weights().values())
    assert rate * share * seconds <= connections * 64 * 1.000001


@given(rate=st.floats(0.1, 100))
def test_a_mix_that_fits_is_left_as_it_is(rate):
    assert Mix().limited(rate, 0.1, 8) == Mix()


def test_a_kind_without_weight_never_comes():
    mix = Mix(grpc_bidi=0.0, rest_events=0.0)
    kinds = {arrival.kind for arrival in islice(arrivals(plan(mix=mix), 100.0), 2_000)}
    assert kinds == set(RequestKind) - {RequestKind.GRPC_BIDI, RequestKind.REST_EVENTS}


def test_rate_zero_is_an_empty_schedule():
    assert list(arrivals(plan(), 0.0)) == []


def test_calls_come_in_proportion_to_their_shares():
    calls = (
        Call("grpc", "/shop.v1.Carts/Any", share=3.0),
        Call("rest", "/carts", method="GET", share=1.0),
        Call("grpc", "/shop.v1.Carts/Any", shape="bidi", share=0.2),
    )
    made = list(islice(arrivals(plan(calls=calls), 100.0), 4000))
    counts = [sum(arrival.call is call for arrival in made) for call in calls]
    assert 2.5 < counts[0] / counts[1] < 3.5
    assert counts[2] > 50
    assert all((arrival.messages > 1) == (arrival.kind in LONG) for arrival in made)
