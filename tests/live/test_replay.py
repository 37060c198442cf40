"""The frames of a finished journal: their numbers are the ledger's, and no text of the run is markup."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pytest

from testbed import journal
from testbed.errors import BadInput
from testbed.kubernetes.merge_patch import merged
from testbed.live.frame import Standing
from testbed.live.replay import MOST_ENTRIES, MOST_FRAMES, Judged, Replay, replay


@pytest.fixture(scope="module")
def path(made: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    written: Path = made.write(
        tmp_path_factory.mktemp("replay") / "journal.ndjson", made.Story(rate=60.0).events()
    )
    return written


def frames(of: Replay) -> list[dict[str, Any]]:
    return list(accumulate(of.patches, merged, initial=of.first))


def test_the_numbers_of_every_frame_are_the_ledgers(path: Path) -> None:
    events = list(journal.read(path))
    begin = next(event.time for event in events if isinstance(event, journal.Run))
    requests = [event for event in events if isinstance(event, journal.Request)]
    shown = frames(replay(path))
    assert len(shown) > 100
    for frame in shown:
        ended = Counter(one.outcome for one in requests if one.time - begin <= frame["wall"])
        assert (frame["ok"], frame["failed"], frame["unknown"]) == (
            ended["ok"],
            ended["failed"],
            ended["unknown"],
        )


def test_the_last_frame_has_the_verdict(path: Path) -> None:
    shown = frames(replay(path, Judged(Standing.PASS, "None was lost.")))
    assert shown[-1]["verdict"] == {"standing": "pass", "text": "None was lost.", "reasons": []}
    assert {frame["verdict"]["standing"] for frame in shown[:-1]} == {"open"}


def test_a_long_run_has_no_more_frames_than_a_short_one(made: ModuleType, tmp_path: Path) -> None:
    story = made.Story(rate=2.0, seconds=120.0)
    long = replay(made.write(tmp_path / "journal.ndjson", story.events()))
    assert len(long.patches) < MOST_FRAMES
    assert len(frames(long)[-1]["steps"]) == story.steps


def test_a_talkative_run_keeps_the_first_lines_and_counts_the_rest(made: ModuleType, tmp_path: Path) -> None:
    said = [
        journal.Log(time=made.EPOCH + 1, component="external-dns", level="info", message=str(number), line="")
        for number in range(MOST_ENTRIES + 5)
    ]
    made.write(tmp_path / "journal.ndjson", said)
    kept = replay(tmp_path / "journal.ndjson")
    assert len(kept.entries) == MOST_ENTRIES
    assert kept.entries_left_out == 5


def test_no_text_of_the_run_ends_the_script(made: ModuleType, tmp_path: Path) -> None:
    act = journal.Action(time=made.EPOCH, step=1, text="</script><script>alert(1)</script>")
    made.write(tmp_path / "journal.ndjson", [act])
    script = replay(tmp_path / "journal.ndjson").as_script()
    assert "<" not in script
    assert orjson.loads(script)["entries"][0]["text"] == act.text


def test_a_journal_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        replay(tmp_path / "journal.ndjson")


def test_a_request_without_a_time_is_refused_with_its_line(path: Path, tmp_path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    number = next(at for at, line in enumerate(lines) if b'"event":"request"' in line)
    fields = orjson.loads(lines[number])
    del fields["time"]
    lines[number] = orjson.dumps(fields) + b"\n"
    (tmp_path / "journal.ndjson").write_bytes(b"".join(lines))
    with pytest.raises(BadInput) as refused:
        replay(tmp_path / "journal.ndjson")
    assert f"journal.ndjson:{number + 1}" in str(refused.value)


def test_what_a_topology_logs_while_it_closes_is_left_out(path: Path, tmp_path: Path) -> None:
    whole = tmp_path / "journal.ndjson"
    whole.write_bytes(path.read_bytes())
    at = max(event.time for event in journal.read(path))
    last = journal.Log(time=at + 1, component="external-dns", level="info", message="Terminating", line="")
    with whole.open("ab") as lines:
        lines.write(journal.encode(last))
    assert replay(whole) == replay(path)
