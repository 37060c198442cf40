"""The real ExternalDNS of three releases; no Go, no tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.real.binaries import RELEASES, ROOT, external_dns_of


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """Each release."""
    return str(request.param)


@pytest.fixture
def external_dns(release: str) -> Path:
    """The binary of a release."""
    return external_dns_of(release)


def run_testbed(*arguments: str, seconds: int = 400) -> subprocess.CompletedProcess[str]:
    """Run `testbed` as a person does."""
    return subprocess.run(
        [sys.executable, "-m", "testbed", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=seconds,
        check=False,
    )
