"""The pages say what the program has."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.cli import LAZY
from testbed.external_dns import flags

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("command", sorted(LAZY))
def test_every_command_group_is_in_the_reference(command: str) -> None:
    assert f"    :module: {LAZY[command]}\n    :command: {command}\n" in (
        DOCS / "reference" / "commands.md"
    ).read_text(encoding="utf-8")


def test_every_flag_of_external_dns_is_in_its_table() -> None:
    page = (DOCS / "how-to" / "external-dns-flags.md").read_text(encoding="utf-8")
    told = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `--")}
    assert told == {f"--{flag.name}" for flag in flags._FLAGS}
