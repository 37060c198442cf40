"""Log lines as logrus writes them.

```
time="2020-11-23T00:00:00Z" level=info msg="…" zoneName=example.com.
{"level":"info","msg":"…","time":"2020-11-23T00:00:00Z","zoneName":"example.com."}
```
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

_PLAIN = re.compile(r"[A-Za-z0-9\-._/@^+]+")
LEVELS = ("debug", "info", "warning", "error", "fatal", "panic")


class Say(Protocol):
    """Takes a line: level, message, what its `%s` stand for, and fields."""

    def __call__(self, level: str, message: str, *values: object, **fields: str) -> None:
        """Log it; values are written into the message only if the level asks for it."""


class LogLine(NamedTuple):
    """One line; `level` is one of `LEVELS`."""

    level: str
    message: str
    fields: Mapping[str, str] = MappingProxyType({})

    def written(self, moment: str, log_format: str) -> str:
        """The line in the form of `--log-format`; `moment` in RFC 3339."""
        return self.json(moment) if log_format == "json" else self.text(moment)

    def json(self, moment: str) -> str:
        """The line in logrus's JSON form: keys in their order, and what HTML reads escaped, as Go does."""
        values = {**self.fields, "level": self.level, "msg": self.message, "time": moment}
        text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        for sign in "<>&\u2028\u2029":
            text = text.replace(sign, f"\\u{ord(sign):04x}")
        return text

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
