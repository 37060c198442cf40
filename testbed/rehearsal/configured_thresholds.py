"""The configured thresholds, each with its file and line.

They add up: `thresholds` of `[tool.testbed]` in the working directory's `pyproject.toml`, of `testbed.toml`
there, of `testbed.toml` beside the scenario, and of the scenario itself.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from testbed.errors import BadInput, Location
from testbed.rehearsal.scenario import Scenario
from testbed.verdict.thresholds import Threshold, parse

FILE = "testbed.toml"
KEY = "thresholds"


def thresholds(scenario: Scenario, folder: Path | None = None) -> tuple[Threshold, ...]:
    """Return all thresholds of a run, each once, in the order of the places.

    Raises:
        BadInput: a file or a threshold cannot be read; with file and line.
    """
    return tuple(threshold for threshold, _ in located_thresholds(scenario, folder))


def located_thresholds(
    scenario: Scenario, folder: Path | None = None
) -> tuple[tuple[Threshold, Location], ...]:
    """Return all thresholds of a run, each with its first place.

    Raises:
        BadInput: a file or a threshold cannot be read; with file and line.
    """
    here = folder or Path.cwd()
    by_text: dict[str, tuple[Threshold, Location]] = {}
    for text, where in (
        *_of_pyproject(here / "pyproject.toml"),
        *_of_files(dict.fromkeys((here.resolve() / FILE, scenario.folder.resolve() / FILE)), here),
        *_of_scenario(scenario),
    ):
        threshold = parse(text, where)
        # The same limit in two files is one line of the verdict.
        by_text.setdefault(threshold.text, (threshold, where))
    return tuple(by_text.values())


def _of_pyproject(path: Path) -> Iterator[tuple[str, Location]]:
    table, text = _toml(path)
    yield from _listed(table.get("tool", {}).get("testbed", {}), path, text)


def _of_files(paths: dict[Path, None], here: Path) -> Iterator[tuple[str, Location]]:
    for path in paths:
        table, text = _toml(path)
        shown = path.relative_to(here.resolve()) if path.is_relative_to(here.resolve()) else path
        for key in table:
            if key != KEY:
                where = Location(shown, _line(rf"^\s*\[*[\"']?{re.escape(key)}\b", text))
                raise BadInput(f"{FILE} has no setting {key!r}", where=where, do=f"its only setting is {KEY}")
        yield from _listed(table, shown, text)


def _of_scenario(scenario: Scenario) -> Iterator[tuple[str, Location]]:
    code = scenario.play.__code__
    path = Path(code.co_filename)
    text = path.read_text(encoding="utf-8") if scenario.thresholds else ""
    for one in scenario.thresholds:
        yield str(one), Location(path, _line(re.escape(str(one)), text) or code.co_firstlineno)


def _toml(path: Path) -> tuple[dict[str, Any], str]:
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), text
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError) as error:
        line = re.search(r"line (\d+)", str(error))
        where = Location(path, int(line[1]) if line else None)
        raise BadInput(f"cannot be read: {error}", where=where) from None


def _listed(table: dict[str, Any], path: Path, text: str) -> Iterator[tuple[str, Location]]:
    texts = table.get(KEY, [])
    line = _line(rf"^\s*[\"']?{KEY}\b", text)
    if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
        raise BadInput(f"{KEY} must be a list of strings", where=Location(path, line))
    for one in texts:
        yield one, Location(path, _line(rf"[\"']{re.escape(one)}[\"']", text) or line)


def _line(pattern: str, text: str) -> int | None:
    # tomllib gives no line numbers, and a parser that does would be a dependency for this alone.
    match = re.search(pattern, text, re.MULTILINE)
    return text.count("\n", 0, match.start()) + 1 if match else None
