"""Who may see the page and who may act, by real HTTP; and what the stream tells."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.journal import encode
from testbed.kubernetes.merge_patch import merged
from testbed.live.page_server import MOST_BYTES, JournalFollower, PageServer
from testbed.live.server_plan import ServerPlan
from testbed.settings import PATIENCE

TOKEN = "the-token"
ADDRESS = "127.0.0.1"


@dataclass
class Acts:
    """What the server prints."""

    lines: list[bytes] = field(default_factory=list)
    is_ready: asyncio.Event = field(default_factory=asyncio.Event)

    def write(self, line: bytes) -> None:
        self.lines.append(line.rstrip())
        self.is_ready.set()

    def flush(self) -> None:
        pass


@dataclass
class Served:
    """A server that runs, and the run's end of its pipe."""

    host: str
    orders: int
    acts: Acts
    over: asyncio.Task[None]
    session: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return f"http://{self.host}/{TOKEN}"

    def order(self, **order: Any) -> None:
        os.write(self.orders, orjson.dumps(order) + b"\n")

    async def act(self, body: object = None, **headers: str) -> aiohttp.ClientResponse:
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        with_own = {"Content-Type": "application/json", "Origin": f"http://{self.host}", **headers}
        return await self.session.post(f"{self.url}/acts", data=data, headers=with_own)


@asynccontextmanager
async def served(journal: Path) -> AsyncIterator[Served]:
    theirs, ours = os.pipe()
    acts = Acts()
    server = PageServer(ServerPlan(journal=journal, address=ADDRESS, port=0, token=TOKEN))
    with os.fdopen(theirs, "rb") as orders:
        task = asyncio.create_task(server.serve(orders, acts))  # type: ignore[arg-type]
        async with asyncio.timeout(PATIENCE.process_start), aiohttp.ClientSession() as session:
            await acts.is_ready.wait()
            port = int(acts.lines.pop().split()[1])
            one = Served(f"{ADDRESS}:{port}", ours, acts, task, session)
            try:
                yield one
            finally:
                if one.orders >= 0:
                    os.close(ours)
                await task


@pytest.mark.parametrize("path", ["", "page.css", "page.js"])
async def test_who_has_the_token_gets_the_page(path: str, tmp_path: Path) -> None:
    async with served(tmp_path / "j") as one, one.session.get(f"{one.url}/{path}") as answer:
        assert answer.status == 200
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path", ["/", "/wrong/", "/the-tokem/events", "/the-token2/page.js", "/wrong/../x", "/%C3%A9/"]
)
async def test_a_wrong_token_sees_nothing(path: str, tmp_path: Path) -> None:
    async with served(tmp_path / "j") as one, one.session.get(f"http://{one.host}{path}") as answer:
        assert answer.status == 403
        assert TOKEN not in await answer.text()


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1"])
@pytest.mark.parametrize("path", ["", "events"])
async def test_a_forged_host_is_refused(host: str, path: str, tmp_path: Path) -> None:
    async with (
        served(tmp_path / "j") as one,
        one.session.get(f"{one.url}/{path}", headers={"Host": host}) as answer,
    ):
        assert answer.status == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", "", None])
async def test_an_act_of_another_origin_is_refused(origin: str | None, tmp_path: Path) -> None:
    async with served(tmp_path / "j") as one:
        headers = {"Content-Type": "application/json", **({} if origin is None else {"Origin": origin})}
        async with one.session.post(f"{one.url}/acts", data=b'{"act":"pause"}', headers=headers) as answer:
            assert answer.status == 403
        assert one.acts.lines == []


async def test_an_act_with_a_wrong_token_is_refused(tmp_path: Path) -> None:
    async with served(tmp_path / "j") as one:
        url, headers = f"http://{one.host}/wrong/acts", {"Origin": f"http://{one.host}"}
        async with one.session.post(url, json={"act": "pause"}, headers=headers) as answer:
            assert answer.status == 403
        assert one.acts.lines == []


async def test_the_pages_own_acts_are_passed_on_in_their_order(tmp_path: Path) -> None:
    async with served(tmp_path / "j") as one:
        for act in ({"act": "pause"}, {"act": "next", "alias": "a\nb"}):
            assert (await one.act(act)).status == 202
        assert [orjson.loads(line) for line in one.acts.lines] == [
            {"act": "pause"},
            {"act": "next", "alias": "a\nb"},
        ]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"pause"', b"\xff"])
async def test_what_is_no_act_is_refused(body: bytes, tmp_path: Path) -> None:
    async with served(tmp_path / "j") as one:
        assert (await one.act(body)).status == 400
        assert one.acts.lines == []


async def test_a_form_of_another_page_and_a_large_body_are_refused(tmp_path: Path) -> None:
    async with served(tmp_path / "j") as one:
        assert (await one.act({"act": "pause"}, **{"Content-Type": "text/plain"})).status == 400
        assert (await one.act({"act": "x" * MOST_BYTES})).status == 413
        assert one.acts.lines == []


async def test_the_stream_tells_the_story_as_it_is_written(made: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"
    lines = b"".join(map(encode, made.Story(rate=20.0).events()))
    half = lines.index(b"\n", len(lines) // 2) - 7  # in the middle of a line
    path.write_bytes(lines[:half])
    state: dict[str, Any] = {}
    entries = 0
    async with served(path) as one, one.session.get(f"{one.url}/events") as answer:
        assert answer.content_type == "text/event-stream"
        is_halfway = False
        async for line in answer.content:
            if not line.startswith(b"data: "):
                continue
            message = orjson.loads(line.removeprefix(b"data: "))
            state, entries = merged(state, message["patch"]), entries + len(message["entries"])
            if not is_halfway and state["frame"]["step"] >= 3:
                is_halfway = True
                with path.open("ab") as more:
                    more.write(lines[half:])
                one.order(control={"waits_for": "Step 9"})
            if state["frame"]["is_over"] and state["control"] and not state["frame"]["verdict"]["reasons"]:
                one.order(judged={"standing": "pass", "text": "None was lost.", "reasons": ["all well"]})
                os.close(one.orders)
                one.orders = -1
        assert message["is_over"]
    requests = lines.count(b'{"event":"request"')
    assert state["frame"]["ok"] + state["frame"]["failed"] + state["frame"]["unknown"] == requests
    assert state["frame"]["entries"] == entries
    assert state["frame"]["verdict"]["standing"] == "pass"
    assert state["control"] == {"waits_for": "Step 9"}


@given(cuts=st.lists(st.floats(0, 1), max_size=5))
def test_a_follower_reads_each_line_once_wherever_the_file_ends_meanwhile(
    cuts: list[float], made: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("follower") / "journal.ndjson"
    whole = b"".join(map(encode, made.Story(rate=2.0, seconds=1.0).events()))
    follower, seen, done = JournalFollower(path), 0, 0
    assert follower.news().events == []
    for cut in [*sorted(int(len(whole) * cut) for cut in cuts), len(whole)]:
        with path.open("ab") as file:
            file.write(whole[done:cut])
        done = max(done, cut)
        tick = follower.news()
        seen += tick.requests.total()
    assert seen == whole.count(b'{"event":"request"')
