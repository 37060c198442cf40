"""A loop for servers, used from threads that are not asynchronous."""

from __future__ import annotations

import asyncio
import threading

import pytest

from testbed.runtime.loop_thread import LoopThread


async def where() -> str:
    return threading.current_thread().name


async def broken() -> None:
    raise ValueError("no luck")


def test_a_coroutine_runs_in_the_loops_own_thread_and_its_result_comes_back() -> None:
    with LoopThread() as loop:
        assert loop.run(where()) == "servers"


def test_an_error_is_raised_in_the_thread_that_waits() -> None:
    with LoopThread() as loop, pytest.raises(ValueError, match="no luck"):
        loop.run(broken())


def test_leaving_cancels_what_still_runs_and_lets_it_tidy_up() -> None:
    tidied = threading.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            tidied.set()

    with LoopThread() as loop:
        asyncio.run_coroutine_threadsafe(forever(), loop.loop)
        loop.run(asyncio.sleep(0))
    assert tidied.is_set()
    assert loop.loop.is_closed()
