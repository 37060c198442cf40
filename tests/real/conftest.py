"""The real ExternalDNS of three releases, as `.ci/external-dns` builds them; no Go, no tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.real_controllers.installed import cache

ROOT = Path(__file__).resolve().parents[2]
RELEASES = ("v0.14.2", "v0.18.0", "v0.21.0")


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """Each release."""
    return str(request.param)


@pytest.fixture
def external_dns(release: str) -> Path:
    """The binary of a release."""
    path = cache() / release / "external-dns"
    if not path.exists():
        why = "no Go on this machine" if shutil.which("go") is None else f"run .ci/external-dns {release}"
        if os.environ.get("CI"):
            pytest.fail(f"no ExternalDNS {release}: {why}")
        pytest.skip(f"no ExternalDNS {release}: {why}")
    return path


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
