"""Notifies readers of an AWS service about changes, so that they do not poll it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Callable


class ChangeFeed:
    """A revision for each service (`route53`, `elbv2`, `acm`), incremented by the endpoint. Thread-safe."""

    def __init__(self) -> None:
        self._revisions: Counter[str] = Counter()
        self._moved = threading.Condition()
        self._wakers: set[Callable[[], object]] = set()

    def revision(self, service: str) -> int:
        """Return a number that grows with each successful mutating call of the service."""
        return self._revisions[service]

    def bump(self, service: str) -> None:
        """Increment the revision of a service that has changed."""
        with self._moved:
            self._revisions[service] += 1
            self._moved.notify_all()
            for wake in self._wakers:
                wake()

    def wait(self, service: str, since: int, wall_seconds: float) -> int:
        """Wait until the revision is beyond `since`, at most `wall_seconds`, and return it."""
        with self._moved:
            self._moved.wait_for(lambda: self._revisions[service] > since, wall_seconds)
            return self._revisions[service]

    async def changed(self, service: str, since: int, wall_seconds: float) -> int:
        """Wait like `wait`, but in a coroutine and without a thread."""
        loop, moved = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop of the waiter has ended
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
