"""The schedule of the loop: a run at each interval, and with `--events` soon after an object changed. Pure.

Source: external-dns, controller/controller.go (ScheduleRunOnce, ShouldRunOnce) [v0.7.x: the same]. All times
are production seconds.
"""

from __future__ import annotations

from testbed.dated_releases import Release
from testbed.external_dns.core.facts import Fact
from testbed.settings import PRODUCTION


class Schedule:
    """The next run, `due`.

    Before v0.15 each event puts the run off again, so a steady stream of events does so for ever. Since then
    the first event counts, but not within `--min-event-sync-interval` after the previous run.
    """

    def __init__(self, release: Release, interval: float, least_pause: float, now: float) -> None:
        self._is_put_off_by_events = not release.has(Fact.EVENTS_AT_LEAST_APART)
        self._interval, self._least_pause = interval, least_pause
        self._last = float("-inf")
        waits = self._is_put_off_by_events and release.has(Fact.LEAST_EVENT_INTERVAL)
        self._delay = least_pause if waits else PRODUCTION.external_dns_event_delay
        # The start of the process counts as an event where events put off; later ones run at once.
        self.due = now + (self._delay if self._is_put_off_by_events else 0.0)

    def started(self, now: float) -> None:
        """Note that a run begins."""
        self._last, self.due = now, now + self._interval

    def changed(self, now: float) -> None:
        """Note that an object of a source was added, changed or deleted."""
        soon = now + self._delay
        self.due = (
            soon if self._is_put_off_by_events else max(self._last + self._least_pause, min(soon, self.due))
        )
