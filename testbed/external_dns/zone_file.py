"""Hosted zones from files: what `aws route53 list-resource-record-sets` prints, as JSON or YAML.

The listing names no zone, so the zone is where its SOA record stands. Anything else is refused with the line
where it goes wrong: a plan against half a zone would be a wrong plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from testbed.aws.route53_rules import key_of, stored_name
from testbed.errors import BadInput, Location
from testbed.kubernetes import yaml_nodes

COMMAND = "aws route53 list-resource-record-sets --hosted-zone-id ID"
_EXPECTED = f"give what `{COMMAND}` prints"
_LIST = "ResourceRecordSets"
_ALIAS = (("DNSName", str), ("HostedZoneId", str), ("EvaluateTargetHealth", bool))


@dataclass(frozen=True, slots=True)
class ZoneFile:
    """A hosted zone as a file has it.

    Attributes:
        name: without its dot.
        id: as boto3 gives it. The listing does not have it; this one only tells several zones apart.
        records: record sets as boto3 gives them.
    """

    path: Path
    name: str
    id: str
    records: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Problem:
    what: str
    path: tuple[str | int, ...] = ()


def load(paths: Iterable[Path], names: Sequence[str] = ()) -> list[ZoneFile]:
    """The zones of files.

    Args:
        names: of the zones, in the order of the files, for those whose listing has no SOA record.

    Raises:
        BadInput: a file of another shape; no name, or two; two files of one zone.
    """
    zones: list[ZoneFile] = []
    for number, path in enumerate(paths):
        zone = _zone(path, names[number] if number < len(names) else "", f"/hostedzone/ZFILE{number + 1}")
        twin = next((one for one in zones if one.name == zone.name), None)
        if twin is not None:
            raise BadInput(
                f"two hosted zones match the same names: {zone.name} is in {twin.path} too",
                where=Location(path, _line_of_soa(path)),
                do="give one of them, as --zone-id-filter or --aws-zone-type would leave one",
            )
        zones.append(zone)
    if len(names) > len(zones):
        raise BadInput("more --zone-name than --zone", do="give each --zone-name after the --zone it names")
    return zones


def _zone(path: Path, name: str, zone_id: str) -> ZoneFile:
    text = _read(path)
    content = _content(text, path)
    problem = next(_problems(content), None)
    if problem:
        where = _where(text, path, problem.path)
        raise BadInput(problem.what, where=where, do=_EXPECTED)
    records = content[_LIST]
    given = stored_name(name) if name else ""
    tops = [number for number, record in enumerate(records) if record["Type"] == "SOA"]
    if len(tops) > 1:
        first, second = (records[number]["Name"] for number in tops[:2])
        raise BadInput(
            f"records of two hosted zones: SOA of {first} and of {second}",
            where=_where(text, path, (_LIST, tops[1])),
            do="give each zone a --zone file of its own",
        )
    if not given and not tops:
        raise BadInput(
            "no SOA record says which hosted zone this is", where=Location(path), do="add --zone-name NAME"
        )
    found = stored_name(records[tops[0]]["Name"]) if tops else given
    if given and given != found:
        raise BadInput(
            f"the listing is of {found}, not of {given}",
            where=_where(text, path, (_LIST, tops[0])),
            do="give the --zone-name of this file, or none",
        )
    for number, record in enumerate(records):
        own = stored_name(record["Name"])
        if own != found and not own.endswith("." + found):
            raise BadInput(
                f"{record['Name']} is no name of the hosted zone {found}",
                where=_where(text, path, (_LIST, number, "Name")),
                do="give the listing of one hosted zone",
            )
    return ZoneFile(path, found.rstrip("."), zone_id, records)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("not UTF-8", where=Location(path), do=_EXPECTED) from None
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=Location(path)) from None


def _content(text: str, path: Path) -> Any:
    if not text.strip():
        raise BadInput("the file is empty", where=Location(path), do=_EXPECTED)
    if text.lstrip().startswith(("{", "[")):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as error:
            where = Location(path, error.lineno)
            raise BadInput(f"not valid JSON: {error.msg}", where=where, do=_EXPECTED) from None
    roots = list(yaml_nodes.documents(text, path))
    if len(roots) != 1:
        raise BadInput(f"{len(roots)} documents in one file", where=Location(path), do=_EXPECTED)
    return yaml_nodes.value(roots[0], path)


def _where(text: str, path: Path, steps: tuple[str | int, ...]) -> Location:
    """Where a field stands. Only looked for when something is wrong: composing nodes is slow."""
    try:
        root = next(yaml_nodes.documents(text, path))
    except BadInput:  # JSON that YAML does not take, such as tabs
        return Location(path)
    return yaml_nodes.at(yaml_nodes.find(root, steps), path)


def _line_of_soa(path: Path) -> int | None:
    text = _read(path)
    records = _content(text, path)[_LIST]
    number = next((index for index, record in enumerate(records) if record["Type"] == "SOA"), None)
    return None if number is None else _where(text, path, (_LIST, number)).line


def _problems(content: Any) -> Iterator[_Problem]:
    if not isinstance(content, Mapping) or not isinstance(content.get(_LIST), list):
        found = "a list" if isinstance(content, list) else "text"
        if isinstance(content, Mapping):
            found = f"keys {', '.join(map(str, content)) or '(none)'}"
        yield _Problem(f"no {_LIST} here, but {found}", (_LIST,))
        return
    if content.get("IsTruncated") or content.get("NextToken"):
        field = "IsTruncated" if content.get("IsTruncated") else "NextToken"
        yield _Problem("the listing is cut off: it is not the whole zone", (field,))
    seen: dict[tuple[str, str, str], int] = {}
    for number, record in enumerate(content[_LIST]):
        wrong = _wrong(record)
        if wrong:
            yield _Problem(wrong[0], (_LIST, number, *wrong[1]))
            continue
        first = seen.setdefault(key_of(record), number)
        if first != number:
            yield _Problem(f"{record['Name']} {record['Type']} stands twice", (_LIST, number))


def _wrong(record: Any) -> tuple[str, tuple[str | int, ...]] | None:
    """The first thing that makes it no record set, and where in it."""
    if not isinstance(record, Mapping):
        return "a record set must be a mapping", ()
    for field in ("Name", "Type"):
        if not isinstance(record.get(field), str) or not record[field]:
            return f"a record set needs a {field}", (field,)
    title = f"{record['Name']} {record['Type']}"
    alias = record.get("AliasTarget")
    if alias is not None:
        for field, kind in _ALIAS:
            if not isinstance(alias, Mapping) or not isinstance(alias.get(field), kind):
                return f"the AliasTarget of {title} needs {field}", ("AliasTarget", field)
        return None
    values = record.get("ResourceRecords")
    if not isinstance(values, list) or not values:
        return f"{title} has neither ResourceRecords nor an AliasTarget", ("ResourceRecords",)
    for number, value in enumerate(values):
        if not isinstance(value, Mapping) or not isinstance(value.get("Value"), str):
            return f"a value of {title} must be {{Value: text}}", ("ResourceRecords", number)
    if not isinstance(record.get("TTL"), int) or isinstance(record["TTL"], bool):
        return f"{title} needs a TTL in whole seconds", ("TTL",)
    return None
