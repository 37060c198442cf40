from __future__ import annotations

import threading

import pytest

from testbed.clock import Clock


def test_production_time_passes_as_much_faster_as_the_speed_says() -> None:
    clock = Clock(speed=60, epoch=1000.0)
    assert clock.production(1000.0) == 1000.0
    assert clock.production(1002.0) == 1120.0
    assert clock.scaled(60) == 1.0


def test_a_child_process_reads_the_same_time() -> None:
    clock = Clock(speed=7)
    assert Clock.from_json(clock.to_json()) == clock


def test_production_time_is_written_as_go_programs_write_it() -> None:
    clock = Clock(speed=1e-9, epoch=1606900319.5)
    assert clock.rfc3339() == "2020-12-02T09:11:59Z"


def test_waiting_ends_when_the_event_is_set() -> None:
    event = threading.Event()
    event.set()
    assert Clock(speed=1).wait(event, 3600)


async def test_sleeping_takes_scaled_time() -> None:
    await Clock(speed=1e9).sleep(3600)


@pytest.mark.parametrize("speed", [0.5, 1, 60])
def test_time_never_runs_backwards(speed: float) -> None:
    clock = Clock(speed=speed)
    moments = [clock.now() for _ in range(1000)]
    assert moments == sorted(moments)
