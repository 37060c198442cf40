"""Numbers, times and durations for people, the same in terminal, Markdown and HTML."""

from __future__ import annotations

from datetime import UTC, datetime

from testbed import journal
from testbed.balancer_identity import phrase
from testbed.forecast import live_check
from testbed.real_controllers.named_release import is_image
from testbed.verdict.controller_errors import controller_errors as errors_of_controllers
from testbed.verdict.findings import Result
from testbed.verdict.history import History
from testbed.verdict.phases import Tally
from testbed.verdict.verdict import Verdict

LEFT_OUT_SHOWN = 20


def duration(seconds: float) -> str:
    """Format a duration in seconds: `0.42 s`, `12.0 s`, `4m05s`, `1h02m`."""
    if seconds < 0:
        return "-" + duration(-seconds)
    if seconds < 9.95:
        return f"{seconds:.2f} s"
    # Not 60: 59.96 would be rounded to `60.0 s`, beside `1m00s`.
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def latency(micros: int | None) -> str:
    """Format a latency in µs: `870 µs`, `4.8 ms`, `124 ms`, `2.41 s`; 0 and None are a dash."""
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
    """Format seconds since the start of the run: `0:00`, `12:34`, `1:02:03`."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    head = f"{hours}:{rest // 60:02d}" if hours else f"{rest // 60}"
    return f"{head}:{rest % 60:02d}"


def count(number: int, noun: str = "") -> str:
    """Format a count with its noun: `1 request`, `12,345 requests`."""
    if not noun:
        return f"{number:,}"
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def date(time: float) -> str:
    """Return a moment, in seconds since the epoch, as `2026-11-28 01:02:03 UTC`."""
    try:
        return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):  # a journal made by hand may have any number
        return f"{time:g} s"


def release(tag: str, by: str, binary: str = "") -> str:
    """Return a release and who names it, if that is known, and the file that is it; `none` without one."""
    if binary:
        return f"{tag}, the real one: {binary} ({by})"
    return f"{tag} ({by})" if tag and by else tag or "none"


def external_dns(run: journal.Run) -> str:
    """Return `ExternalDNS v0.7.4`, `the real ExternalDNS v0.21.0`, or `no ExternalDNS` for a run without."""
    if not run.external_dns:
        return "no ExternalDNS"
    return f"{'the real ' if run.external_dns_binary else ''}ExternalDNS {run.external_dns}"


def real_controller(one: journal.RealController) -> list[str]:
    """Return lines on a binary of the user: where it is kept, its command, what is not as it was given."""
    place = (
        "in a container whose network leads to the testbed alone"
        if is_image(one.path)
        else "in a network namespace that leads to the testbed alone"
        if one.is_closed
        else "without a network namespace, which needs root; its environment and a proxy lead it here"
    )
    lines = [f"{one.path} is {one.component} {one.release}, {place}", f"  {one.command}"]
    if one.changed:
        lines.append(f"  not as given: {'; '.join(one.changed)}")
    if one.unscaled:
        lines.append(f"  not as fast as the run: {'; '.join(one.unscaled)}")
    return lines


def controller_errors(history: History) -> list[str]:
    """Return a sentence for each error of a controller: when, what, how often, whether it passed."""
    times, found = Times(history), []
    for error in errors_of_controllers(history):
        often = ""
        if error.count > 1:
            often = f", {error.count} times in {duration((error.last - error.first) * history.speed)}"
        end = ", then it succeeded" if error.has_passed else ""
        found.append(f"{times.at(error.first)} {error.who}: {error.text}{often}{end}")
    return found


def left_out(history: History) -> list[str]:
    """Return a sentence for each thing that the objects ask for and the run did not play."""
    found = dict.fromkeys(f"{event.owner}: {event.text}." for event in history.left_out)
    shown = list(found)[:LEFT_OUT_SHOWN]
    rest = len(found) - len(shown)
    return [*shown, f"And {rest} more, in the journal."] if rest else shown


def forecast(verdict: Verdict) -> str:
    """Return what became of the forecast of the drains; "" if the journal does not say who called."""
    checks = live_check.live_checks(verdict.history, verdict.tally, verdict.movements.moves)
    # One that missed is worth more than one that held, and either more than one that says nothing.
    order = {False: 0, True: 1, None: 2}
    return min(checks, key=lambda one: order[one.holds]).sentence + "." if checks else ""


def ipv6_clients(counted: Tally) -> str:
    """Return a sentence on the requests that came by IPv6; "" without any."""
    served = {name: one for (name, family), one in counted.by_family.items() if family == "ipv6"}
    if not served:
        return ""
    total = sum(one.total for one in served.values())
    shares = ", ".join(f"{phrase(name)} {one.total:,}" for name, one in served.items())
    lost = sum(one.lost for one in served.values())
    return f"{count(total, 'request')} came by IPv6 ({shares}), {f'{lost:,} lost' if lost else 'none lost'}."


def headline(verdict: Verdict) -> str:
    """Return the verdict in one or two sentences."""
    outcomes = verdict.requests
    total = count(outcomes.total, "request")
    if verdict.result is Result.PASS:
        accepted = "; ".join(one.why for one in verdict.history.losses_accepted)
        lost = f"{count(outcomes.lost)} lost and accepted ({accepted})" if outcomes.lost else "none lost"
        return f"{total}, {lost}. The targets' access logs agree with the clients on every request."
    if not verdict.findings:
        return total
    more = len(verdict.findings) - 1
    tail = f" (and {count(more, 'more reason')})" if more else ""
    first = verdict.findings[0].text
    # A threshold such as `nlb.lost == 0` begins with a name, which keeps its letters.
    begins_with_name = bool(set("._:") & set(first.split(" ", 1)[0]))
    return f"{first if begins_with_name else first[:1].upper() + first[1:]}.{tail}"


class Times:
    """Converts wall times of one run to time since its start, in production and wall time."""

    def __init__(self, history: History) -> None:
        self._begin = history.begin
        self.speed = history.speed

    def wall(self, time: float) -> float:
        """Return wall seconds since the start."""
        return time - self._begin

    def production(self, time: float) -> float:
        """Return production seconds since the start."""
        return (time - self._begin) * self.speed

    def at(self, time: float) -> str:
        """Format a moment as `12:34`, production time."""
        return clock_time(self.production(time))

    def both(self, time: float) -> str:
        """Format a moment as `12:34 (12.6 s)`: production time, wall time."""
        return f"{self.at(time)} ({self.wall(time):.1f} s)"

    def lasted(self, seconds: float) -> str:
        """Format a wall duration as `38 s (0.63 s)`: production time, wall time."""
        return f"{duration(seconds * self.speed)} ({duration(seconds)})"
