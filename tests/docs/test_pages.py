"""The pages say what the program has."""

from __future__ import annotations

from pathlib import Path

import pytest
from mkdocs_click._docs import make_command_docs

from testbed.cli import COMMANDS, cli
from testbed.external_dns.process import flags
from testbed.external_dns.process.argument_parser import Flag

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_reference_is_generated_from_the_program() -> None:
    page = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    assert "::: mkdocs-click\n    :module: testbed.cli\n    :command: cli\n" in page


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_reference(command: str) -> None:
    assert f"## {command}" in list(make_command_docs("testbed", cli))


def test_every_flag_of_external_dns_is_in_its_table() -> None:
    page = (DOCS / "how-to" / "external-dns-flags.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in page.splitlines() if "| `--" in line]
    told = {name.strip("`"): dates for name, dates in rows}
    assert told == {f"--{flag.name}": _dates(flag) for flag in flags._FLAGS}


def _dates(flag: Flag) -> str:
    """`v0.16, until v0.18`: the numbers that matter."""
    since, until = ((tag or "").removesuffix(".0") for tag in (flag.since, flag.until))
    return since + (f", until {until}" if until else "")
