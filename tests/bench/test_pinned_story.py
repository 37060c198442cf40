"""Both builds play one population."""

from __future__ import annotations

from pathlib import Path

from testbed.bench.pinned_story import CLIENTS, pinned
from testbed.client_models import Population
from testbed.rehearsal.script import load

STORY = """
from testbed import Cutover, scenario

@scenario("Somebody calls", host="api.example.com"{more})
def story(cutover: Cutover) -> None:
    pass
"""


def story(folder: Path, more: str = "") -> Path:
    (folder / "cutover.py").write_text(STORY.replace("{more}", more))
    return folder


def test_a_story_that_names_no_clients_is_called_by_those_of_the_first_revision(tmp_path: Path) -> None:
    with pinned(story(tmp_path)) as copy:
        assert load(copy).clients == Population.of(CLIENTS)
    assert load(str(tmp_path)).clients is None


def test_a_story_that_names_its_clients_keeps_them(tmp_path: Path) -> None:
    with pinned(story(tmp_path, ', clients={"java-http1": 1.0}')) as copy:
        assert load(copy).clients == Population.of({"java-http1": 1.0})


def test_a_copy_is_gone_after_its_run(tmp_path: Path) -> None:
    with pinned(story(tmp_path)) as copy:
        assert Path(copy).is_dir()
    assert not Path(copy).exists()
