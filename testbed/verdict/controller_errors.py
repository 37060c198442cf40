"""What controllers could not do, and whether they could in the end: why a condition failed, often.

A warning that passed is no failure by itself: controllers try again until the world fits. So an error of a
controller is a note beside the verdict, and the failed expectation is the finding.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from testbed import journal
from testbed.verdict.history import History

_REQUEST_ID = re.compile(r",? *request ?id: *[0-9a-z-]+", re.IGNORECASE)
"""As the AWS SDKs for Go write it: `status code: 400, request id: …` (v1), `RequestID: …` (v2)."""


@dataclass(frozen=True, slots=True)
class ControllerError:
    """An error of a controller, in its own words; times in wall seconds.

    Attributes:
        who: the object that it is about, or the controller.
        text: reason and message.
        first, last: when it said so.
        count: how often.
        has_passed: True if it succeeded after the last time, as far as it says so.
    """

    who: str
    text: str
    first: float
    last: float
    count: int
    has_passed: bool


def controller_errors(history: History) -> Sequence[ControllerError]:
    """Return each error once, in the order of its first time."""
    found: dict[tuple[str, str], list[float]] = {}
    done: dict[str, float] = {}
    for event in history.controller_events:
        if event.is_warning:
            text = f"{event.reason}: {_lasting(event.message)}"
            found.setdefault((event.object, text), []).append(event.time)
        elif event.is_success:
            done[event.object] = max(event.time, done.get(event.object, event.time))
    for log in history.controller_logs:
        found.setdefault((log.component, _lasting(log.message)), []).append(log.time)
    errors = [
        ControllerError(who, text, min(times), max(times), len(times), done.get(who, 0.0) >= max(times))
        for (who, text), times in found.items()
    ]
    return sorted(errors, key=lambda error: error.first)


def sentence(event: journal.Event) -> str:
    """Return what an event says that a controller could not do; "" if it says no such thing."""
    if isinstance(event, journal.ControllerEvent) and event.is_warning:
        return f"{event.object}: {event.reason}: {_lasting(event.message)}"
    if isinstance(event, journal.Log) and event.is_controller_error:
        return f"{event.component}: {_lasting(event.message)}"
    return ""


def _lasting(message: str) -> str:
    """Return a message without the id of the AWS call, which makes the same error look like another one."""
    return _REQUEST_ID.sub("", message)
