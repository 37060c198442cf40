"""The journal file: NDJSON to which every process of a run appends what happens, as it happens.

Each line is one event: `{"event": <kind>, "time": <wall seconds since the epoch>, ...}`. Lines are
appended whole, in one write, so several processes share the file and a run that is killed leaves a
journal that can be read up to its last line.
"""

from __future__ import annotations

import errno
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from testbed.errors import BadInput, Location, Missing
from testbed.journal import field_types, format_1
from testbed.journal.events import EVENTS, FORMAT, Event, Run


@dataclass(slots=True)
class Journal:
    """Appends events to a file that several processes may share.

    `listener` is called with each event that this process writes, e.g. to show it. `failure` is the error
    of the last write that failed: whoever wrote may have passed it on as an error of its own. `run` is a new
    id: the process that plays the run is the one to use it.

    Raises:
        Missing: the disk is full or the folder cannot be written.
    """

    path: Path
    listener: Callable[[Event], None] | None = None
    failure: Missing | None = field(init=False, default=None)
    run: str = field(init=False, default_factory=lambda: secrets.token_hex(4))
    _descriptor: int = field(init=False)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        try:
            # O_APPEND: the kernel puts each write at the end, whatever other processes wrote in the meantime.
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def write(self, *events: Event) -> None:
        """Append events as whole lines, in one write."""
        self.append(b"".join(map(encode, events)))
        if self.listener:
            for event in events:
                self.listener(event)

    def append(self, data: bytes) -> None:
        """Append whole lines, as `encode` returns them, in one write."""
        if not data:
            return
        try:
            with self._lock:
                while data:  # a write may be short when the disk is nearly full
                    data = data[os.write(self._descriptor, data) :]
        except OSError as error:
            self.failure = _unwritable(self.path, error)
            raise self.failure from None

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def encode(event: Event) -> bytes:
    """Return the event as one line of JSON."""
    # orjson writes a dataclass without copying it to a dict; the kind, no field of it, goes in front.
    fields = orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
    return b'{"event":"%b",%b' % (event.kind.encode(), fields.removeprefix(b"{"))


def read(path: Path) -> Iterator[Event]:
    """Read the events of a journal in file order; a torn last line is left out.

    Raises:
        BadInput: there is no such file, or a line is not an event of this version.
    """
    for number, kind, fields in rows(path):
        try:
            event = EVENTS[kind](**fields)
        except (KeyError, TypeError):
            raise not_an_event(path, number) from None
        yield event


def rows(path: Path) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Read line number, kind and fields of each event: for readers of many, who need no objects.

    In a journal of format 1, the events that only format 2 has follow the actions that stand for them.

    Raises:
        BadInput: there is no such file, it is empty, its format is too new, or a line is not a JSON object
            with an event, or a field has a value of another type.
    """
    number, written_in = 0, FORMAT
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith(b"\n"):
                    return  # the writer was killed in the middle of its last line
                try:
                    fields = orjson.loads(line)
                    kind = fields.pop("event")
                except (ValueError, KeyError, TypeError, AttributeError):
                    raise not_an_event(path, number) from None
                if not isinstance(kind, str) or not field_types.fit(kind, fields):
                    raise not_an_event(path, number)
                if kind == Run.kind:
                    written_in = _format(path, number, fields)
                yield number, kind, fields
                if written_in == format_1.FORMAT and (more := format_1.also(kind, fields)):
                    yield number, *more
    except OSError as error:
        raise BadInput(f"journal cannot be read: {error.strerror}", where=Location(path)) from None
    if number == 0:
        raise BadInput("the journal is empty", where=Location(path))


def _format(path: Path, number: int, run: dict[str, Any]) -> int:
    # Format 1 did not name itself.
    version = run.setdefault("format", format_1.FORMAT)
    if not isinstance(version, int):
        raise not_an_event(path, number)
    if version > FORMAT:
        raise BadInput(
            f"the journal has format {version}, and this testbed reads formats up to {FORMAT}",
            where=Location(path, number),
            do="read it with the version of the testbed that wrote it",
        )
    return version


def not_an_event(path: Path, number: int) -> BadInput:
    """Return the error for a line that is not an event of this version."""
    return BadInput("not an event of a testbed journal", where=Location(path, number))


def _unwritable(path: Path, error: OSError) -> Missing:
    do = "free some space" if error.errno == errno.ENOSPC else "name another folder with --report"
    return Missing(f"{path} cannot be written: {error.strerror}", do=do)
