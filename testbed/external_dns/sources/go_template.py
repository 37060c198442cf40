"""The part of Go's text/template that an `--fqdn-template` uses.

```
{{ .Name }}.{{ .Namespace }}.example.com
{{ if eq .Spec.Type "LoadBalancer" }}{{ .Name }}.example.com{{ end }}
{{ range $key, $value := .Labels }}{{ if eq $key "host" }}{{ $value }},{{ end }}{{ end }}
{{ index .Annotations "dns" | toLower | trimSuffix "-svc" }}
```

Fields, variables, strings, numbers, parentheses, pipelines, `if`, `range`, `with`, comments, trim marks; of
the functions those of text/template that texts need, and ExternalDNS's own (source/fqdn/fqdn.go). There is no
`define`, `template` or `block`. docs/decisions says why this is not a library.

A field that the object lacks is empty: a manifest does not distinguish an unset field of the Go type from one
that the type lacks. The names right under the object are known, and a wrong one is an error, as it is for Go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.dated_releases import Release
from testbed.external_dns.sources.template_functions import functions

Object = Mapping[str, Any]
_ACTION = re.compile(r"(\s*)\{\{(-(?=\s))?\s*(.*?)\s*((?<=\s)-)?\}\}(\s*)", re.DOTALL)
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>"(?:[^"\\]|\\.)*"|`[^`]*`)
    | (?P<number>-?\d+)
    | (?P<field>(?:\$\w*)?(?:\.\w+)+|\$\w*|\.)
    | (?P<word>\w+)
    | (?P<sign>:=|=|\||\(|\)|,)
    )""",
    re.VERBOSE,
)
_TOP = {
    "name", "generatename", "namespace", "labels", "annotations", "uid", "resourceversion", "generation",
    "creationtimestamp", "ownerreferences", "finalizers",
}  # fmt: skip
_ROOT = ("objectmeta", "typemeta", "kind", "apiversion", "spec", "status")


