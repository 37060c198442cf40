"""Errors of the testbed's own parts: where one failed, the run did not play what AWS would have done.

An Envoy that refuses a listener goes on without it, and clients that find another address may not notice. So
such an error is a reason against a pass, whatever the requests say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from testbed.verdict.history import History, StepWindows


def part_errors(history: History) -> Iterator[str]:
    """Yield a sentence for each different error, in the order of time."""
    errors = sorted(history.part_errors, key=lambda event: event.time)
    words = [f"{event.component}: {event.message}: {event.line}" for event in errors]
    count = Counter(words)
    steps = StepWindows.of(history.steps())
    said: set[str] = set()
    for event, text in zip(errors, words, strict=True):
        if text not in said:
            said.add(text)
            step = steps.number(event.time)
            where = f"in step {step}" if step else "before the first step"
            yield f"{where}, {text}" + (f" ({count[text]} times)" if count[text] > 1 else "")
