"""The variables of a script that stand for one constant text, by its syntax tree."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable


def bound_otherwise(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the variables that a loop, `with`, `:=` or the like sets, and not an assignment alone."""
    bound, assigned = Counter[str](), Counter[str]()
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound[node.id] += 1
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        parts = (part for one in targets for part in ast.walk(one))
        assigned.update(part.id for part in parts if isinstance(part, ast.Name))
    return {name for name, count in bound.items() if count > assigned[name]}


def constants_of(statements: Iterable[ast.stmt]) -> dict[str, ast.expr]:
    """Return the variables that are assigned once, to a string or an f-string."""
    values: dict[str, ast.expr] = {}
    again: set[str] = set()
    for statement in statements:
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
            continue
        for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
            pairs = [(target, statement.value)]
            if isinstance(target, ast.Tuple) and isinstance(statement.value, ast.Tuple):
                pairs = list(zip(target.elts, statement.value.elts, strict=False))
            for variable, value in pairs:
                if isinstance(variable, ast.Name):
                    again |= {variable.id} & values.keys()
                    values[variable.id] = value
    kinds = ast.Constant | ast.JoinedStr
    return {name: value for name, value in values.items() if name not in again and isinstance(value, kinds)}