class TemplateError(Exception):
    """A template does not parse, or does not fit an object; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class _Text:
    text: str


@dataclass(frozen=True, slots=True)
class _Block:
    """`if`, `range`, `with`, or "" for a plain pipeline."""

    keyword: str
    names: tuple[str, ...]
    pipeline: Sequence[Sequence[Any]]
    body: Sequence[Any] = ()
    otherwise: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class _Field:
    """`.a.b`, `$x.a` or a parenthesised pipeline."""

    variable: str
    path: tuple[str, ...]


class Template:
    """A parsed template."""

    def __init__(self, source: str, release: Release) -> None:
        """Parse a template.

        Args:
            source: its text.
            release: decides which functions there are.

        Raises:
            TemplateError: the template does not parse.
        """
        self.source = source
        self._functions = functions(release)
        self._nodes = _Parser(source, self._functions).nodes

    def hosts(self, item: Object) -> list[str]:
        """Return the names that the template gives an object: split at commas, without blanks and final dots.

        Raises:
            TemplateError: the template names a field that no object has.
        """
        text = _Run(self._functions, item).text(self._nodes)
        return [host for host in (one.strip().removesuffix(".") for one in text.split(",")) if host]


class _Parser:
    def __init__(self, source: str, known: Mapping[str, Callable[..., Any]]) -> None:
        self._known = known
        self._parts = list(_parts(source))
        self._at = 0
        self.nodes = self._nodes()
        if self._at < len(self._parts):
            raise TemplateError(f"unexpected {{{{{self._parts[self._at][1]}}}}}")

    def _nodes(self) -> list[Any]:
        """Parse up to the next `else` or `end`, which stays unread."""
        nodes: list[Any] = []
        while self._at < len(self._parts):
            kind, text = self._parts[self._at]
            if kind == "text":
                nodes.append(_Text(text))
            elif text.partition(" ")[0] in ("else", "end"):
                break
            elif not text.startswith("/*"):
                nodes.append(self._action(text))
                continue
            self._at += 1
        return nodes

    def _action(self, text: str) -> _Block:
        self._at += 1
        keyword = text.split(maxsplit=1)[0] if text else ""
        if keyword in ("define", "template", "block", "break", "continue"):
            raise TemplateError(f"the testbed does not emulate {{{{{keyword}}}}}")
        if keyword not in ("if", "range", "with"):
            return _Block("", *self._pipeline(text))
        names, pipeline = self._pipeline(text.removeprefix(keyword))
        body = self._nodes()
        return _Block(keyword, names, pipeline, body, self._otherwise(keyword))

    def _otherwise(self, keyword: str) -> list[Any]:
        if self._at >= len(self._parts):
            raise TemplateError(f"{{{{{keyword}}}}} has no {{{{end}}}}")
        text = self._parts[self._at][1]
        if text == "end":
            self._at += 1
            return []
        rest = text.removeprefix("else").strip()
        if rest:  # {{else if …}} shares its {{end}}
            return [self._action(rest)]
        self._at += 1
        nodes = self._nodes()
        if self._at >= len(self._parts) or self._parts[self._at][1] != "end":
            raise TemplateError(f"{{{{{keyword}}}}} has no {{{{end}}}}")
        self._at += 1
        return nodes

    def _pipeline(self, text: str) -> tuple[tuple[str, ...], list[list[Any]]]:
        tokens = list(_tokens(text))
        names: list[str] = []
        while tokens and tokens[0][1].startswith("$"):
            if tokens[1:2] and tokens[1][1] in (",", ":=", "="):
                names.append(tokens[0][1])
                sign = tokens[1][1]
                del tokens[:2]
                if sign != ",":
                    break
            else:
                break
        commands = self._commands(tokens)
        if tokens:
            raise TemplateError(f"unexpected {tokens[0][1]!r} in {{{{{text.strip()}}}}}")
        return tuple(names), commands

    def _commands(self, tokens: list[tuple[str, str]]) -> list[list[Any]]:
        commands: list[list[Any]] = [[]]
        while tokens and tokens[0][1] != ")":
            kind, token = tokens.pop(0)
            if token == "|":  # noqa: S105 a sign
                commands.append([])
            elif token == "(":  # noqa: S105 a sign
                commands[-1].append(self._commands(tokens))
                if not tokens or tokens.pop(0)[1] != ")":
                    raise TemplateError("a parenthesis is not closed")
            else:
                commands[-1].append(self._operand(kind, token))
        if not all(commands):
            raise TemplateError("missing value for command")
        return commands

    def _operand(self, kind: str, token: str) -> Any:
        if kind == "string":
            return token[1:-1] if token[0] == "`" else _unquoted(token[1:-1])
        if kind == "number":
            return int(token)
        if kind == "field":
            variable, _, path = token.partition(".")
            return _Field(variable, tuple(path.split(".")) if path else ())
        if token in ("true", "false"):
            return token == "true"  # noqa: S105 a word
        if kind == "word" and token in self._known:
            return self._known[token]
        raise TemplateError(f"function {token!r} not defined" if kind == "word" else f"unexpected {token!r}")


class _Run:
    """One execution over one object."""

    def __init__(self, known: Mapping[str, Callable[..., Any]], item: Object) -> None:
        self._functions = known
        self._item = item
        self._variables: dict[str, Any] = {"$": item}

    def text(self, nodes: Sequence[Any], dot: Any = None) -> str:
        dot = self._item if dot is None else dot
        return "".join(one.text if isinstance(one, _Text) else self._block(one, dot) for one in nodes)

    def _block(self, block: _Block, dot: Any) -> str:
        value = self._value(block.pipeline, dot)
        if block.keyword == "range":
            return self._range(block, value, dot)
        self._variables |= dict.fromkeys(block.names, value)
        if not block.keyword:
            return "" if block.names else _shown(value)
        if value:
            return self.text(block.body, value if block.keyword == "with" else dot)
        return self.text(block.otherwise, dot)

    def _range(self, block: _Block, value: Any, dot: Any) -> str:
        if not value:
            return self.text(block.otherwise, dot)
        # text/template visits the keys of a map in their order, too.
        pairs = sorted(value.items()) if isinstance(value, Mapping) else list(enumerate(value))
        parts = []
        for key, one in pairs:
            values = (one,) if len(block.names) == 1 else (key, one)
            self._variables |= dict(zip(block.names, values, strict=False))
            parts.append(self.text(block.body, one))
        return "".join(parts)

    def _value(self, pipeline: Sequence[Sequence[Any]], dot: Any) -> Any:
        value: Any = None
        for index, command in enumerate(pipeline):
            head, *rest = (self._operand(one, dot) for one in command)
            # text/template passes the value of a pipeline as the last argument.
            arguments = [*rest, value] if index else rest
            if callable(head):
                try:
                    value = head(*arguments)
                except (TypeError, ValueError, LookupError, AttributeError) as error:
                    raise TemplateError(f"error calling a function: {error}") from None
            elif arguments:
                raise TemplateError("can't give argument to non-function")
            else:
                value = head
        return value

    def _operand(self, operand: Any, dot: Any) -> Any:
        if isinstance(operand, list):
            return self._value(operand, dot)
        if not isinstance(operand, _Field):
            return operand
        if operand.variable and operand.variable not in self._variables:
            raise TemplateError(f"undefined variable {operand.variable!r}")
        value = self._variables[operand.variable] if operand.variable else dot
        for name in operand.path:
            value = _field(value, name, is_object=value is self._item)
        return value


def _field(value: Any, name: str, *, is_object: bool) -> Any:
    """Return a field by its Go name (`.Spec.ClusterIP`, `.ObjectMeta.Labels`), of a map by its key."""
    low = name.lower()
    if is_object:
        metadata = value["metadata"]
        if low in _TOP:
            return _field(metadata, name, is_object=False)
        if low == "objectmeta":
            return metadata
        if low not in _ROOT:
            raise TemplateError(f"can't evaluate field {name}")
    if not isinstance(value, Mapping):
        if value in ("", None):
            return ""
        raise TemplateError(f"can't evaluate field {name} of {value!r}")
    if name in value:
        return value[name]
    # By case-insensitive name, because `.Spec.ClusterIP` is `spec.clusterIP` in a manifest.
    return next((found for key, found in value.items() if key.lower() == low), "")


def _parts(source: str) -> list[tuple[str, str]]:
    """Return texts and actions in their order; a trim mark removes the blanks next to it."""
    parts: list[tuple[str, str]] = []
    start = 0
    for match in _ACTION.finditer(source):
        before, left, action, right, after = match.groups()
        parts.append(("text", source[start : match.start()] + ("" if left else before)))
        parts.append(("action", action))
        start = match.end() if right else match.end() - len(after)
    parts.append(("text", source[start:]))
    texts = "".join(text for kind, text in parts if kind == "text")
    if "{{" in texts or "}}" in texts:
        raise TemplateError("an action is not closed")
    return [(kind, text) for kind, text in parts if text or kind == "action"]


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise TemplateError(f"unexpected {text[at:].strip()[:1]!r} in {{{{{text}}}}}")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return tokens


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), text)


def _shown(value: Any) -> str:
    if value is None:
        # The words of text/template for a value that is absent.
        return "<no value>"
    return str(value).lower() if isinstance(value, bool) else str(value)
