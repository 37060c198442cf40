"""Reads from a script's text which balancers its story names, and which manifests it applies.

Only constants are read: a string, a variable that holds one, an f-string of them. What a script computes is
not known before it runs, and is refused when it is used.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from testbed.network import BALANCER_TYPES
from testbed.rehearsal.script_constants import bound_otherwise, constants_of

_CONDITIONS = (
    "active", "alias_at", "answers_by_its_own_name", "drained", "forwards", "gone", "only_one",
    "only_served_by", "served_by",
)  # fmt: skip
_ALL_CONDITIONS = frozenset(
    (*_CONDITIONS, "claimed_by", "logged", "no_record", "not_logged", "synced", "weights")
)
_METHODS = ("balancers", "change_alias", "forwarded_versions", "open_connections", "served_in_step")
_FIRST_ARGUMENT = frozenset((*_CONDITIONS, *_METHODS))
_WITH_PROSE = ("accept_lost_requests", "step")
_ACTS = ("annotate", "apply", "balancer", "foreign_balancer", "run")
_KNOWN_PROGRAMS = ("aws", "kubectl")
_CREATING = re.compile(r"\b(?:apply|create|replace|patch|edit|helm|kustomize)\b")
_NO_PROSE = re.compile(r"[/=]|\.(?:ya?ml|json)$")
"""Words of a longer text that may be paths or annotations: `k8s` alone may also be just a word."""
_GROUP = re.compile(r"group\.name=([a-z0-9][a-z0-9.-]*)")


@dataclass(frozen=True, slots=True)
class Named:
    """A name of a balancer in a script, and its line."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Called:
    """A condition that a script makes of constants alone, and its line."""

    condition: str
    arguments: tuple[str | int | float | bool | None, ...]
    keywords: Mapping[str, str | int | float | bool | None]
    line: int


@dataclass(frozen=True, slots=True)
class Applied:
    """Paths that the story names, and the objects that are taken of them; None for all."""

    paths: tuple[str, ...]
    only: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Foreign:
    """An object, `ingress/web`, whose balancer the story makes; `address` "" is that of its status."""

    name: str
    address: str = ""
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ScriptReading:
    """What a script's text says of the balancers of a story.

    Attributes:
        used: the names that conditions and acts take.
        conditions: the conditions that are known with all of their arguments.
        upgrades: the releases that ExternalDNS is replaced by; "" for one that is not known from the text.
        given: the names that the story gives, each with what it stands for.
        applied: the manifests.
        groups: Ingress groups that an annotation is changed to.
        foreign: objects whose balancers the story makes itself.
        gives_computed_names: True if a name is given that is not known from the text.
        is_opaque: True if objects may come from elsewhere: from `helm`, another script, a computed path.
    """

    used: tuple[Named, ...] = ()
    conditions: tuple[Called, ...] = ()
    upgrades: tuple[Named, ...] = ()
    given: tuple[tuple[Named, str], ...] = ()
    applied: tuple[Applied, ...] = ()
    groups: tuple[str, ...] = ()
    foreign: tuple[Foreign, ...] = ()
    gives_computed_names: bool = False
    is_opaque: bool = False


def read_script(path: Path, function: str) -> ScriptReading:
    """Read the story `function` of a script, with the functions of the script that it uses."""
    try:
        module = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ScriptReading()  # loading the script has reported the fault, or it is not a file
    reader = _Reader(module)
    if function not in reader.definitions:  # e.g. the function that a decorator of the user put in its place
        return ScriptReading(gives_computed_names=True, is_opaque=True)
    return reader.read(function)


