"""Log lines as logrus writes them.

```
time="2020-11-23T00:00:00Z" level=info msg="…" zoneName=example.com.
{"level":"info","msg":"…","time":"2020-11-23T00:00:00Z","zoneName":"example.com."}
```
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

_PLAIN = re.compile(r"[A-Za-z0-9\-._/@^+]+")
_FIELD = re.compile(r'(?:^|(?<= ))([\w.-]+)=("(?:\\.|[^"\\])*"|\S*)')
_KLOG = re.compile(r"([IWEF])\d{4} \S+ +\d+ \S+?:\d+\] (.*)")
_KLOG_LEVELS = {"I": "info", "W": "warning", "E": "error", "F": "fatal"}
LEVELS = ("debug", "info", "warning", "error", "fatal", "panic")


class Say(Protocol):
    """Logs a line: level, message, the values of its `%s`, and fields."""

    def __call__(self, level: str, message: str, *values: object, **fields: str) -> None:
        """Log the line; the values are written into the message only if its level is logged."""


def quiet(level: str, message: str, *values: object, **fields: str) -> None:
    """Log nothing: for questions that are no sync."""


class LogLine(NamedTuple):
    """A line of the log; `level` is one of `LEVELS`."""

    level: str
    message: str
    fields: Mapping[str, str] = MappingProxyType({})

    @property
    def is_error(self) -> bool:
        """True if it says that something failed."""
        return self.level in ("error", "fatal")

    def written(self, moment: str, log_format: str) -> str:
        """Return the line in the form of `--log-format`; `moment` in RFC 3339."""
        return self.json(moment) if log_format == "json" else self.text(moment)

    def json(self, moment: str) -> str:
        """Return the line in logrus's JSON form: keys in order, and `<>&` escaped, as Go does."""
        values = {**self.fields, "level": self.level, "msg": self.message, "time": moment}
        text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        for sign in "<>&\u2028\u2029":
            text = text.replace(sign, f"\\u{ord(sign):04x}")
        return text

    def text(self, moment: str) -> str:
        """Return the line in logrus's text form; `moment` in RFC 3339."""
        parts = [
            f'time="{moment}"',
            f"level={self.level}",
            f"msg={json.dumps(self.message, ensure_ascii=False)}",
        ]
        parts += [f"{key}={_value(self.fields[key])}" for key in sorted(self.fields)]
        return " ".join(parts)


def read(text: str) -> LogLine:
    """Read a line that a real one wrote, in either form, or by the log of Kubernetes' own library.

    A line of another kind is a message of the level `info`: the parser of flags writes such.
    """
    if text.startswith("{"):
        with contextlib.suppress(ValueError, AttributeError, KeyError):
            form = json.loads(text)
            level, message = str(form.pop("level")), str(form.pop("msg"))
            form.pop("time", None)
            return LogLine(level, message, {key: str(value) for key, value in form.items()})
    fields = {found[1]: _unquoted(found[2]) for found in _FIELD.finditer(text)}
    if "level" in fields and "msg" in fields:
        fields.pop("time", None)
        return LogLine(fields.pop("level"), fields.pop("msg"), fields)
    if found := _KLOG.match(text):
        return LogLine(_KLOG_LEVELS[found[1]], found[2])
    return LogLine("info", text)


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text))
    except ValueError:  # an escape of Go that JSON lacks: `\x1b`
        return text[1:-1]


def _value(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


class LeveledLog:
    """A `Say` that drops the lines below `--log-level`."""

    def __init__(self, level: str, write: Callable[[LogLine], None]) -> None:
        self._levels = frozenset(LEVELS[LEVELS.index(level) :])
        self._write = write

    def has(self, level: str) -> bool:
        """True if lines of this level are logged."""
        return level in self._levels

    def __call__(self, level: str, message: str, *values: object, **fields: str) -> None:
        """Log a line, if its level is logged."""
        if level in self._levels:
            self._write(LogLine(level, message % values if values else message, fields))
