"""What a topology starts, how it ends, and which failure counts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbed.child_process import Command
from testbed.errors import BadInput, Missing
from testbed.runtime.upkeep import Upkeep


@pytest.fixture
def upkeep() -> Iterator[Upkeep]:
    made = Upkeep()
    yield made
    made.close()


def until_it_fails(upkeep: Upkeep) -> None:
    pause = threading.Event()
    for _ in range(200):
        upkeep.check()
        pause.wait(0.02)


def test_everything_ends_in_the_reverse_order(upkeep: Upkeep) -> None:
    ended: list[str] = []

    async def start() -> None: ...

    async def stop() -> None:
        ended.append("server")

    def work(stop: threading.Event) -> None:
        stop.wait()
        ended.append("thread")

    upkeep.serve(upkeep.loop(), start(), stop)
    upkeep.thread("work", work)
    folder = upkeep.folder()
    assert folder.is_dir()
    upkeep.check()
    upkeep.close()
    assert ended == ["thread", "server"]
    assert not folder.exists()


def test_one_thread_can_end_before_the_others(upkeep: Upkeep) -> None:
    ended: list[str] = []

    def work(name: str) -> Callable[[threading.Event], None]:
        def run(stop: threading.Event) -> None:
            stop.wait()
            ended.append(name)

        return run

    end = upkeep.thread("early", work("early"))
    upkeep.thread("late", work("late"))
    end()
    assert ended == ["early"]
    upkeep.check()
    upkeep.close()
    assert ended == ["early", "late"]


def test_the_first_failure_is_kept_and_raised_as_it_is(upkeep: Upkeep) -> None:
    def work(_: threading.Event) -> None:
        raise BadInput("a wrong flag")

    upkeep.thread("work", work)
    with pytest.raises(BadInput, match="a wrong flag"):
        until_it_fails(upkeep)
    upkeep.fail(Missing("a later one"))
    with pytest.raises(BadInput, match="a wrong flag"):
        upkeep.check()


def test_a_bug_is_named_by_its_type(upkeep: Upkeep) -> None:
    async def work() -> None:
        raise KeyError("x")

    upkeep.keep(upkeep.loop(), work())
    with pytest.raises(Missing, match="a part of the testbed ended by KeyError: 'x'"):
        until_it_fails(upkeep)


def test_a_failure_while_it_stops_is_none(upkeep: Upkeep) -> None:
    async def work() -> None:
        await asyncio.Event().wait()

    def thread(stop: threading.Event) -> None:
        stop.wait()
        raise ValueError("the socket is closed")

    upkeep.keep(upkeep.loop(), work())
    upkeep.thread("work", thread)
    upkeep.close()
    upkeep.check()


def test_a_process_that_ends_too_soon_is_missing_with_its_last_words(upkeep: Upkeep, tmp_path: Path) -> None:
    upkeep.spawn(Command("short", ["sh", "-c", "echo out of luck; exit 3"]), tmp_path)
    with pytest.raises(Missing, match="short ended with status 3: out of luck"):
        until_it_fails(upkeep)


def test_an_end_that_is_expected_is_no_failure(upkeep: Upkeep, tmp_path: Path) -> None:
    process = upkeep.spawn(Command("short", ["true"]), tmp_path)
    upkeep.expect_end(process)
    assert process.wait(5) == 0
    upkeep.check()
