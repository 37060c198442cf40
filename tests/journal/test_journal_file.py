from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed import journal
from testbed.errors import BadInput, Missing
from testbed.journal.journal_file import Journal, encode, read

ACTION = journal.Action(time=1.5, step=2, text="annotate service/envoy hostname-")


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    events = [
        ACTION,
        journal.Balancer(
            time=2.0, name="a", type="nlb", dns_name="a.elb", state="active", addresses=("127.80.10.1",)
        ),
        journal.RunFinished(time=3.0, reason="complete"),
    ]
    with Journal(tmp_path / "journal.ndjson") as written:
        written.write(*events)
    events_read = list(read(tmp_path / "journal.ndjson"))
    assert [event.kind for event in events_read] == ["action", "balancer", "run_finished"]
    assert events_read[0] == ACTION


@given(st.binary(max_size=30).filter(lambda tail: b"\n" not in tail))
def test_a_torn_last_line_is_left_out(tmp_path_factory: pytest.TempPathFactory, tail: bytes) -> None:
    path = tmp_path_factory.mktemp("torn") / "journal.ndjson"
    path.write_bytes(encode(ACTION) + tail)
    assert list(read(path)) == [ACTION]


@pytest.mark.parametrize(
    "line", [b"{}\n", b"[]\n", b"nonsense\n", b'{"event":"action"}\n', b'{"event":"action","time":1,"x":2}\n']
)
def test_a_line_that_is_no_event_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "journal.ndjson"
    path.write_bytes(encode(ACTION) + line)
    with pytest.raises(BadInput, match=r"journal\.ndjson:2: not an event"):
        list(read(path))


def test_an_empty_or_absent_journal_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name in ("empty", "absent"):
        with pytest.raises(BadInput):
            list(read(tmp_path / name))


def test_a_full_disk_is_reported_in_one_line() -> None:
    with Journal(Path("/dev/full")) as full, pytest.raises(Missing, match="No space left"):
        full.write(ACTION)
    assert "No space left" in str(full.failure)


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="cannot be written"):
        Journal(tmp_path / "absent" / "journal.ndjson")


def test_the_listener_hears_what_is_written_here(tmp_path: Path) -> None:
    heard: list[journal.Event] = []
    with Journal(tmp_path / "journal.ndjson", heard.append) as written:
        written.write(ACTION)
    assert heard == [ACTION]


WRITER = """
import sys
from pathlib import Path
from testbed import journal
from testbed.journal import journal_file
with journal.Journal(Path(sys.argv[1])) as shared:
    for number in range(200):
        shared.write(journal.Action(time=number, step=int(sys.argv[2]), text="x" * 500))
"""


def test_lines_of_several_processes_never_mix(tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)]) for number in range(3)
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len(list(read(path))) == 600
