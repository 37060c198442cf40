"""The heartbeat of the main process: the journal says when it did not run, whatever stopped it.

DNS, the discovery of the balancers, the controllers and the story live in it, while the clients are a process
of their own: while it stands still, they wait for what no balancer owes them. A stopped process cannot say
so; it notices when it runs again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from testbed.clock import Clock
from testbed.journal import Journal, Standstill
from testbed.settings import PATIENCE


@contextmanager
def heartbeat(journal: Journal, clock: Clock) -> Iterator[None]:
    """Write a `Standstill` for each time at which this process did not run, while the block runs."""
    ends = threading.Event()
    thread = threading.Thread(target=_beat, args=(journal, clock, ends), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


def _beat(journal: Journal, clock: Clock, ends: threading.Event) -> None:
    last, is_over = time.monotonic(), False
    while not is_over:
        is_over = ends.wait(PATIENCE.heartbeat)
        now = time.monotonic()
        if now - last > PATIENCE.heartbeat + PATIENCE.standstill:
            end = clock.wall()
            journal.write(Standstill(time=end, start=end - (now - last)))
        last = now
