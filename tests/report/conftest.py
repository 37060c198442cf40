"""Golden files for the tests of the report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"
Golden = Callable[[str, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what the report says as expected")


@pytest.fixture(params=sorted(GOLDEN.glob("*.ndjson")), ids=lambda path: path.stem)
def golden_journal(request: pytest.FixtureRequest) -> Path:
    """Each journal of `golden/`."""
    path: Path = request.param
    return path


@pytest.fixture
def golden(request: pytest.FixtureRequest, golden_journal: Path) -> Golden:
    """Compare a text with the golden file of this journal and suffix; `--update-golden` writes it."""

    def compare(suffix: str, text: str) -> None:
        path = golden_journal.with_suffix(suffix)
        if request.config.getoption("--update-golden", default=False):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return compare
