"""The live page of a command: `--live` serves it, `--open` opens it."""

from __future__ import annotations

import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from testbed.live.director import Director
from testbed.live.fault_words import suggestions
from testbed.live.live_page import LivePage, live_page
from testbed.options import Options
from testbed.report.console import Terminal
from testbed.report.replayed import judged

if TYPE_CHECKING:
    from testbed.rehearsal.cutover import Cutover
    from testbed.rehearsal.topology import Topology
    from testbed.verdict.verdict import Verdict


HOW = "The page asks before each step. The traffic goes on meanwhile."


@dataclass(frozen=True, slots=True)
class Shown:
    """A run that is shown on a page."""

    page: LivePage
    director: Director

    def cutover_of(self, *arguments: Any) -> Cutover:
        """Make what the scenario plays on, so that faults of the page strike there."""
        from testbed.rehearsal.cutover import Cutover

        self.director.cutover = Cutover(*arguments)
        return self.director.cutover

    def judged(self, verdict: Verdict) -> None:
        """Show the verdict."""
        self.page.judged(judged(verdict))


@contextmanager
def shown(
    topology: Topology,
    options: Options,
    console: Terminal,
    *,
    waits: bool = False,
    has_steps: bool = True,
) -> Iterator[Shown | None]:
    """Serve the page while the block lasts, if `--live` asks for it; else yield None.

    Args:
        waits: whether the story waits before its first step.
        has_steps: False if there is no story, so nothing to pause.

    Raises:
        Missing: the page cannot be served.
    """
    if not options.live:
        yield None
        return
    journal = topology.journal
    with tempfile.TemporaryDirectory(prefix="testbed-live-") as folder:
        director = Director(journal, topology.clock, waits=waits, check=topology.check)
        with live_page(journal.path, topology.network, Path(folder), director.act) as page:
            page.control(has_steps=has_steps, faults=suggestions(topology.reaches))
            director.begin(page.control)
            console.print(f"live page: {page.url}", soft_wrap=True)
            if options.open and not webbrowser.open(page.url):
                console.print("no browser opens here: open the address yourself", soft_wrap=True)
            yield Shown(page, director)
