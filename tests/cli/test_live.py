"""`--live`; tests/live has the page itself, tests/e2e/test_live.py plays a run on it."""

from __future__ import annotations

import io
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from testbed.cli import live
from testbed.clock import Clock
from testbed.faults import Reach
from testbed.journal import Journal
from testbed.network import Network
from testbed.options import Options
from testbed.verdict.verdict import compute
from tests.cli.test_access import on


@contextmanager
def topology(folder: Path, network: Network) -> Iterator[Any]:
    """As much of a topology as a page needs."""
    with Journal(folder / "journal.ndjson") as journal:
        yield cast(
            Any,
            SimpleNamespace(
                journal=journal,
                clock=Clock(60.0),
                network=network,
                check=lambda: None,
                reaches=frozenset(Reach),
            ),
        )


def test_without_the_option_there_is_no_page(tmp_path: Path, network: Network) -> None:
    printed = io.StringIO()
    with topology(tmp_path, network) as one, live.shown(one, Options(), on(printed)) as shown:
        assert shown is None
    assert printed.getvalue() == ""


def test_the_address_is_printed_and_the_verdict_shown(
    made: ModuleType, tmp_path: Path, network: Network
) -> None:
    printed = io.StringIO()
    with topology(tmp_path, network) as one, live.shown(one, Options(live=True), on(printed)) as shown:
        assert shown
        assert printed.getvalue() == f"live page: {shown.page.url}\n"
        shown.judged(compute(made.Story(rate=5.0).events()))


@pytest.mark.parametrize("opens", [True, False])
def test_a_browser_opens_where_there_is_one(
    opens: bool, tmp_path: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def browse(url: str) -> bool:
        opened.append(url)
        return opens

    monkeypatch.setattr(webbrowser, "open", browse)
    printed = io.StringIO()
    options = Options(live=True, open=True)
    with topology(tmp_path, network) as one, live.shown(one, options, on(printed)) as shown:
        assert shown
        assert opened == [shown.page.url]
    assert ("no browser opens here" in printed.getvalue()) is not opens
