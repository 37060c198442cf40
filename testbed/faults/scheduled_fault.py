"""A fault with its start and its end, in production time."""

from __future__ import annotations

import re
from dataclasses import dataclass

from testbed.errors import BadInput
from testbed.faults.injected_fault import InjectedFault

_PART = re.compile(r"(\d+(?:\.\d+)?)(h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}
MOST = 1e9
"""Production seconds, about 30 years."""


def seconds(text: str | float) -> float:
    """Return the production seconds of `90`, `"30s"`, `"2m"` or `"1h30m"`.

    Raises:
        BadInput: it is no duration.
    """
    value: float | None = None
    if isinstance(text, str):
        parts = _PART.findall(text)
        if parts and "".join(number + unit for number, unit in parts) == text:
            value = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    elif isinstance(text, int | float) and not isinstance(text, bool):
        value = float(text)
    if value is None or not 0 <= value <= MOST:
        raise BadInput(f"{text!r} is not a duration", do='write seconds or a text such as "30s" or "1h30m"')
    return value


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A fault on the schedule.

    Attributes:
        fault: what strikes.
        at: its start, from the start of the traffic (in a list) or of its block; `"30s"` or seconds.
        for_: how long it lasts; None until its block or the run ends.

    Raises:
        BadInput: a time is no duration, or it ends as it begins.
    """

    fault: InjectedFault
    at: str | float = 0.0
    for_: str | float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.fault, InjectedFault):
            raise BadInput(f"{self.fault!r} is no fault", do='write one such as TargetKilled("envoy-1")')
        seconds(self.at)
        if self.for_ is not None and not seconds(self.for_):
            raise BadInput(f"{self.fault.text} lasts no time", do='write for_="2m"')

    @property
    def start(self) -> float:
        """Production seconds until it strikes."""
        return seconds(self.at)

    @property
    def lasts(self) -> float | None:
        """Production seconds for which it lasts; None until its block or the run ends."""
        return None if self.for_ is None else seconds(self.for_)
