from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path
from types import ModuleType

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.errors import BadInput, Missing
from testbed.report import report_files
from testbed.report.report_files import HTML, JUNIT, MARKDOWN, SUMMARY
from testbed.report.writing import write_report
from testbed.verdict.findings import Result


@pytest.fixture(scope="module")
def story(made: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = made.write(
        tmp_path_factory.mktemp("story") / "journal.ndjson", made.Story(rate=15.0).events()
    )
    return path


def test_all_files_of_a_report_are_written(story: Path, tmp_path: Path) -> None:
    folder = tmp_path / "made" / "for it"
    assert write_report(story, folder).result is Result.PASS
    assert sorted(path.name for path in folder.iterdir()) == sorted((HTML, JUNIT, SUMMARY, MARKDOWN))


def test_a_second_report_replaces_the_first(story: Path, tmp_path: Path) -> None:
    write_report(story, tmp_path)
    first = (tmp_path / SUMMARY).read_bytes()
    write_report(story, tmp_path)
    assert (tmp_path / SUMMARY).read_bytes() == first
    assert len(list(tmp_path.iterdir())) == 4


def test_a_journal_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"journal\.ndjson: journal cannot be read"):
        write_report(tmp_path / "journal.ndjson", tmp_path)


def test_a_file_in_the_place_of_the_folder_is_reported_in_one_line(story: Path, tmp_path: Path) -> None:
    (tmp_path / "report").write_text("")
    with pytest.raises(Missing, match=r"cannot be written: .*; name another folder with --report") as caught:
        write_report(story, tmp_path / "report")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110 a device
def test_a_full_disk_leaves_the_earlier_report_as_it_was(tmp_path: Path) -> None:
    report_files.write_all(tmp_path, {"a": b"old", "b": b"old"})
    (tmp_path / f".b.{os.getpid()}").symlink_to("/dev/full")
    with pytest.raises(Missing, match="No space left on device; free some space"):
        report_files.write_all(tmp_path, {"a": b"new", "b": b"new"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old", "b": b"old"}


@given(cut=st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_any_prefix_of_a_journal_renders(
    cut: float, story: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("prefix")
    whole = story.read_bytes()
    part = folder / "journal.ndjson"
    part.write_bytes(whole[: max(1, int(len(whole) * cut))])
    verdict = write_report(part, folder)
    summary = orjson.loads((folder / SUMMARY).read_bytes())
    assert summary["verdict"] == verdict.result.value
    assert (verdict.result is Result.PASS) == (part.read_bytes() == whole)
    requests = summary["requests"]
    assert requests["total"] == requests["ok"] + requests["failed"] + requests["unknown"]
    assert requests["total"] == sum(one["requests"] for one in summary["balancers"].values())
    assert requests["total"] == sum(step["requests"]["total"] for step in summary["steps"])
    for step in summary["steps"]:
        counted: Counter[str] = Counter()
        for share in step["protocols"]:
            counted[share["balancer"]] += share["requests"]
        assert dict(counted) == {
            name: one["requests"] for name, one in step["balancers"].items() if one["requests"]
        }
    cases = ElementTree.parse(folder / JUNIT).getroot()
    problems = len(cases.findall(".//failure")) + len(cases.findall(".//error"))
    assert (problems == 0) == (verdict.result is Result.PASS)
