"""Numbers, times and durations as a person reads them, the same in terminal and HTML."""

from __future__ import annotations

from testbed.rehearsal.story import Story
from testbed.rehearsal.verdict import Result, Verdict


def duration(seconds: float) -> str:
    """A duration of a minute or so: `0.42 s`, `12.0 s`, `4m05s`, `1h02m`."""
    if seconds < 0:
        return "-" + duration(-seconds)
    if seconds < 9.95:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def latency(micros: int | None) -> str:
    """A latency in µs: `870 µs`, `4.8 ms`, `124 ms`, `2.41 s`; none is a dash."""
    if not micros:
        return "-"
    if micros < 1_000:
        return f"{micros} µs"
    if micros < 100_000:
        return f"{micros / 1e3:.1f} ms"
    if micros < 1_000_000:
        return f"{micros / 1e3:.0f} ms"
    return f"{micros / 1e6:.2f} s"


def clock_time(seconds: float) -> str:
    """Time since the start of the run: `0:00`, `12:34`, `1:02:03`."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    head = f"{hours}:{rest // 60:02d}" if hours else f"{rest // 60}"
    return f"{head}:{rest % 60:02d}"


def count(number: int, noun: str = "") -> str:
    """A count with thousands separated, and its noun: `1 request`, `12,345 requests`."""
    if not noun:
        return f"{number:,}"
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def headline(verdict: Verdict) -> str:
    """The verdict in one sentence."""
    outcomes = verdict.requests
    total = count(outcomes.total, "request")
    if verdict.result is Result.PASS:
        accepted = "; ".join(one.why for one in verdict.story.losses_accepted)
        lost = f"{count(outcomes.lost)} lost and accepted ({accepted})" if outcomes.lost else "none lost"
        every = "Every answer is" if outcomes.lost else "Every one is"
        return f"{total}, {lost}. {every} in the targets' access logs as the clients tell it."
    if not verdict.findings:
        return total
    more = len(verdict.findings) - 1
    tail = f" (and {count(more, 'more reason')})" if more else ""
    first = verdict.findings[0].text
    return f"{first[:1].upper()}{first[1:]}.{tail}"


class Times:
    """Tells wall times of one run as time since its start, in production and wall time."""

    def __init__(self, story: Story) -> None:
        self._begin = story.begin
        self.speed = story.speed

    def wall(self, time: float) -> float:
        """Wall seconds since the start."""
        return time - self._begin

    def production(self, time: float) -> float:
        """Production seconds since the start."""
        return (time - self._begin) * self.speed

    def at(self, time: float) -> str:
        """`12:34` of production time."""
        return clock_time(self.production(time))

    def both(self, time: float) -> str:
        """`12:34 (12.6 s)`: production time, wall time."""
        return f"{self.at(time)} ({self.wall(time):.1f} s)"

    def lasted(self, seconds: float) -> str:
        """A wall duration in production and wall time: `38 s (0.63 s)`."""
        return f"{duration(seconds * self.speed)} ({duration(seconds)})"
