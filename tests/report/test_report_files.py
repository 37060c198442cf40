"""The files of a report appear together, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.errors import Missing
from testbed.report.report_files import HTML, OF_A_RUN, SUMMARY, write_all


def test_a_folder_that_is_not_there_is_created(tmp_path: Path) -> None:
    write_all(tmp_path / "a" / "b", {HTML: b"<p>", SUMMARY: b"{}"})
    assert (tmp_path / "a" / "b" / HTML).read_bytes() == b"<p>"
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == [HTML, SUMMARY]


def test_if_one_file_cannot_be_written_no_file_changes(tmp_path: Path) -> None:
    (tmp_path / HTML).write_bytes(b"earlier")
    with pytest.raises(Missing, match="cannot be written"):
        write_all(tmp_path, {HTML: b"new", "no/such/folder.json": b"{}"})
    assert [path.name for path in tmp_path.iterdir()] == [HTML]
    assert (tmp_path / HTML).read_bytes() == b"earlier"


def test_a_folder_that_is_a_file_is_reported_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Missing, match="name another folder with --report"):
        write_all(tmp_path / "file", {HTML: b""})


def test_the_files_of_a_run_have_names_of_their_own() -> None:
    assert len(set(OF_A_RUN)) == len(OF_A_RUN)
