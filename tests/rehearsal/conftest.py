"""A topology for tests of acts and steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from moto import mock_aws

from testbed.rehearsal import cutover
from testbed.settings import PATIENCE
from tests.rehearsal.still_topology import StillTopology


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A condition that does not hold has failed at the end of its production time."""
    monkeypatch.setattr(cutover, "PATIENCE", replace(PATIENCE, condition=0.0))


@pytest.fixture
def still_topology(tmp_path: Path) -> Iterator[StillTopology]:
    """A topology that stands still."""
    with mock_aws():
        topology = StillTopology(tmp_path)
        with topology.journal:
            yield topology
