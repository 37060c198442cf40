"""The durations of a scenario: numbers of production seconds, refused when the script is read.

A `hold` of nan or of -1 seconds is over before it begins, and a condition that waits for an infinite time
never fails: both prove nothing.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from testbed.errors import BadInput, Location

MOST = 1e9
"""Production seconds, about 30 years."""
_METHODS: Mapping[str, int | None] = {"hold": 0, "wait_until": None, "expect": None, "run": None}
"""Methods of a `Cutover` that take a duration: by position, or as the keyword `within` or `seconds`."""
_KEYWORDS = ("within", "seconds")
_UNKNOWN = object()
_OPERATORS: Mapping[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}


def is_duration(value: object) -> bool:
    """True for a finite number of production seconds from 0 up."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST


def check(call: str, value: object) -> None:
    """Check a duration; `call` is how the script gives it, `hold`.

    Raises:
        BadInput: it is none.
    """
    if not is_duration(value):
        raise BadInput(
            f"{call}: {value!r} is not a duration", do=f"write seconds of production time, 0 to {MOST:g}"
        )


def check_script(path: Path) -> None:
    """Check the durations of a script that are constants, as far as its text tells them.

    Raises:
        BadInput: one is no duration; with its line.
    """
    try:
        module = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # loading the script reports the fault
    constants = _constants(module)
    for call, value in _given(module):
        number = _number(value, constants)
        if number is not _UNKNOWN and not is_duration(number):
            error = BadInput(
                f"{call}: {ast.unparse(value)} is not a duration",
                do=f"write seconds of production time, 0 to {MOST:g}",
            )
            error.where = Location(path, value.lineno)
            raise error


def _given(module: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield each duration that a function of the script gives to one of its arguments, the cutover."""
    for function in ast.walk(module):
        if not isinstance(function, ast.FunctionDef):
            continue
        arguments = {one.arg for one in function.args.args}
        for call in ast.walk(function):
            if not (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and isinstance(call.func.value, ast.Name)
                and call.func.value.id in arguments
                and call.func.attr in _METHODS
            ):
                continue
            position = _METHODS[call.func.attr]
            if position is not None and len(call.args) > position:
                yield call.func.attr, call.args[position]
            for keyword in call.keywords:
                if keyword.arg in _KEYWORDS:
                    yield f"{call.func.attr}({keyword.arg}=…)", keyword.value


def _constants(module: ast.Module) -> Mapping[str, ast.expr]:
    """Return the variables of the module that are set once in the whole script, and nowhere else."""
    values = {
        one.targets[0].id: one.value
        for one in module.body
        if isinstance(one, ast.Assign) and len(one.targets) == 1 and isinstance(one.targets[0], ast.Name)
    }
    bound = [
        node.id for node in ast.walk(module) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    bound += [node.arg for node in ast.walk(module) if isinstance(node, ast.arg)]
    return {name: value for name, value in values.items() if bound.count(name) == 1}


def _number(value: ast.expr, constants: Mapping[str, ast.expr]) -> object:
    """Return what an expression of constants is worth; _UNKNOWN if that is not known."""
    match value:
        case ast.Constant(value=constant):
            return constant
        case ast.Name(id=name) if name in constants:
            # Without the name itself: it may be made of itself only in a script that does not run.
            return _number(constants[name], {key: one for key, one in constants.items() if key != name})
        case ast.Attribute(value=ast.Name(id="math"), attr="inf" | "nan" as constant):
            return getattr(math, constant)
        case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value=str(text))]):
            try:
                return float(text)
            except ValueError:
                return _UNKNOWN
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            number = _number(operand, constants)
            return -number if isinstance(number, int | float) else _UNKNOWN
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            one, other = _number(left, constants), _number(right, constants)
            if isinstance(one, int | float) and isinstance(other, int | float):
                try:
                    return _OPERATORS[type(sign)](one, other)
                except ArithmeticError:
                    return _UNKNOWN
    return _UNKNOWN
