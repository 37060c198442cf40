"""The import paths that docs/reference/public-api.md promises."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "public-api.md"
_CODE = re.compile(r"`([\w.]+)`")


def promised(heading: str) -> list[tuple[str, str]]:
    """Paths and names of the table below a heading; the first cell may name both."""
    text = PAGE.read_text(encoding="utf-8").partition(heading)[2].partition("\n## ")[0]
    rows = [row.split(" | ") for row in text.splitlines() if row.startswith("| `")]
    found = []
    for first, second, *_ in rows:
        path, *names = _CODE.findall(first)
        found += [(path, name) for name in names or ([] if second.endswith(" |") else _CODE.findall(second))]
        if not names and second.endswith(" |"):
            found.append((path, ""))
    return found


TODAY, OF_0_1 = promised("# Public import paths"), promised("## Paths of version 0.1")


@pytest.mark.parametrize(("path", "name"), [*TODAY, *OF_0_1], ids=lambda text: text or "module")
def test_a_path_that_the_page_names_imports(path: str, name: str) -> None:
    module = importlib.import_module(path)
    assert not name or getattr(module, name) is not None


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("testbed", "scenario"),
        ("testbed", "Cutover"),
        ("testbed.conditions", "served_by"),
        ("testbed.clients", "Traffic"),
        ("testbed.faults", "KILL"),
        ("testbed.errors", "BadInput"),
        ("testbed.settings", "PRODUCTION"),
        ("testbed.cli", "main"),
    ],
)
def test_the_page_names_what_scripts_use_today(path: str, name: str) -> None:
    assert (path, name) in TODAY


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("testbed.rehearsal", "Cutover"),
        ("testbed.rehearsal", "scenario"),
        ("testbed.rehearsal.scenario", "Targets"),
        ("testbed.rehearsal.conditions", ""),
        ("testbed.traffic.description", "Traffic"),
        ("testbed.traffic.calls", "Call"),
    ],
)
def test_the_page_names_what_scripts_of_0_1_use(path: str, name: str) -> None:
    assert (path, name) in OF_0_1


def test_a_condition_of_0_1_is_the_condition_of_today() -> None:
    old, new = (importlib.import_module(f"testbed.{name}") for name in ("rehearsal.conditions", "conditions"))
    assert all(getattr(old, name) is getattr(new, name) for name in new.__all__ if name != "Observer")
    assert all(name in new.__all__ for path, name in TODAY if path == "testbed.conditions")


@pytest.mark.parametrize("path", sorted({path for path, _ in TODAY if path.count(".") == 1}))
def test_what_a_module_exports_stands_on_the_page(path: str) -> None:
    exported = getattr(importlib.import_module(path), "__all__", ())
    assert {(path, name) for name in exported} <= set(TODAY)
