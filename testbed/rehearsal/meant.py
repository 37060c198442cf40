"""When traffic was meant to run: from the operator's start to the operator's stop, or the end of the story.

A generator that begins a step late, or ends before it is told to, must not be taken for a quiet step. Within
the step of its start it may take a moment to get going, as a process does.
"""

from __future__ import annotations

import re

from testbed.rehearsal.ledger import Ledger
from testbed.rehearsal.story import Story, Windows
from testbed.settings import PATIENCE

START = re.compile(r"start \S+ requests per second")
"""The action that `Cutover.start_traffic` records."""
STOP = "stop the traffic"
"""The action that `Cutover.stop_traffic` records."""


def meant(story: Story, ledger: Ledger) -> list[tuple[float, float]]:
    """Intervals in wall seconds in which requests were due."""
    steps = story.steps()
    over = max((step.end if step.end is not None else story.end for step in steps), default=story.end)
    told = sorted(
        (action.time, action.text == STOP)
        for action in story.actions
        if action.text == STOP or START.fullmatch(action.text)
    )
    windows = Windows.of(steps)
    found: list[tuple[float, float]] = []
    began: float | None = None
    if not any(not stops for _, stops in told):
        began = min(ledger.intended, default=None)
    for time, stops in told:
        if not stops:
            began = time if began is None else began
        elif began is not None:
            found.append((_going(began, windows, ledger), time))
            began = None
    if began is not None:
        found.append((_going(began, windows, ledger), over))
    return found


def _going(began: float, windows: Windows, ledger: Ledger) -> float:
    first = min((time for time in ledger.intended if time >= began), default=began)
    is_prompt = first - began <= PATIENCE.traffic_start
    return first if is_prompt and windows.index(first) == windows.index(began) else began
