"""Every module has a test of its own, and imports only what stands below it."""

from __future__ import annotations

import ast
import configparser
from collections.abc import Mapping
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
GENERATED = "_generated"

TESTED_ELSEWHERE: Mapping[str, str] = {}
"""Modules without a test file of their own name, and why. This list only shrinks."""


def modules() -> list[Path]:
    """Paths of all modules of the package, relative to it; `__init__` and `__main__` are left out."""
    paths = [path.relative_to(ROOT / "testbed") for path in sorted((ROOT / "testbed").rglob("*.py"))]
    return [path for path in paths if GENERATED not in path.parts and not path.stem.startswith("__")]


def dotted(inside: Path) -> str:
    return ".".join(("testbed", *inside.with_suffix("").parts))


def imported(tree: ast.Module) -> set[str]:
    """Every dotted name that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def has_test(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        for node in ast.walk(tree)
    )


@pytest.mark.parametrize("inside", modules(), ids=str)
def test_a_module_has_a_test_file_of_its_name_that_imports_it(inside: Path) -> None:
    name = dotted(inside)
    path = ROOT / "tests" / inside.parent / f"test_{inside.name}"
    if name in TESTED_ELSEWHERE:
        assert not path.exists(), f"{path} exists now: take {name} off the list"
        return
    assert path.is_file(), f"{name} has no {path.relative_to(ROOT)}"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert name in imported(tree), f"{path.relative_to(ROOT)} does not import {name}"
    assert has_test(tree)


def test_every_exception_names_a_module_that_exists() -> None:
    assert set(TESTED_ELSEWHERE) <= {dotted(inside) for inside in modules()}


def circles(graph: grimp.ImportGraph) -> list[set[str]]:
    """Groups of modules that import each other, directly or through others of the group."""
    found: list[set[str]] = []
    for module in sorted(graph.modules):
        below = graph.find_upstream_modules(module)
        circle = {other for other in below if module in graph.find_upstream_modules(other)}
        if circle and circle not in found:
            found.append(circle)
    return found


def test_no_modules_import_each_other_in_a_circle() -> None:
    # Imports for type checking count: a reader follows them, too.
    assert circles(grimp.build_graph("testbed", exclude_type_checking_imports=False, cache_dir=None)) == []


def layers() -> list[str]:
    """The names in the import contract of the top level, from the top down."""
    contract = configparser.ConfigParser()
    contract.read(ROOT / ".importlinter", encoding="utf-8")
    text = contract["importlinter:contract:layers"]["layers"]
    return [name.strip() for line in text.splitlines() for name in line.split("|") if name.strip()]


def test_the_contract_names_every_module_of_the_top_level() -> None:
    top = {inside.parts[0].removesuffix(".py") for inside in modules()}
    assert set(layers()) - {"__main__"} == top


def test_the_architecture_page_has_a_row_for_each_name_of_the_contract() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.partition("## Packages")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    names = [word.strip("`/ ").removesuffix(".py") for row in rows for word in row.split(",")]
    assert names == layers()
