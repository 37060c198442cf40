"""Finds demands that a script makes and drops: they look like checks and check nothing.

A condition on a line of its own, `served_by("alb")`, is made and never looked at; `cutover.step(…)` without
`with` begins no step, and `cutover.fault(…)` strikes nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from testbed.errors import BadInput, Location
from testbed.faults import KNOWN

CONDITIONS = frozenset((
    "active", "alias_at", "answers_by_its_own_name", "claimed_by", "drained", "forwards", "gone", "logged",
    "no_record", "not_logged", "only_one", "only_served_by", "served_by", "synced", "weights",
))  # fmt: skip
"""All that `testbed.conditions` makes."""
_FAULTS = frozenset(one.__name__ for one in KNOWN.values())
_MODULES = ("testbed.conditions", "testbed.rehearsal.conditions")


def check_script(path: Path) -> None:
    """Check that a script uses each condition, step and fault that it makes.

    Raises:
        BadInput: it makes one and drops it; with its line.
    """
    try:
        module = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # loading the script reports the fault
    names = _imported(module)
    for line, what, do in (*_dropped_conditions(module, names), *_unentered(module)):
        raise BadInput(what, where=Location(path, line), do=do)


def _imported(module: ast.Module) -> dict[str, str]:
    """Return the names by which a script calls conditions, and what each is; `c.gone` for a module `c`."""
    names: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                called = alias.asname or alias.name
                if f"{node.module}.{alias.name}" in _MODULES:
                    names |= {f"{called}.{one}": one for one in CONDITIONS}
                elif node.module in _MODULES and alias.name == "*":
                    names |= {one: one for one in CONDITIONS}
                elif node.module in _MODULES and alias.name in CONDITIONS:
                    names[called] = alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in _MODULES:
                    names |= {f"{alias.asname or alias.name}.{one}": one for one in CONDITIONS}
    for own in _own(module):
        names.pop(own, None)
    return names


def _own(module: ast.Module) -> Iterator[str]:
    """Yield the names that a script gives to something else."""
    for node in ast.walk(module):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.ImportFrom(module=origin, names=aliases) if origin not in _MODULES:
                yield from (alias.asname or alias.name for alias in aliases)


def _dropped_conditions(module: ast.Module, names: dict[str, str]) -> Iterator[tuple[int, str, str]]:
    for call in _statements(module):
        if name := names.get(ast.unparse(call.func)):
            text = ast.unparse(call)
            yield call.lineno, f"{name}() on a line of its own checks nothing", f"write expect({text})"


def _unentered(module: ast.Module) -> Iterator[tuple[int, str, str]]:
    for call in _statements(module):
        if not isinstance(call.func, ast.Attribute):
            continue
        keywords = {one.arg for one in call.keywords}
        is_step = call.func.attr == "step" and "why" in keywords
        is_fault = call.func.attr == "fault" and (
            len(call.args) + len(keywords & {"kind", "part"}) == 2 or any(map(_is_fault, call.args))
        )
        if is_step or is_fault:
            text = ast.unparse(call.func)
            yield call.lineno, f"{text}(…) does nothing without a with", f"write with {text}(…):"


def _is_fault(argument: ast.expr) -> bool:
    return isinstance(argument, ast.Call) and ast.unparse(argument.func).rpartition(".")[2] in _FAULTS


def _statements(module: ast.Module) -> Iterator[ast.Call]:
    """Yield the calls whose result is dropped."""
    for node in ast.walk(module):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield node.value
