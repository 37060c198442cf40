from __future__ import annotations

from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.rehearsal.script import load, script_line

SCRIPT = """\
from testbed.rehearsal import scenario

@scenario("The story", host="api.example.com")
def story(cutover): ...

@scenario("The variant", host="www.shop.example.com", zone="example.com", connection_age=None)
def variant(cutover): ...
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "cutover.py"
    path.write_text(SCRIPT)
    return path


def test_the_first_function_is_the_story(script: Path) -> None:
    found = load(str(script))
    assert (found.name, found.title, found.zone) == ("story", "The story", "example.com")
    assert found.folder == script.parent


def test_a_folder_stands_for_its_only_script(script: Path) -> None:
    assert load(str(script.parent)).name == "story"


def test_a_variant_is_named_behind_a_colon(script: Path) -> None:
    found = load(f"{script}:variant")
    assert (found.name, found.zone, found.connection_age) == ("variant", "example.com", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", "the script has no scenario; mark a function"),
        ("import sys\nsys.exit(0)\n", r"cutover\.py:2: the script cannot be loaded: SystemExit: 0"),
        ("def broken(:\n", r"cutover\.py:1: the script cannot be loaded: invalid syntax"),
        ("\n\nraise ValueError('no zone')\n", r"cutover\.py:3: .*ValueError: no zone"),
        ("raise KeyError\n", r"cutover\.py:1: the script cannot be loaded: KeyError$"),
        ("import asyncio\nraise asyncio.CancelledError\n", r"cutover\.py:2: .*CancelledError$"),
        (
            "from testbed import scenario\n@scenario('t', host='a.b', port='443')\ndef story(c): ...\n",
            r"cutover\.py:2: port='443' is not a port; write a number from 1 to 65535",
        ),
        ("import no_such_module\n", r"cutover\.py:1: .*No module named 'no_such_module'"),
    ],
    ids=["no scenario", "exits", "syntax", "raises", "no text", "cancelled", "argument", "import"],
)
def test_a_script_that_cannot_be_played_is_named_with_its_line(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "cutover.py").write_text(text)
    with pytest.raises(BadInput, match=message):
        load(str(tmp_path))


def test_an_unknown_variant_is_answered_with_the_known_ones(script: Path) -> None:
    with pytest.raises(BadInput, match="no scenario 'other'; it has story, variant"):
        load(f"{script}:other")


def test_no_script_and_several_scripts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the folder has no script; name a script"):
        load(str(tmp_path))
    with pytest.raises(BadInput, match="no such scenario"):
        load(str(tmp_path / "absent"))
    (tmp_path / "a.py").write_text(SCRIPT)
    (tmp_path / "b.py").write_text(SCRIPT)
    with pytest.raises(BadInput, match="the folder has 2 scripts, not one"):
        load(str(tmp_path))


def test_the_line_of_the_script_that_raised_is_found(tmp_path: Path) -> None:
    (tmp_path / "cutover.py").write_text(SCRIPT.replace("def story(cutover): ...", "def story(c):\n    c.x"))
    found = load(str(tmp_path))
    with pytest.raises(AttributeError) as raised:
        found.play(object())  # type: ignore[arg-type]
    where = script_line(raised.value, found.folder)
    assert where is not None
    assert where.line == 5
