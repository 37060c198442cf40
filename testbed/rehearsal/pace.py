"""The speed of a run with a user's own controller, which knows nothing of the clock of the run."""

from __future__ import annotations

from dataclasses import replace

from testbed.external_dns.process import binary_flags
from testbed.lb_controller.offline.binary_flags import HIGHEST_SPEED
from testbed.options import Options
from testbed.rehearsal.played_releases import PlayedReleases


def paced(options: Options, releases: PlayedReleases) -> tuple[Options, str]:
    """Return the options with a speed that a real controller can keep, and why it was lowered; "" if not.

    Deadlines of a scenario are multiples of `--interval`. The real one adds up to a second of wall time to
    each, so at a higher speed it would miss a deadline that it meets in production. So would a real LB
    controller, whose calls take as long as they take.

    Raises:
        BadInput: the interval of the real one is no duration.
    """
    limits: list[tuple[float, str]] = []
    external_dns, lb_controller = releases.external_dns, releases.lb_controller
    if releases.has_external_dns and external_dns.binary:
        why = (
            f"{external_dns.binary} looks at its clock every {binary_flags.TICK:g} s of wall time, so its "
            f"--interval is not shortened below {binary_flags.LEAST_INTERVAL:g} s"
        )
        limits.append((binary_flags.highest_speed(releases.external_dns_flags), why))
    if lb_controller.binary or lb_controller.is_open:
        whose = lb_controller.binary or "your LB controller"
        why = f"{whose} needs seconds of wall time for a load balancer, whatever the speed"
        limits.append((HIGHEST_SPEED, why))
    highest, why = min(limits, default=(options.speed, ""))
    if options.speed <= highest:
        return options, ""
    return replace(options, speed=highest), f"speed {highest:g}, not {options.speed:g}: {why}"
