"""Events as the rows of a journal file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from testbed.journal import Event, encode


def rows_of(events: Iterable[Event]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    for number, event in enumerate(events, start=1):
        fields = orjson.loads(encode(event))
        yield number, fields.pop("event"), fields
