"""The workflow that is there to be copied: it must be valid, and its commands must exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from testbed.cli import cli
from testbed.rehearsal.thresholds import parse

DOCS = Path(__file__).resolve().parents[2] / "docs"
WORKFLOW = DOCS / "ci" / "rehearse.yml"


@pytest.fixture(scope="module")
def steps() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(WORKFLOW.read_text())["jobs"]["rehearse"]["steps"]
    return found


def test_it_uses_public_github_actions_only(steps: list[dict[str, Any]]) -> None:
    used = [step["uses"] for step in steps if "uses" in step]
    assert used
    assert all(re.fullmatch(r"(actions|github)/[a-z-]+(/[a-z-]+)?@v\d+", one) for one in used)
    assert not re.search(r"https?://", WORKFLOW.read_text())


def test_its_commands_are_understood(steps: list[dict[str, Any]]) -> None:
    commands = [step["run"] for step in steps if step.get("run", "").startswith("testbed ")]
    assert len(commands) == 2
    for line in commands:
        words = shlex.split(re.split(r" > | \|\| ", line)[0])[1:]
        command = cli.get_command(click.Context(cli), words[0])
        assert command
        command.make_context(words[0], words[1:])


def test_the_thresholds_of_the_page_can_be_read() -> None:
    page = (DOCS / "how-to" / "my-ci.md").read_text()
    block = re.search(r"thresholds = \[\n(.*?)\n\]", page, re.DOTALL)
    assert block
    for line in block[1].splitlines():
        parse(line.strip(' ",'))
