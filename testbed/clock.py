"""The clock of a whole run: production time passes `speed` times as fast as wall time.

Intervals, TTLs, ages and delays are production seconds everywhere (settings, manifests, AWS and Envoy
configuration). They are divided here, where the time is spent. Patience is not divided: a connect timeout
waits for a real CPU to do real work, however fast the story runs.

All processes of a run share one origin, so their times can be compared to the microsecond.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import threading
import time
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Clock:
    """Wall and production time of a run, both as seconds since the epoch.

    Attributes:
        speed: production seconds that pass in one wall second.
        epoch: wall time of the origin, seconds since the epoch.
        monotonic: `time.monotonic()` at the origin; it is the same in all processes of a Linux host.
    """

    speed: float = 1.0
    epoch: float = field(default_factory=time.time)
    monotonic: float = field(default_factory=time.monotonic)

    def wall(self) -> float:
        """Return the wall time; it never jumps, even if the machine's clock is set during the run."""
        return self.epoch + (time.monotonic() - self.monotonic)

    def now(self) -> float:
        """Return the production time: equal to wall time at the origin, `speed` times as fast since then."""
        return self.production(self.wall())

    def production(self, wall: float) -> float:
        """Convert a wall time of this run to production time."""
        return self.epoch + (wall - self.epoch) * self.speed

    def scaled(self, seconds: float) -> float:
        """Return the wall seconds that a production duration takes."""
        return seconds / self.speed

    def rfc3339(self) -> str:
        """Return the production time in UTC to the second, as Go programs log it."""
        moment = datetime.datetime.fromtimestamp(self.now(), tz=datetime.UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for an event for at most production `seconds`; return True if it was set."""
        return event.wait(self.scaled(seconds))

    async def sleep(self, seconds: float) -> None:
        """Sleep production `seconds` in an asyncio task."""
        await asyncio.sleep(self.scaled(seconds))

    def to_json(self) -> str:
        """Write the clock as text for a child process; `from_json` reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Clock:
        """Read the clock that `to_json` wrote in another process of this run."""
        return cls(**json.loads(text))
