"""YAML as Kubernetes reads it, keeping the line of every field.

Kubernetes turns YAML 1.1 into JSON: mappings with string keys, no dates, no sexagesimal numbers, and a key
that stands twice is an error (sigs.k8s.io/yaml, strict). The nodes that PyYAML composes stay beside the
values, so a message about any field can name its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from testbed.errors import BadInput, Location

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER, _FLOAT, _BOOLEAN, _NULL, _STRING = (
    f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null", "str")
)
_MERGE = "tag:yaml.org,2002:merge"
MOST_DEPTH = 150
MOST_NODES = 2_000_000
"""Of a document with its aliases written out; Kubernetes too refuses "excessive aliasing"."""
_BRACKETS = re.compile(r"[\[\]{}]")
_INDENTED = re.compile(rf"^[ ?:-]{{{MOST_DEPTH // 2}}}", re.MULTILINE)


def documents(text: str, path: Path) -> Iterator[yaml.Node]:
    """The root nodes of the documents of a file; empty documents are left out.

    Raises:
        BadInput: it is not YAML; the message has the line.
    """
    loader = _Loader(text)
    try:
        check_depth(text, path)
        while loader.check_node():
            node = loader.get_node()
            if node is not None and "*" in text:
                _check_aliases(node, path)
            if node is not None and not (isinstance(node, yaml.ScalarNode) and node.tag == _NULL):
                yield node
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context or "cannot be read"
        raise BadInput(
            f"not valid YAML: {what}", where=Location(path, mark.line + 1 if mark else None)
        ) from None
    except yaml.YAMLError as error:  # a character that YAML does not allow; it has a position but no mark
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else None
        reason = getattr(error, "reason", str(error))
        raise BadInput(f"not valid YAML: {reason}", where=Location(path, line)) from None
    finally:
        loader.dispose()


def value(node: yaml.Node, path: Path, above: tuple[int, ...] = ()) -> Any:
    """The JSON value of a node.

    Raises:
        BadInput: a key that is no string or stands twice, an alias inside itself, a tag of another language.
    """
    if id(node) in above:
        raise BadInput("an alias stands inside what it names", where=at(node, path))
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, path)
    inside = (*above, id(node))
    if isinstance(node, yaml.SequenceNode):
        return [value(item, path, inside) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, inside)
    raise BadInput(f"unknown YAML node {node.tag}", where=at(node, path))


def entries(node: yaml.Node) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """Key, key node and value node of a mapping's own entries, then of those merged in by `<<`."""
    if not isinstance(node, yaml.MappingNode):
        return
    merges: list[yaml.Node] = []
    for key, item in node.value:
        if key.tag == _MERGE:
            merges += item.value if isinstance(item, yaml.SequenceNode) else [item]
        else:
            yield str(key.value), key, item
    for merge in merges:
        yield from entries(merge)


def find(node: yaml.Node, steps: tuple[str | int, ...]) -> yaml.Node:
    """The node whose line tells where a field stands: its key, or the nearest node above that exists."""
    place = node
    for step in steps:
        if isinstance(step, int) and isinstance(node, yaml.SequenceNode) and step < len(node.value):
            node = place = node.value[step]
        elif found := next(((key, item) for name, key, item in entries(node) if name == step), None):
            place, node = found
        else:
            break
    return place


def at(node: yaml.Node, path: Path) -> Location:
    """Where a node stands."""
    return Location(path, node.start_mark.line + 1)


def _may_be_deep(text: str) -> bool:
    """Whether a look at brackets and indents leaves it open; most files need no more than this look."""
    depth = 0
    for bracket in _BRACKETS.findall(text):
        depth += 1 if bracket in "[{" else -1
        if depth > MOST_DEPTH // 2:
            return True
    return _INDENTED.search(text) is not None


def check_depth(text: str, path: Path) -> None:
    """Refuse what libyaml would follow until its stack ends.

    Raises:
        BadInput: it is nested too deeply.
        yaml.YAMLError: it is not YAML.
    """
    if not _may_be_deep(text):
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MOST_DEPTH:
                line = event.start_mark.line + 1 if event.start_mark else None
                raise BadInput(f"nested more than {MOST_DEPTH} deep", where=Location(path, line))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _check_aliases(root: yaml.Node, path: Path) -> None:
    """Refuse what a few aliases of aliases make of a small file.

    Raises:
        BadInput: it is too large.
    """
    sizes: dict[int, int] = {}

    def size(node: yaml.Node) -> int:
        if id(node) not in sizes:
            sizes[id(node)] = 0  # one inside itself is told where it is read
            inside = node.value if isinstance(node, yaml.CollectionNode) else ()
            sizes[id(node)] = 1 + sum(size(one) for each in inside for one in _nodes(each))
        return sizes[id(node)]

    if size(root) > MOST_NODES:
        raise BadInput(f"its aliases stand for more than {MOST_NODES:,} values", where=at(root, path))


def _nodes(item: yaml.Node | tuple[yaml.Node, yaml.Node]) -> tuple[yaml.Node, ...]:
    return item if isinstance(item, tuple) else (item,)


def _mapping(node: yaml.MappingNode, path: Path, above: tuple[int, ...]) -> dict[str, Any]:
    own: dict[str, int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise BadInput("a key must be a string", where=at(key, path))
        if key.value in own and key.tag != _MERGE:
            first = own[key.value]
            raise BadInput(f"key {key.value!r} stands twice, first in line {first}", where=at(key, path))
        own[key.value] = key.start_mark.line + 1
    result: dict[str, Any] = {}
    for name, _, item in entries(node):
        if name not in result:  # what stands in the mapping itself, or is merged first, wins
            result[name] = value(item, path, above)
    return result


def _scalar(node: yaml.ScalarNode, path: Path) -> Any:
    text = node.value
    if node.tag == _NULL:
        return None
    if node.tag == _BOOLEAN:
        return text.lower() in ("yes", "true", "on")
    if node.tag in (_INTEGER, _FLOAT) and ":" not in text:  # 1:30 is a number in base 60 to PyYAML only
        try:
            return _integer(text) if node.tag == _INTEGER else float(text.replace("_", ""))
        except ValueError:
            raise BadInput(f"{text!r} is not a number", where=at(node, path)) from None
    if node.tag.startswith(("!", "tag:yaml.org,2002:python")):
        raise BadInput(f"YAML tag {node.tag} means nothing to Kubernetes", where=at(node, path))
    return text


def _integer(text: str) -> int:
    digits = text.replace("_", "")
    plain = digits.lstrip("+-")
    if len(plain) > 1 and plain[0] == "0" and plain.isdigit():
        return int(digits, 8)  # 0755, as YAML 1.1 has it
    return int(digits, 0)
