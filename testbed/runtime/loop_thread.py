"""An asyncio loop in a thread of its own, for the servers of a run: the main thread plays the story."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from testbed.runtime.priority import give_way
from testbed.settings import PATIENCE

Result = TypeVar("Result")


class LoopThread:
    """Runs coroutines for threads that are not asynchronous. A context manager; the loop ends with it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="servers", daemon=True)

    def run(self, work: Coroutine[Any, Any, Result], seconds: float = PATIENCE.process_start) -> Result:
        """Run a coroutine in the loop, wait for its result, and return it; its error is raised here."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def __enter__(self) -> LoopThread:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._cancel_tasks(), PATIENCE.process_stop)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE.process_stop)
        self.loop.close()

    def _serve(self) -> None:
        give_way()
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    async def _cancel_tasks(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.loop.shutdown_asyncgens()
