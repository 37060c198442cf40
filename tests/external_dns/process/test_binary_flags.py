from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.dated_releases import EXTERNAL_DNS_RELEASES
from testbed.errors import BadInput
from testbed.external_dns.core.go_duration import seconds
from testbed.external_dns.process import binary_flags
from testbed.external_dns.process.binary_flags import LEAST_INTERVAL, BinaryFlags, highest_speed

NEW = EXTERNAL_DNS_RELEASES["v0.21.0"]
PLAIN = ("--source=service", "--provider=aws")


def of_run(*given: str, speed: float = 20.0) -> BinaryFlags:
    return binary_flags.of_run(given, NEW, speed=speed, address="127.9.0.1", kubeconfig="/k")


def value(flags: Sequence[str], name: str) -> str | None:
    found = [one.partition("=")[2] for one in flags if one.partition("=")[0] == f"--{name}"]
    assert len(found) <= 1
    return found[0] if found else None


def test_what_the_user_gives_is_kept_and_what_the_run_needs_is_added() -> None:
    flags = of_run(*PLAIN, "--txt-owner-id", "me", "--events")
    assert flags.arguments[:4] == (*PLAIN, "--txt-owner-id=me", "--events")
    assert value(flags.arguments, "kubeconfig") == "/k"
    assert value(flags.arguments, "metrics-address") == "127.9.0.1:7979"


@pytest.mark.parametrize(
    ("given_", "name", "scaled"),
    [
        ((), "interval", "3000ms"),
        (("--interval=2m",), "interval", "6000ms"),
        (("--interval", "2m"), "interval", "6000ms"),
        ((), "aws-batch-change-interval", "50ms"),
        (("--txt-cache-interval=1h",), "txt-cache-interval", "180000ms"),
        (("--aws-zones-cache-duration=0s",), "aws-zones-cache-duration", "0ms"),
        (("--txt-cache-interval=1ms",), "txt-cache-interval", "1ms"),
        (("--events",), "min-event-sync-interval", "250ms"),
        ((), "min-event-sync-interval", None),
    ],
)
def test_intervals_are_divided_by_the_speed(given_: tuple[str, ...], name: str, scaled: str | None) -> None:
    assert value(of_run(*given_).arguments, name) == scaled


def test_an_old_release_gets_no_flag_that_it_lacks() -> None:
    old = EXTERNAL_DNS_RELEASES["v0.7.4"]
    flags = binary_flags.of_run(["--events"], old, speed=20, address="a", kubeconfig="k")
    assert value(flags.arguments, "min-event-sync-interval") is None


def test_what_cannot_be_obeyed_is_replaced_and_said() -> None:
    flags = of_run(
        "--kubeconfig=/home/me", "--server=https://prod", "--metrics-address=:8080", "--interval=1m"
    )
    assert value(flags.arguments, "kubeconfig") == "/k"
    assert value(flags.arguments, "server") is None
    assert flags.metrics_port == 8080
    assert "--server is the run's" in flags.changed
    assert "--interval=60s is divided by the speed" in flags.changed
    assert flags.unscaled


def test_at_the_speed_of_production_nothing_is_said_of_time() -> None:
    flags = of_run(speed=1.0)
    assert value(flags.arguments, "interval") == "60000ms"
    assert (flags.changed, flags.unscaled) == ((), ())


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--provider=cloudflare", "leads away from the testbed"),
        ("--provider=webhook", "leads away from the testbed"),
        ("--aws-assume-role=arn:aws:iam::1:role/dns", "leads to another account"),
        ("--aws-profile=production", "leads to another account"),
        ("--once", "ends after one sync"),
        ("--interval=often", "'often' is not a duration"),
        ("--interval=", "'' is not a duration"),
        ("--metrics-address=nowhere", "has no port"),
    ],
)
def test_what_leads_elsewhere_or_nowhere_is_refused_in_one_line(flag: str, said: str) -> None:
    with pytest.raises(BadInput, match=r".") as refused:
        of_run(*PLAIN, flag)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@given(st.integers(1, 7200))
def test_at_the_highest_speed_the_interval_is_long_enough(interval: int) -> None:
    given_ = [f"--interval={interval}s"]
    speed = highest_speed(given_)
    left = seconds(value(of_run(*given_, speed=speed).arguments, "interval") or "")
    assert left >= min(interval, LEAST_INTERVAL) - 0.001


def test_without_an_interval_the_default_counts() -> None:
    assert highest_speed(PLAIN) == 60 / LEAST_INTERVAL
