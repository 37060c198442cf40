from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.check import manifest_reading, rule_registry
from testbed.check.findings import Finding
from testbed.releases import Named
from tests.check.manifests_of_traps import folder

Look = Callable[..., list[Finding]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """The findings on some manifests, of one rule if it is named."""

    numbers = itertools.count()

    def find(*manifests: str, rule: str | None = None, version: str = "v0.7.4") -> list[Finding]:
        loaded = manifest_reading.load([folder(tmp_path / f"look-{next(numbers)}", *manifests)])
        found = rule_registry.check(manifest_reading.Reading.of(loaded, Named(version, "--external-dns")))
        return [one for one in found if rule in (None, one.rule)]

    return find


@pytest.fixture
def repository() -> Path:
    return Path(__file__).resolve().parents[2]
