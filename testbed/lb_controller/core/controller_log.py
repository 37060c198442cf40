"""A line of the real controller's log: JSON of zap, one object a line.

```
{"level":"info","ts":"2026-11-27T19:01:58Z","logger":"controllers.service","msg":"creating loadBalancer",…}
```
"""

from __future__ import annotations

import json
from typing import Any

_LEVELS = {"warn": "warning", "dpanic": "error", "panic": "error", "fatal": "error"}


def read(line: str) -> tuple[str, str]:
    """Return level and message of a line; a line in no such form is a message of level info.

    The error of an entry belongs to its message: `Reconciler error` alone tells nobody anything.
    """
    try:
        entry: Any = json.loads(line)
    except ValueError:
        return "info", line
    if not isinstance(entry, dict) or "msg" not in entry:
        return "info", line
    level = str(entry.get("level", "info")).lower()
    message, error = str(entry["msg"]), entry.get("error")
    return _LEVELS.get(level, level), f"{message}: {error}" if error else message
