"""The page's server as a child process of the run."""

from __future__ import annotations

import queue
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import pytest

from testbed.errors import Missing
from testbed.live.frame import Standing
from testbed.live.live_page import live_page
from testbed.live.replay import Judged
from testbed.network import LIVE_PAGE_PORT, Network
from testbed.settings import PATIENCE


def client(url: str) -> httpx.Client:
    origin = f"http://{urlsplit(url).netloc}"
    return httpx.Client(base_url=url, headers={"Origin": origin}, trust_env=False, timeout=PATIENCE.api_call)


def test_an_act_comes_back_to_the_run_and_a_viewer_gets_the_verdict(network: Network, tmp_path: Path) -> None:
    heard: queue.Queue[Mapping[str, Any]] = queue.Queue()
    with (
        live_page(tmp_path / "journal.ndjson", network, tmp_path, heard.put) as page,
        client(page.url) as viewer,
    ):
        assert page.url.startswith(f"http://{network.control}:{LIVE_PAGE_PORT}/")
        assert viewer.get("").status_code == 200
        with viewer.stream("GET", "events") as stream:
            assert viewer.post("acts", json={"act": "pause"}).status_code == 202
            assert heard.get(timeout=PATIENCE.condition) == {"act": "pause"}
            page.judged(Judged(Standing.FAIL, "Two were lost.", ("lost",)))
            page.end()
            told = [orjson.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]
    assert told[-1]["is_over"]
    assert "Two were lost." in str(told)


def test_each_run_has_a_token_of_its_own(network: Network, tmp_path: Path) -> None:
    urls = set()
    for _ in range(2):
        with live_page(tmp_path / "journal.ndjson", network, tmp_path, lambda _: None) as page:
            urls.add(page.url)
    assert len(urls) == 2


def test_after_the_run_nothing_is_shown_any_more(network: Network, tmp_path: Path) -> None:
    with live_page(tmp_path / "journal.ndjson", network, tmp_path, lambda _: None) as page:
        pass
    page.control(late=True)
    with client(page.url) as viewer, pytest.raises(httpx.ConnectError):
        viewer.get("")


def test_a_port_that_is_taken_is_told_in_one_line(network: Network, tmp_path: Path) -> None:
    with (
        live_page(tmp_path / "journal.ndjson", network, tmp_path, lambda _: None),
        pytest.raises(Missing, match="the port of the live page"),
        live_page(tmp_path / "journal.ndjson", network, tmp_path / "..", lambda _: None),
    ):
        pass


def test_containers_have_their_page_on_localhost(tmp_path: Path) -> None:
    with live_page(tmp_path / "journal.ndjson", object(), tmp_path, lambda _: None) as page:
        assert urlsplit(page.url).hostname == "127.0.0.1"
