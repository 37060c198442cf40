"""The real ExternalDNS of some releases, as `.ci/external-dns` builds them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from testbed.real_controllers.installed import cache

ROOT = Path(__file__).resolve().parents[2]
RELEASES = ("v0.14.2", "v0.18.0", "v0.21.0")


def external_dns_of(release: str) -> Path:
    """Return the binary of a release; without it the test is skipped, or fails in CI, which builds it."""
    path = cache() / release / "external-dns"
    if not path.exists():
        why = "no Go on this machine" if shutil.which("go") is None else f"run .ci/external-dns {release}"
        if os.environ.get("CI") == "true":
            pytest.fail(f"no ExternalDNS {release}: {why}")
        pytest.skip(f"no ExternalDNS {release}: {why}")
    return path
