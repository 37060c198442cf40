"""Log lines as logrus writes them: `time="…" level=info msg="…" zoneName=example.com.`"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

_PLAIN = re.compile(r"[A-Za-z0-9\-._/@^+]+")
LEVELS = ("debug", "info", "warning", "error", "fatal", "panic")


class Say(Protocol):
    """Takes a line: level, message and fields."""

    def __call__(self, level: str, message: str, **fields: str) -> None:
        """Log it."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line; `level` is one of `LEVELS`."""

    level: str
    message: str
    fields: Mapping[str, str] = field(default_factory=dict)

    def text(self, moment: str) -> str:
        """The line in logrus's text form; `moment` in RFC 3339."""
        parts = [
            f'time="{moment}"',
            f"level={self.level}",
            f"msg={json.dumps(self.message, ensure_ascii=False)}",
        ]
        parts += [f"{key}={_value(self.fields[key])}" for key in sorted(self.fields)]
        return " ".join(parts)


def _value(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
