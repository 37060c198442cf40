"""Each reported situation is answered as its `expected.txt` says."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.conformance.reported_situations import PLAYED, SITUATIONS, Part

FOLDER = Path(os.environ.get("TESTBED_CASES", Path(__file__).resolve().parents[3] / "shared" / "cases"))
pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"{FOLDER} is not here"),
]
_HEAD = re.compile(r"^={2,3} (?P<name>.*)$", re.MULTILINE)


@functools.cache
def output_of(name: str) -> str:
    """What `run.sh` of a situation prints, on both streams."""
    tools = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}", "COLUMNS": "200"}
    done = subprocess.run(
        ["/bin/sh", str(FOLDER / name / "run.sh")],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def part_of(text: str, name: str) -> str:
    """The part of an output under a head, "" for all of it; each run of white space is one blank."""
    if name:
        heads = list(_HEAD.finditer(text))
        [number] = [index for index, head in enumerate(heads) if head["name"] == name]
        end = heads[number + 1].start() if number + 1 < len(heads) else len(text)
        text = text[heads[number].end() : end]
    return " ".join(text.split())


def each_part(situations: Mapping[str, Sequence[Part]]) -> list[ParameterSet]:
    """A parameter for each part of some situations: the folder's name and the part."""
    return [
        pytest.param(name, part, id=f"{name}-{part.name}" if part.name else name)
        for name, parts in situations.items()
        for part in parts
    ]


def check_part(name: str, part: Part) -> None:
    """What a part of the output must have is there, and what it must not have is not."""
    text = part_of(output_of(name), part.name)
    assert "Traceback" not in text
    for pattern in part.has:
        assert re.search(pattern, text), f"{pattern!r} is missing in {text}"
    for pattern in part.never:
        assert not re.search(pattern, text), f"{pattern!r} is in {text}"


@pytest.mark.parametrize(("name", "part"), each_part(SITUATIONS))
def test_a_reported_situation_is_answered_as_is_right(name: str, part: Part) -> None:
    check_part(name, part)


def test_every_folder_has_a_row() -> None:
    assert {one.name for one in FOLDER.iterdir() if one.is_dir()} == {*SITUATIONS, *PLAYED}
    assert not SITUATIONS.keys() & PLAYED.keys()
