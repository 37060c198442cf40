"""Tells the readers of an AWS service that it was changed, so that nobody needs to poll it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Callable


class ChangeFeed:
    """A revision for each service (`route53`, `elbv2`, `acm`), raised by the endpoint. Thread-safe."""

    def __init__(self) -> None:
        self._revisions: Counter[str] = Counter()
        self._moved = threading.Condition()
        self._wakers: set[Callable[[], object]] = set()

    def revision(self, service: str) -> int:
        """A number that grows with each successful mutating call of the service."""
        return self._revisions[service]

    def bump(self, service: str) -> None:
        """Say that the service was changed."""
        with self._moved:
            self._revisions[service] += 1
            self._moved.notify_all()
            for wake in self._wakers:
                wake()

    def wait(self, service: str, since: int, wall_seconds: float) -> int:
        """Wait until the revision is beyond `since`, `wall_seconds` at most; the revision then."""
        with self._moved:
            self._moved.wait_for(lambda: self._revisions[service] > since, wall_seconds)
            return self._revisions[service]

    async def changed(self, service: str, since: int, wall_seconds: float) -> int:
        """`wait` for a coroutine: takes no thread while it waits."""
        loop, moved = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # that loop has ended, and its waiter with it
                loop.call_soon_threadsafe(moved.set)

        with self._moved:
            self._wakers.add(wake)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wall_seconds):
                    while self._revisions[service] <= since:
                        await moved.wait()
                        moved.clear()
        finally:
            with self._moved:
                self._wakers.discard(wake)
        return self._revisions[service]
