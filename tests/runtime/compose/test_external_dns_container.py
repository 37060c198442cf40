"""The output of a container, line by line; `tests/compose/test_external_dns_image.py` has a real one."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

from testbed.runtime.compose.external_dns_container import RunningContainer


class Printing:
    """What Docker shows of a container that prints these parts, then ends."""

    def __init__(self, status: int) -> None:
        self.parts: queue.Queue[bytes | None] = queue.Queue()
        self._status = status

    def logs(self, **_: Any) -> Iterator[bytes]:
        return iter(self.parts.get, None)

    def wait(self) -> dict[str, int]:
        return {"StatusCode": self._status}


def test_lines_are_whole_until_it_ends_and_its_end_comes_after_its_last_words() -> None:
    printing: Any = Printing(3)
    running = RunningContainer(printing)
    assert running.returncode is None
    assert running.lines() == []
    printing.parts.put(b"one\n\ntwo ha")
    printing.parts.put(b"lves\nlast wor")
    printing.parts.put(b"ds")
    printing.parts.put(None)
    running.join()
    assert running.returncode == 3
    assert running.lines() == ["one", "two halves", "last words"]
    assert running.lines() == []
