"""When the loop runs next: at each interval, and with `--events` soon after an object changed. Pure.

Source: external-dns, controller/controller.go (ScheduleRunOnce, ShouldRunOnce) [v0.7.x: the same]. All times
are production seconds.
"""

from __future__ import annotations

from testbed.external_dns.profile import Profile
from testbed.settings import PRODUCTION


class Schedule:
    """The next run, `due`.

    v0.7.x waits 5 s after every event, so a steady stream of events pushes the run away for ever. Since v0.8
    the first of them counts, but for `--min-event-sync-interval` after the run before.
    """

    def __init__(self, profile: Profile, interval: float, least_pause: float, now: float) -> None:
        self._is_pushed_away = profile.release < (0, 8)
        self._interval, self._least_pause = interval, least_pause
        self._last = float("-inf")
        self.due = now + profile.start_delay

    def started(self, now: float) -> None:
        """A run begins."""
        self._last, self.due = now, now + self._interval

    def changed(self, now: float) -> None:
        """An object of a source was added, changed or deleted."""
        soon = now + PRODUCTION.external_dns_event_delay
        self.due = soon if self._is_pushed_away else max(self._last + self._least_pause, min(soon, self.due))
