"""The page of the clients has the values of the models."""

from __future__ import annotations

from pathlib import Path

from testbed.client_models import MODELS, words

PAGE = Path(__file__).resolve().parents[2] / "docs" / "clients.md"


def test_the_table_is_what_the_command_prints() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## The table")[2].partition("\n## ")[0]
    table = section.strip().splitlines()
    assert table == words.markdown(MODELS.values()), "write it by `testbed clients -o markdown`"
