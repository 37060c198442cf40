"""Read YAML as Kubernetes does, and keep the line of every field.

Kubernetes turns YAML 1.1 into JSON: mappings have string keys, there are no dates and no sexagesimal numbers,
and a key that appears twice is an error (sigs.k8s.io/yaml, strict). The nodes that PyYAML composes are kept
beside the values, so a message about any field can name its line.
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
"""The most nodes of a document with its aliases written out; Kubernetes too refuses "excessive aliasing"."""
_BRACKETS = re.compile(r"[\[\]{}]")
_HASH = re.compile(r"(?:(?<=\s)|^)#")
_INDENTED = re.compile(rf"^[ ?:-]{{{MOST_DEPTH // 2}}}", re.MULTILINE)


def text_of(path: Path) -> str:
    """Return the text of a file, without the byte order mark that Windows editors write.

    Raises:
        BadInput: it cannot be read or is not UTF-8; the message has the line.
    """
    try:
        return decoded(path.read_bytes(), path)
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=Location(path)) from None


def decoded(content: bytes, path: Path) -> str:
    """Return the text of a file's bytes, as `text_of` does.

    Raises:
        BadInput: it is not UTF-8; the message has the line.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadInput("not UTF-8", where=Location(path, line)) from None


def documents(text: str, path: Path) -> Iterator[yaml.Node]:
    """Yield the root nodes of the documents of a file; empty documents are left out.

    Raises:
        BadInput: the text is not YAML; the message has the line.
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


def comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line number and the text, from its # on, of each comment in the text of valid YAML."""
    values = [token for token in yaml.scan(text, Loader=_Loader) if isinstance(token, yaml.ScalarToken)]
    spans = [(_start(token, text), token.end_mark.index) for token in values]
    start = token_number = 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        for match in _HASH.finditer(line):
            at = start + match.start()
            while token_number < len(spans) and spans[token_number][1] <= at:
                token_number += 1
            if token_number == len(spans) or at < spans[token_number][0]:
                yield number, line[match.start() :].rstrip()
                break
        start += len(line)


def _start(token: yaml.ScalarToken, text: str) -> int:
    """Where the value begins; that of a block begins below its head, `key: |  # comment`."""
    begin: int = token.start_mark.index
    if token.style not in ("|", ">"):
        return begin
    return text.find("\n", begin) + 1 or len(text)


def value(node: yaml.Node, path: Path, above: tuple[int, ...] = ()) -> Any:
    """Return the JSON value of a node.

    Raises:
        BadInput: a key that is no string or appears twice, an alias inside itself, a tag of another language.
    """
    if id(node) in above:
        raise BadInput("an alias refers to a node that contains it", where=at(node, path))
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, path)
    inside = (*above, id(node))
    if isinstance(node, yaml.SequenceNode):
        return [value(item, path, inside) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, inside)
    raise BadInput(f"unknown YAML node {node.tag}", where=at(node, path))


def entries(node: yaml.Node) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """Yield key, key node and value node of a mapping's own entries, then of those merged in by `<<`."""
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
    """Return the node at whose line a field stands: its key, or the nearest node above that exists."""
    place = node
    for step in steps:
        if isinstance(step, int) and isinstance(node, yaml.SequenceNode) and step < len(node.value):
            node = place = node.value[step]
        elif entry := next(((key, item) for name, key, item in entries(node) if name == step), None):
            place, node = entry
        else:
            break
    return place


def at(node: yaml.Node, path: Path) -> Location:
    """Return the place of a node."""
    return Location(path, node.start_mark.line + 1)


def _may_be_deep(text: str) -> bool:
    """True if brackets and indents do not rule out deep nesting; most files need no more than this look."""
    depth = 0
    for bracket in _BRACKETS.findall(text):
        depth += 1 if bracket in "[{" else -1
        if depth > MOST_DEPTH // 2:
            return True
    return _INDENTED.search(text) is not None


def check_depth(text: str, path: Path) -> None:
    """Refuse nesting that libyaml would follow until its stack ends.

    Raises:
        BadInput: the text is nested too deeply.
        yaml.YAMLError: the text is not YAML.
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
    """Refuse a small file that aliases of aliases make large.

    Raises:
        BadInput: it stands for too many values.
    """
    sizes: dict[int, int] = {}

    def size(node: yaml.Node) -> int:
        if id(node) not in sizes:
            sizes[id(node)] = 0  # an alias inside itself is refused where its value is read
            inside = node.value if isinstance(node, yaml.CollectionNode) else ()
            sizes[id(node)] = 1 + sum(size(part) for entry in inside for part in _nodes(entry))
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
            raise BadInput(f"key {key.value!r} appears twice, first in line {first}", where=at(key, path))
        own[key.value] = key.start_mark.line + 1
    result: dict[str, Any] = {}
    for name, _, item in entries(node):
        if name not in result:  # an entry of the mapping itself, or one merged earlier, wins
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
        return int(digits, 8)  # 0755 is octal in YAML 1.1
    return int(digits, 0)
