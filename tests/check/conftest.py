from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.check import reading, rules
from testbed.check.findings import Finding
from testbed.lb_controller.inputs import Version
from tests.check.manifests_of_traps import folder

Look = Callable[..., list[Finding]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """The findings on some manifests, of one rule if it is named."""

    def find(*manifests: str, rule: str | None = None, version: str = "v0.7.4") -> list[Finding]:
        loaded = reading.load([folder(tmp_path / "manifests", *manifests)])
        found = rules.check(reading.Reading.of(loaded, version, Version.NEWEST))
        return [one for one in found if rule in (None, one.rule)]

    return find


@pytest.fixture
def repository() -> Path:
    return Path(__file__).resolve().parents[2]
