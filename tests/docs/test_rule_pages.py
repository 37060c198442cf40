"""The hook that makes the pages of the rules, and the table that leads to them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from mkdocs.config import load_config

from testbed.check.rule_registry import all_rules

ROOT = Path(__file__).resolve().parents[2]
IDS = {rule.id for rule in all_rules()}


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rule_pages_hook", ROOT / "docs" / "rule_pages.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_rule_is_in_the_navigation_once() -> None:
    with (ROOT / "mkdocs.yml").open("rb") as file:
        config = load_config(file)
    hook = next(one for one in config.hooks.values())
    config = hook.on_config(config)
    [section] = [one["Troubleshooting"] for one in config.nav if "Troubleshooting" in one]
    named = [name for part in section[1:] for group in part.values() for entry in group for name in entry]
    assert section[0] == "troubleshooting.md"
    assert sorted(named) == sorted(IDS)


def test_the_symptoms_name_rules_that_exist() -> None:
    text = (ROOT / "docs" / "troubleshooting.md").read_text()
    named = {
        one
        for line in text.splitlines()
        if line.startswith("| ")
        for one in re.findall(r"`([a-z0-9-]+)`", line.rsplit("|", 2)[1])
    }
    assert named
    assert named <= IDS
    assert "<!-- the rules -->" in text


def test_the_id_of_a_rule_becomes_a_link_but_not_in_its_own_page(hook: ModuleType) -> None:
    line = "see `ttl-on-alias` and `--zone`"
    linked = "see [`ttl-on-alias`](../troubleshooting/ttl-on-alias.md) and `--zone`"
    assert hook._linked(line, 1, "other") == linked
    assert hook._linked(linked, 1, "other") == linked
    assert hook._linked(line, 1, "ttl-on-alias") == line
