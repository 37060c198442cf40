from __future__ import annotations

from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.rehearsal.configured_thresholds import thresholds
from testbed.rehearsal.script import load

SCRIPT = """\
from testbed.rehearsal import Cutover, scenario


@scenario("A move", host="api.example.com", thresholds=[{}])
def move(cutover: Cutover) -> None: ...
"""


def texts(here: Path, beside: str = "", pyproject: str = "", own: str = "", script: str = "") -> list[str]:
    folder = here / "cutover"
    folder.mkdir(exist_ok=True)
    (folder / "cutover.py").write_text(SCRIPT.format(script))
    for path, text in (
        (folder / "testbed.toml", beside),
        (here / "testbed.toml", own),
        (here / "pyproject.toml", pyproject),
    ):
        if text:
            path.write_text(text)
    return [one.text for one in thresholds(load(str(folder)), here)]


def test_thresholds_of_all_places_add_up_and_each_counts_once(tmp_path: Path) -> None:
    assert texts(
        tmp_path,
        pyproject='[tool.testbed]\nthresholds = ["failed == 0"]\n',
        own='thresholds = ["p99 < 1s", "failed == 0"]\n',
        beside='thresholds = ["drained_within: 15m"]\n',
        script='"unknown == 0"',
    ) == ["failed == 0", "p99 < 1s", "drained_within: 15m", "unknown == 0"]


def test_without_configuration_there_is_none(tmp_path: Path) -> None:
    assert texts(tmp_path) == []


@pytest.mark.parametrize(
    ("places", "where"),
    [
        (
            {"pyproject": '[tool.testbed]\nthresholds = [\n  "failed == 0",\n  "p99 < x",\n]\n'},
            "pyproject.toml:4: ",
        ),
        ({"own": 'thresholds = ["p99 < x"]\n'}, "testbed.toml:1: "),
        ({"beside": '\n\nthresholds = ["p99 < x"]\n'}, "cutover/testbed.toml:3: "),
        ({"script": '"p99 < x"'}, "cutover/cutover.py:4: "),
        ({"own": "thresholds = 3\n"}, "testbed.toml:1: thresholds must be a list of strings"),
        ({"own": "speed = 3\n"}, "testbed.toml:1: testbed.toml has no setting 'speed'"),
        ({"own": "a\n"}, "testbed.toml:1: cannot be read"),
    ],
    ids=["pyproject", "here", "beside", "script", "type", "key", "toml"],
)
def test_what_cannot_be_read_is_reported_with_file_and_line(
    tmp_path: Path, places: dict[str, str], where: str
) -> None:
    with pytest.raises(BadInput) as error:
        texts(tmp_path, **places)
    assert where in str(error.value)
