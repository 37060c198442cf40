"""The folder of what was recorded from the real ExternalDNS, and its files of scenarios."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

_SHARED = Path(__file__).resolve().parents[3] / "shared" / "conformance"
FOLDER = Path(os.environ.get("TESTBED_CONFORMANCE", _SHARED)) / "external-dns"


@functools.cache
def scenarios_of(file: str) -> Sequence[Mapping[str, Any]]:
    """Return the scenarios of a file, YAML or JSON."""
    text = (FOLDER / file).read_text()
    content = json.loads(text) if file.endswith(".json") else yaml.load(text, yaml.CSafeLoader)
    scenarios: Sequence[Mapping[str, Any]] = content["scenarios"]
    return scenarios