@dataclass(slots=True)
class _Reader:
    module: ast.Module
    definitions: dict[str, ast.stmt] = field(init=False)
    constants: dict[str, ast.expr] = field(init=False)
    aliases: Mapping[str, str] = field(init=False)
    origins: Mapping[str, str] = field(init=False)
    own: frozenset[str] = field(init=False)
    imports_all: bool = field(init=False)

    def __post_init__(self) -> None:
        self.definitions = {
            node.name: node
            for node in self.module.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        self.constants = constants_of(self.module.body)
        nodes = list(ast.walk(self.module))
        imports = [
            (alias, node.module or "" if isinstance(node, ast.ImportFrom) else alias.name)
            for node in nodes
            if isinstance(node, ast.ImportFrom | ast.Import)
            for alias in node.names
        ]
        self.aliases = {alias.asname: alias.name for alias, _ in imports if alias.asname}
        self.origins = {
            (alias.asname or alias.name).partition(".")[0]: origin.partition(".")[0]
            for alias, origin in imports
        }
        defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        foreign = {name for name, origin in self.origins.items() if origin != "testbed"}
        self.imports_all = any(
            alias.name == "*" and origin.partition(".")[0] != "testbed" for alias, origin in imports
        )
        self.own = frozenset({*self.definitions, *defined, *foreign})

    def read(self, function: str) -> ScriptReading:
        functions = list(self._reachable(function))
        bodies = [part for one in functions for part in getattr(one, "body", [])]
        nodes = [node for body in bodies for node in ast.walk(body)]
        parameters = {node.arg for one in functions for node in ast.walk(one) if isinstance(node, ast.arg)}
        local = constants_of(node for node in nodes if isinstance(node, ast.stmt))
        # A name that a function and the module both assign, or two functions, is not a constant.
        for name in local.keys() & self.constants.keys():
            del local[name], self.constants[name]
        self.constants |= local
        for name in parameters | bound_otherwise(nodes):
            self.constants.pop(name, None)
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        giving = [call for call in calls if self._called(call) == "balancer"]
        pairs = [self._arguments(call, "name", "balancer") for call in giving]
        given = [(name, balancer, call.lineno) for call, (name, balancer) in zip(giving, pairs, strict=True)]
        making = [call for call in calls if self._called(call) == "foreign_balancer" and call.args]
        texts = list(self._texts(bodies))
        runs = [call for call in calls if self._called(call) == "run" and call.args]
        commands = [self._text(call.args[0]) for call in runs]
        is_handed_on = self.imports_all or self._is_handed_on(functions)
        return ScriptReading(
            used=tuple(self._used(calls)),
            conditions=tuple(self._conditions(calls)),
            upgrades=tuple(self._upgrades(calls)),
            given=tuple((Named(name, line), balancer) for name, balancer, line in given if name and balancer),
            applied=(*self._applied(calls), Applied(tuple(dict.fromkeys(texts)))),
            groups=tuple(self._groups(bodies, texts)),
            foreign=tuple(self._foreign(making)),
            gives_computed_names=is_handed_on or any(not name or not balancer for name, balancer, _ in given),
            is_opaque=is_handed_on
            or any(text is None or _may_create(text) for text in commands)
            or any(self._is_computed(call) for call in calls)
            or any(isinstance(node, ast.Attribute) and node.attr == "topology" for node in nodes),
        )

    def _reachable(self, function: str) -> Iterator[ast.stmt]:
        """Yield the story's definition and those of all that it uses of its script."""
        waiting, seen = [function], set[str]()
        while waiting:
            name = waiting.pop()
            definition = self.definitions.get(name)
            if name in seen or definition is None:
                continue
            seen.add(name)
            yield definition
            body: list[ast.stmt] = getattr(definition, "body", [])
            names = (node.id for part in body for node in ast.walk(part) if isinstance(node, ast.Name))
            waiting.extend(names)

    def _used(self, calls: Iterable[ast.Call]) -> Iterator[Named]:
        for call in calls:
            called = self._called(call)
            if called in _FIRST_ARGUMENT:
                keywords = [one.value for one in call.keywords if one.arg == "balancer"]
                first = call.args[0] if call.args else next(iter(keywords), None)
                name = None if first is None else self._text(first)
                # `only_one("nlb")` counts the NLBs of all owners.
                if name is not None and not (called == "only_one" and name in BALANCER_TYPES):
                    yield Named(name, call.lineno)
            elif called == "weights":
                for keyword in call.keywords:
                    if keyword.arg:
                        yield Named(keyword.arg, call.lineno)
                    elif isinstance(keyword.value, ast.Dict):
                        names = [self._text(key) for key in keyword.value.keys if key is not None]
                        yield from (Named(name, call.lineno) for name in names if name is not None)

    def _conditions(self, calls: Iterable[ast.Call]) -> Iterator[Called]:
        for call in calls:
            name = self._called(call)
            if name not in _ALL_CONDITIONS or any(one.arg is None for one in call.keywords):
                continue
            with suppress(_NotConstant):
                arguments = tuple(self._constant(one) for one in call.args)
                keywords = {one.arg or "": self._constant(one.value) for one in call.keywords}
                yield Called(name, arguments, keywords, call.lineno)

    def _upgrades(self, calls: Iterable[ast.Call]) -> Iterator[Named]:
        for call in calls:
            if self._called(call) == "upgrade_external_dns":
                (release,) = self._arguments(call, "release")
                yield Named(release or "", call.lineno)

    def _constant(self, node: ast.expr) -> str | int | float | bool | None:
        """Return the value of a constant expression.

        Raises:
            _NotConstant: it is none.
        """
        if (text := self._text(node)) is not None:
            return text
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float | bool | None):
            return node.value
        raise _NotConstant

    def _applied(self, calls: Iterable[ast.Call]) -> Iterator[Applied]:
        """Yield the calls of `apply` that take only some objects of their files."""
        for call in calls:
            only = _only(call)
            if self._called(call) == "apply" and only is not None:
                paths = [text for one in call.args if (text := self._text(one)) is not None]
                items = only.elts if isinstance(only, ast.List | ast.Tuple) else []
                names = [text for one in items if (text := self._text(one)) is not None]
                yield Applied(tuple(paths), tuple(names))

    def _texts(self, bodies: Iterable[ast.stmt]) -> Iterator[str]:
        """Yield the words of all constants, without prose and an `apply` that takes only some objects."""
        for body in bodies:
            inside: set[ast.AST] = set()
            for node in ast.walk(body):
                if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                    inside.add(node.value)  # a docstring: a word of it may be the name of a folder
                elif isinstance(node, ast.Call) and (
                    self._called(node) in _WITH_PROSE
                    or (self._called(node) == "apply" and _only(node) is not None)
                ):
                    inside |= {part for one in (*node.args, *node.keywords) for part in ast.walk(one)}
            for node in ast.walk(body):
                if node not in inside and isinstance(node, ast.Constant | ast.JoinedStr | ast.Name):
                    words = (self._text(node) or "").split()
                    is_prose = len(words) > 1 and words[0] not in _KNOWN_PROGRAMS
                    yield from (word for word in words if not is_prose or _NO_PROSE.search(word))

    def _foreign(self, calls: Iterable[ast.Call]) -> Iterator[Foreign]:
        for call in calls:
            name, address = self._arguments(call, "name", "address")
            if name:
                yield Foreign(name, address or "", call.lineno)

    def _groups(self, bodies: Iterable[ast.stmt], texts: Iterable[str]) -> Iterator[str]:
        for body in bodies:
            for node in ast.walk(body):
                if isinstance(node, ast.Dict):
                    for key, value in zip(node.keys, node.values, strict=True):
                        if key is not None and (self._text(key) or "").endswith("/group.name"):
                            yield from filter(None, [self._text(value)])
        for text in texts:
            yield from _GROUP.findall(text)

    def _arguments(self, call: ast.Call, *names: str) -> tuple[str | None, ...]:
        """Return the texts of arguments, passed by position or by name."""
        by_name = {one.arg: one.value for one in call.keywords}
        by_name |= dict(zip(names, call.args, strict=False))
        return tuple(self._text(by_name[name]) if name in by_name else None for name in names)

    def _is_computed(self, call: ast.Call) -> bool:
        """True if a call applies manifests, or sets annotations, that are not known from the text."""
        match self._called(call):
            case "apply":
                changes = [one.value for one in call.keywords if one.arg == "annotations"]
                paths = [one.value for one in call.keywords if one.arg is None]
                return any(self._text(one) is None for one in (*call.args, *paths)) or any(
                    not self._is_known_dict(one) for one in changes
                )
            case "annotate":
                changes = [*call.args[1:2], *(one.value for one in call.keywords if one.arg == "annotations")]
                return any(not self._is_known_dict(one) for one in changes)
        return False

    def _is_known_dict(self, node: ast.expr | None) -> bool:
        """True if the text shows annotations: a dict, or a function of the script that returns one."""
        match node:
            case ast.Dict(keys=keys, values=values):
                return all(
                    self._is_known_dict(value)
                    if key is None
                    else (text := self._text(key)) is not None
                    and (not text.endswith("/group.name") or self._text(value) is not None)
                    for key, value in zip(keys, values, strict=True)
                )
            case ast.Call(func=ast.Name(id=name)) if name in self.definitions:
                results = [one for one in ast.walk(self.definitions[name]) if isinstance(one, ast.Return)]
                # A dict that unpacks another is not followed: a function may call itself.
                return bool(results) and all(
                    isinstance(one.value, ast.Dict)
                    and None not in one.value.keys
                    and self._is_known_dict(one.value)
                    for one in results
                )
        return False

    def _is_handed_on(self, functions: Iterable[ast.stmt]) -> bool:
        """True if the cutover gets to code that is not read: another module, a variable, a list of functions.

        It is read where a method of it is called, and where a function of the script has it as an argument.
        """
        functions = list(functions)
        if any(self._is_half_known(one) for one in functions[1:]):
            return True
        waiting, seen = [(functions[0], 0)], set[tuple[str, int]]()
        while waiting:
            definition, position = waiting.pop()
            if not isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef):
                continue  # a class: all of its methods are read
            parameters = [*definition.args.posonlyargs, *definition.args.args]
            if position >= len(parameters) or (definition.name, position) in seen:
                continue
            seen.add((definition.name, position))
            cutover = parameters[position].arg
            read: set[ast.AST] = set()
            uses = [node for part in definition.body for node in ast.walk(part)]
            for node in uses:
                if isinstance(node, ast.Call):
                    read.add(node.func)
                    callee = self.definitions.get(node.func.id) if isinstance(node.func, ast.Name) else None
                    at = [n for n, one in enumerate(node.args) if _is(one, cutover)]
                    if callee is not None:
                        read |= {node.args[number] for number in at}
                        waiting += [(callee, number) for number in at]
            for node in uses:
                if isinstance(node, ast.Attribute) and (node in read or node.attr not in _ACTS):
                    read.add(node.value)
            if any(_is(node, cutover) and node not in read for node in uses):
                return True
        return False

    def _is_half_known(self, definition: ast.stmt) -> bool:
        """True if a function has a decorator, or a class a base, of the user's own."""
        parts: list[ast.expr] = [
            *getattr(definition, "decorator_list", []),
            *getattr(definition, "bases", []),
        ]
        roots = {_root(one.func if isinstance(one, ast.Call) else one) for one in parts}
        known = {"testbed", *sys.stdlib_module_names}
        return any(
            root in self.definitions or self.origins.get(root, "testbed") not in known for root in roots
        )

    def _called(self, call: ast.Call) -> str:
        if isinstance(call.func, ast.Attribute):
            name = call.func.attr
            # A condition is one of a module of the testbed; `queue.gone("file")` is not.
            of_module = self.origins.get(_root(call.func)) == "testbed"
            return name if of_module or name not in (*_CONDITIONS, "weights") else ""
        if isinstance(call.func, ast.Name) and call.func.id not in self.own:
            return self.aliases.get(call.func.id, call.func.id)
        return ""

    def _text(self, node: ast.AST) -> str | None:
        """Return the text of a constant expression, or None."""
        match node:
            case ast.Constant(value=str() as text):
                return text
            case ast.Name(id=name) if name in self.constants:
                value = self.constants[name]
                return None if isinstance(value, ast.Name) else self._text(value)
            case ast.JoinedStr(values=parts):
                texts = [self._text(part) for part in parts]
                return None if None in texts else "".join(map(str, texts))
            case ast.FormattedValue(value=value, format_spec=None):
                return self._text(value)
        return None


class _NotConstant(Exception):
    pass


def _is(node: ast.AST, variable: str) -> bool:
    return isinstance(node, ast.Name) and node.id == variable


def _root(node: ast.expr) -> str:
    """Return the first name of `testbed.conditions.gone`; "" if it is no plain path."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _may_create(command: str) -> bool:
    return bool(_CREATING.search(command)) or command.split()[:1] not in [[one] for one in _KNOWN_PROGRAMS]


def _only(call: ast.Call) -> ast.expr | None:
    return next((one.value for one in call.keywords if one.arg == "only"), None)
