"""Files of hosted zones: the output of `aws route53 list-resource-record-sets`, as JSON or YAML.

A listing does not name its zone, so the name comes from the SOA record. Anything else is refused, with the
line that is wrong: a plan against half a zone would be a wrong plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from testbed.aws.route53_names import stored_name
from testbed.aws.route53_refusals import key_of
from testbed.errors import BadInput, Location
from testbed.kubernetes import yaml_nodes

COMMAND = "aws route53 list-resource-record-sets --hosted-zone-id ID"
_EXPECTED = f"pass the output of `{COMMAND}`"
_LIST = "ResourceRecordSets"
_ALIAS = (("DNSName", str), ("HostedZoneId", str), ("EvaluateTargetHealth", bool))


@dataclass(frozen=True, slots=True)
class ZoneFile:
    """A hosted zone from a file.

    Attributes:
        path: of the file.
        name: without its dot.
        id: in the form of boto3. The listing has none; this one only distinguishes several zones.
        records: record sets in the form of boto3.
        is_private: True for a zone of VPCs, which gets its records beside any other zone of the name.
        title: the name, with the file where another zone has the same name.
    """

    path: Path
    name: str
    id: str
    records: Sequence[Mapping[str, Any]]
    is_private: bool = False
    title: str = ""

    def __str__(self) -> str:
        """`example.com`, or `example.com (private.json)` beside another zone of that name."""
        return self.title or self.name


@dataclass(frozen=True, slots=True)
class _Problem:
    what: str
    path: tuple[str | int, ...] = ()


def load(paths: Iterable[Path], names: Sequence[str] = ()) -> list[ZoneFile]:
    """Return the zones of files.

    Args:
        paths: the files.
        names: of the zones, in the order of the files, for listings without an SOA record.

    Raises:
        BadInput: a file has another shape, no name or two; or it is passed twice.
    """
    zones: list[ZoneFile] = []
    for number, path in enumerate(paths):
        name = names[number] if number < len(names) else ""
        zone = parse(yaml_nodes.text_of(path), path, name, f"/hostedzone/ZFILE{number + 1}")
        if any(one.path.resolve() == path.resolve() for one in zones):
            raise BadInput("the file is passed twice", where=Location(path), do="pass each --zone once")
        zones.append(zone)
    if len(names) > len(zones):
        raise BadInput(
            "more --zone-name than --zone", do="pass each --zone-name after the --zone that it names"
        )
    return told_apart(zones)


def told_apart(zones: Sequence[ZoneFile]) -> list[ZoneFile]:
    """The zones; of those with one name, at most one counts as public, and each has a title of its own."""
    names = [zone.name for zone in zones]
    public: set[str] = set()
    found: dict[str, ZoneFile] = {}
    for zone in sorted(zones, key=lambda one: one.is_private):
        told = zone
        if names.count(zone.name) > 1:
            # Two public zones of one name are two accounts or a mistake; ExternalDNS would write to one of
            # them, by chance. A public and a private one, or two of two VPCs, both get each record.
            told = replace(zone, is_private=zone.is_private or zone.name in public, title=_title(zone, zones))
        if not told.is_private:
            public.add(told.name)
        found[told.id] = told
    return [found[zone.id] for zone in zones]


def _title(zone: ZoneFile, zones: Sequence[ZoneFile]) -> str:
    same = [one for one in zones if one.name == zone.name and one.path.name == zone.path.name]
    return f"{zone.name} ({zone.path if len(same) > 1 else zone.path.name})"


def empty(names: Iterable[str]) -> list[ZoneFile]:
    """Return empty zones in which names lie: of each name its parent, or one that holds several.

    Raises:
        BadInput: there is no name.
    """
    parents = {_parent(name) for name in names}
    zones = [one for one in sorted(parents) if not any(one.endswith(f".{other}") for other in parents)]
    if not zones:
        raise BadInput(
            "no object claims a name, so there is no hosted zone to plan for", do="pass --zone FILE"
        )
    return [
        ZoneFile(Path("(none)"), name, f"/hostedzone/ZEMPTY{number + 1}", ())
        for number, name in enumerate(zones)
    ]


def _parent(name: str) -> str:
    labels = name.removeprefix("*.").split(".")
    return ".".join(labels[1:] if len(labels) > 2 else labels)


def parse(text: str, path: Path, name: str = "", zone_id: str = "/hostedzone/ZFILE1") -> ZoneFile:
    """Return the zone of a file's text; `path` is for messages, `name` as an element of `names` in `load`.

    Raises:
        BadInput: as `load`, of one file.
    """
    content = _content(text, path)
    problem = next(_problems(content), None)
    if problem:
        where = _where(text, path, problem.path)
        raise BadInput(problem.what, where=where, do=_EXPECTED)
    records = content[_LIST]
    option = stored_name(name) if name else ""
    tops = [number for number, record in enumerate(records) if record["Type"] == "SOA"]
    if len(tops) > 1:
        first, second = (records[number]["Name"] for number in tops[:2])
        raise BadInput(
            f"records of two hosted zones: SOA of {first} and of {second}",
            where=_where(text, path, (_LIST, tops[1])),
            do="pass one --zone file for each zone",
        )
    if not option and not tops:
        raise BadInput(
            "no SOA record says which hosted zone this is", where=Location(path), do="add --zone-name NAME"
        )
    zone_name = stored_name(records[tops[0]]["Name"]) if tops else option
    if option and option != zone_name:
        raise BadInput(
            f"the listing is of {zone_name}, not of {option}",
            where=_where(text, path, (_LIST, tops[0])),
            do="pass the --zone-name of this file, or none",
        )
    for number, record in enumerate(records):
        own = stored_name(record["Name"])
        if own != zone_name and not own.endswith("." + zone_name):
            raise BadInput(
                f"{record['Name']} does not lie in the hosted zone {zone_name}",
                where=_where(text, path, (_LIST, number, "Name")),
                do="pass the listing of one hosted zone",
            )
    return ZoneFile(path, zone_name.rstrip("."), zone_id, records, _is_private(zone_name, records))


def _is_private(zone_name: str, records: Iterable[Mapping[str, Any]]) -> bool:
    """True if the name servers are those that Route 53 lists for every private zone (`awsdns-00`)."""
    servers = [
        value["Value"]
        for record in records
        if record["Type"] == "NS" and stored_name(record["Name"]) == zone_name
        for value in record.get("ResourceRecords") or ()
    ]
    return bool(servers) and all(".awsdns-00." in server for server in servers)


def _content(text: str, path: Path) -> Any:
    if not text.strip():
        raise BadInput("the file is empty", where=Location(path), do=_EXPECTED)
    if text.lstrip().startswith(("{", "[")):  # YAML could read it too, but takes many times as long
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
    """Return file and line of a field; only called when something is wrong: composing nodes is slow."""
    try:
        root = next(yaml_nodes.documents(text, path))
    except BadInput:  # JSON that YAML does not take, such as tabs
        return Location(path)
    return yaml_nodes.at(yaml_nodes.find(root, steps), path)


def _problems(content: Any) -> Iterator[_Problem]:
    if not isinstance(content, Mapping) or not isinstance(content.get(_LIST), list):
        content_kind = "a list" if isinstance(content, list) else "text"
        if isinstance(content, Mapping):
            content_kind = f"keys {', '.join(map(str, content)) or '(none)'}"
        yield _Problem(f"no {_LIST} here, but {content_kind}", (_LIST,))
        return
    if content.get("IsTruncated") or content.get("NextToken"):
        field = "IsTruncated" if content.get("IsTruncated") else "NextToken"
        yield _Problem("the listing is cut off and not the whole zone", (field,))
    seen: dict[tuple[str, str, str], int] = {}
    for number, record in enumerate(content[_LIST]):
        wrong = _wrong(record)
        if wrong:
            yield _Problem(wrong[0], (_LIST, number, *wrong[1]))
            continue
        first = seen.setdefault(key_of(record), number)
        if first != number:
            yield _Problem(f"{record['Name']} {record['Type']} is listed twice", (_LIST, number))


def _wrong(record: Any) -> tuple[str, tuple[str | int, ...]] | None:
    """Return the first fault of a record set, and the path to it; None if it has none."""
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
