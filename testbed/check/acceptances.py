"""Accepted findings: comments in manifests and files of acceptances, each with a rule and a reason.

A comment stands at the end of the line that the finding names, or on lines of its own directly above it:

```yaml
    # testbed: accept idle-streams-are-cut clients send a message each 20 s
    alb.ingress.kubernetes.io/load-balancer-attributes: idle_timeout.timeout_seconds=60
```

A file of acceptances is TOML, for what has no comments (JSON, a rendered chart, a listing of a zone):

```toml
[[accept]]
rule = "idle-streams-are-cut"
files = "k8s/*.yaml"   # every file without it
reason = "clients send a message each 20 s"
```

An acceptance without a reason or with an unknown rule is refused; one that matches no finding is a finding.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from testbed.check.findings import Acceptance, Finding, Severity
from testbed.check.manifest_reading import Reading
from testbed.check.rule_registry import Trap, all_rules, in_order, known, rule
from testbed.errors import BadInput, Location
from testbed.kubernetes import yaml_nodes
from testbed.kubernetes.manifests import Source

_COMMENT = re.compile(r"#+\s*testbed:\s*accept\b:?\s*(\S*)\s*(.*)$")
_KEYS = frozenset({"rule", "files", "reason"})
_WRITE = "write # testbed: accept RULE-ID REASON"
_ENTRY = 'write [[accept]] with rule = "RULE-ID", reason = "…" and, for some files only, files = "k8s/*.yaml"'
UNUSED = "acceptance-without-finding"


@rule(UNUSED, Severity.WARNING)
def acceptance_without_finding(reading: Reading) -> Iterator[Trap]:  # noqa: ARG001 as every rule
    """An acceptance matches no finding, so it says of the manifests what is not true of them."""
    yield from ()  # it depends on the findings of all other rules: `applied` adds it


def comments(sources: Iterable[Source]) -> list[Acceptance]:
    """Return the acceptances in the comments of manifests.

    Raises:
        BadInput: a comment names no rule that exists, or gives no reason.
    """
    return [found for source in sources for found in _of_source(source)]


def load(paths: Iterable[Path]) -> list[Acceptance]:
    """Return the entries of files of acceptances.

    Raises:
        BadInput: a file cannot be read, is not TOML or has another shape; an unknown rule; no reason.
    """
    return [found for path in paths for found in _of_file(path)]


def applied(
    findings: Sequence[Finding], acceptances: Sequence[Acceptance], *, unseen: Collection[str] = ()
) -> list[Finding]:
    """Return the findings, the accepted ones marked, and one more for each acceptance that matches none.

    Args:
        findings: of the other rules.
        acceptances: all of them.
        unseen: rules that had nothing to look at, such as those of zones if none is given.
    """
    marked = [_accepted(one, acceptances) for one in findings]
    # By its own match, not by who was first: two acceptances of one finding are both about something.
    seen = [one for one in acceptances if one.rule not in unseen]
    unused = [one for one in seen if not any(_matches(one, finding) for finding in findings)]
    return in_order([*marked, *(_without_finding(one, findings) for one in unused)])


def _accepted(finding: Finding, acceptances: Iterable[Acceptance]) -> Finding:
    return replace(finding, accepted=next((one for one in acceptances if _matches(one, finding)), None))


def _matches(acceptance: Acceptance, finding: Finding) -> bool:
    place = finding.where
    return (
        acceptance.rule == finding.rule
        and acceptance.line in (None, place.line)
        and (acceptance.files == str(place.path) or fnmatchcase(str(place.path), acceptance.files))
    )


def _without_finding(acceptance: Acceptance, findings: Iterable[Finding]) -> Finding:
    elsewhere = [
        one.where for one in findings if one.rule == acceptance.rule and _in_files(acceptance, one.where)
    ]
    at = f" at {acceptance.where.path}:{acceptance.line}" if acceptance.line else ""
    do = "remove it"
    if elsewhere:
        places = ", ".join(dict.fromkeys(map(str, elsewhere)))
        do = f"put it above the line that the finding names, {places}, or remove it"
    return Finding(
        UNUSED,
        _severity(),
        acceptance.where,
        f"there is no finding {acceptance.rule}{at} to accept ({acceptance.reason})",
        do,
    )


def _in_files(acceptance: Acceptance, where: Location) -> bool:
    return acceptance.files == str(where.path) or fnmatchcase(str(where.path), acceptance.files)


def _severity() -> Severity:
    return next(one.severity for one in all_rules() if one.id == UNUSED)


def _of_source(source: Source) -> Iterator[Acceptance]:
    if "testbed:" not in source.text:
        return  # most files: to scan for comments takes longer than to read the manifests
    lines = source.text.splitlines()
    bare = {number for number, line in enumerate(lines, 1) if line.lstrip()[:1] in ("", "#")}
    for number, comment in yaml_nodes.comments(source.text):
        if match := _COMMENT.match(comment):
            where = Location(source.path, number)
            about = next(line for line in range(number, len(lines) + 2) if line not in bare)
            yield Acceptance(*_said(match[1], match[2], where, _WRITE), where, str(source.path), about)


def _of_file(path: Path) -> Iterator[Acceptance]:
    text = yaml_nodes.text_of(path)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # tomllib has the line in its message only, until Python 3.14.
        line = re.search(r"line (\d+)", str(error))
        where = Location(path, int(line[1]) if line else None)
        raise BadInput(f"not valid TOML: {error}", where=where, do=_ENTRY) from None
    entries = content.get("accept")
    others = sorted(content.keys() - {"accept"})
    if others or not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        what = f"unknown key {others[0]!r}" if others else "there is no [[accept]]"
        raise BadInput(what, where=Location(path), do=_ENTRY)
    heads = [number for number, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[", line)]
    for index, entry in enumerate(entries):
        # Entries of an array written inline have no lines of their own.
        where = Location(path, heads[index] if len(heads) == len(entries) else None)
        yield _of_entry(entry, where)


def _of_entry(entry: dict[str, Any], where: Location) -> Acceptance:
    wrong = sorted(entry.keys() - _KEYS)
    if wrong:
        raise BadInput(f"unknown key {wrong[0]!r}", where=where, do=_ENTRY)
    if not all(isinstance(value, str) for value in entry.values()):
        raise BadInput("rule, files and reason are texts", where=where, do=_ENTRY)
    named, reason = _said(entry.get("rule", ""), entry.get("reason", "").strip(), where, _ENTRY)
    return Acceptance(named, reason, where, entry.get("files", "*"))


def _said(named: str, reason: str, where: Location, form: str) -> tuple[str, str]:
    if not named:
        raise BadInput("the acceptance names no rule", where=where, do=form)
    known(named, where)
    if not any(one.isalnum() for one in reason):
        raise BadInput(f"{named} is accepted without a reason", where=where, do=form)
    return named, reason
