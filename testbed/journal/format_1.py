"""Journals of testbed 0.1 (format 1): there, the traffic's start and stop are sentences of the operator.

```
{"event":"action","time":1001.2,"step":1,"text":"start 40 requests per second"}
{"event":"action","time":1061.2,"step":6,"text":"stop the traffic"}
```
Format 2 has an event for each. This is the only place that knows the sentences: readers of a
journal of format 1 get the events of format 2 after these actions.
"""

from __future__ import annotations

import re
from typing import Any

from testbed.journal.events import Action, TrafficStarted, TrafficStopRequested

FORMAT = 1
_START = re.compile(r"start ([0-9]+(?:\.[0-9]+)?(?:e[+-][0-9]+)?) requests per second")
_STOP = "stop the traffic"


def also(kind: str, fields: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Return the event that format 2 has beside an event of format 1, as kind and fields, or None."""
    text = fields.get("text")
    if kind != Action.kind or not isinstance(text, str):
        return None
    common: dict[str, Any] = {name: fields[name] for name in ("time", "step") if name in fields}
    if text == _STOP:
        return TrafficStopRequested.kind, common
    if start := _START.fullmatch(text):
        return TrafficStarted.kind, {**common, "rate": float(start[1])}
    return None
