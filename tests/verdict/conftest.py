"""The made-up run that tests of the verdict change."""

from __future__ import annotations

from types import ModuleType

import pytest

from testbed.journal import Event


@pytest.fixture(scope="module")
def events(made: ModuleType) -> list[Event]:
    found: list[Event] = made.Story(rate=20.0).events()
    return found
