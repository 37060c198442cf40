"""The live page of a run, as the run has it: a child process that serves it, and the acts that come back.

The process reads the journal by itself, so that the run pays nothing for what it shows.
"""

from __future__ import annotations

import secrets
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from testbed.child_process import Command, Process
from testbed.live.replay import Judged
from testbed.live.server_plan import READY, ServerPlan
from testbed.network import LIVE_PAGE_PORT, Network
from testbed.settings import PATIENCE

LOCALHOST = "127.0.0.1"
"""Where the page of containers is: their own network has no address of this machine's loopback range."""


class LivePage:
    """A page that is being served.

    Attributes:
        url: its address, with the token.
    """

    def __init__(self, process: Process, url: str) -> None:
        self.url = url
        self._process = process
        self._telling = threading.Lock()
        self._is_over = False

    def control(self, **values: Any) -> None:
        """Show values that are not in the journal, e.g. which step waits; others stay as they are."""
        self._send({"control": values})

    def judged(self, judged: Judged) -> None:
        """Show the verdict."""
        self._send({"judged": {"standing": judged.standing, "text": judged.text, "reasons": judged.reasons}})

    def _send(self, order: Mapping[str, Any]) -> None:
        with self._telling:
            if not self._is_over:
                self._process.send(orjson.dumps(order).decode())

    def end(self) -> None:
        """Let viewers see the last picture, and the server end; nothing is shown from now on."""
        with self._telling:
            self._is_over = True
            self._process.end_input()
        self._process.wait(PATIENCE.process_stop)


@contextmanager
def live_page(
    journal: Path, network: object, logs: Path, hear: Callable[[Mapping[str, Any]], None]
) -> Iterator[LivePage]:
    """Serve the page of a journal while the block lasts; viewers see the last picture when it ends.

    Args:
        network: of the run; the page is on its own address, port `LIVE_PAGE_PORT`.
        logs: a folder for the output of the server.
        hear: is called with each act of a person, in a thread of its own.

    Raises:
        Missing: the server does not start.
    """
    token = secrets.token_urlsafe(16)
    address, port = (network.control, LIVE_PAGE_PORT) if isinstance(network, Network) else (LOCALHOST, 0)
    plan = ServerPlan(journal=journal.resolve(), address=address, port=port, token=token)
    over = threading.Event()
    with Process(Command("live-page", [sys.executable, "-m", "testbed.live"]), logs) as process:
        process.send(plan.to_json())
        process.wait_until(lambda: _port(process) != "")
        page = LivePage(process, f"http://{plan.address}:{_port(process)}/{token}/")
        hearing = threading.Thread(
            target=_hear, args=(process.log, over, hear), name="live-page", daemon=True
        )
        hearing.start()
        try:
            yield page
        finally:
            over.set()
            hearing.join()
            page.end()


def _port(process: Process) -> str:
    first, newline, _ = process.log.read_text(errors="replace").partition("\n")
    word, _, port = first.partition(" ")
    return port if word == READY and newline else ""


def _hear(log: Path, over: threading.Event, hear: Callable[[Mapping[str, Any]], None]) -> None:
    """Pass on each act that the server printed; whatever else it printed is for `last_words`."""
    with log.open("rb") as lines:
        torn = b""
        while True:
            is_over = over.wait(PATIENCE.look)
            while line := lines.readline():
                torn += line
                if not torn.endswith(b"\n"):
                    break
                line, torn = torn, b""
                try:
                    act = orjson.loads(line)
                except ValueError:
                    continue
                if isinstance(act, dict):
                    hear(act)
            if is_over:
                return
