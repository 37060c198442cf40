"""Record sets and change batches as text for a person, at most 100 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from testbed.external_dns.txt_registry import HERITAGE

WIDTH = 100


def record(form: Mapping[str, Any]) -> tuple[str, str]:
    """A record set, which and what: `app.example.com A`, `alias k8s-app.eu-west-1.elb.amazonaws.com`."""
    which = f"{form['Name'].rstrip('.')} {form['Type']}"
    if "SetIdentifier" in form:
        weight = f" weight {form['Weight']}" if "Weight" in form else ""
        which += f" [{form['SetIdentifier']}{weight}]"
    alias = form.get("AliasTarget")
    if alias:
        health = "" if alias["EvaluateTargetHealth"] else ", whatever its targets' health"
        return which, f"alias {alias['DNSName'].rstrip('.')}{health}"
    values = (_value(value["Value"]) for value in form.get("ResourceRecords", ()))
    return which, f"{form.get('TTL', 0)} s {', '.join(values)}"


def _value(text: str) -> str:
    """A value; an owner's TXT by its labels, which is what a reader looks for."""
    bare = text.strip('"')
    if not bare.startswith(HERITAGE):
        return text
    return " ".join(pair.removeprefix("external-dns/") for pair in bare.split(",")[1:])


def batch(changes: Sequence[Mapping[str, Any]], refusal: str, indent: int) -> Iterator[str]:
    """The changes of a batch, and Route 53's refusal if there is one."""
    for change in changes:
        which, what = record(change["ResourceRecordSet"])
        yield from fitted(f"{' ' * indent}{change['Action']}  {which}", what, indent + 8)
    if refusal:
        yield from wrapped(f"Route 53 refuses it: {refusal}", indent, indent + 2)


def counted(items: Sequence[object], noun: str = "change") -> str:
    """`1 change`, `4 changes`."""
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"


def heading(version: str, arguments: Sequence[str]) -> str:
    """Which ExternalDNS this is: its version and flags."""
    return "\n".join(wrapped(f"ExternalDNS {version} {' '.join(arguments)}", 0, 2))


def fitted(head: str, rest: str, indent: int) -> list[str]:
    """One line if it fits, else the rest in lines of its own; the head is indented already."""
    line = f"{head} {rest}"
    if len(line) <= WIDTH:
        return [line]
    text = head.lstrip()
    return [*wrapped(text, len(head) - len(text), indent), *wrapped(rest, indent)]


def wrapped(text: str, indent: int = 0, hanging: int | None = None) -> list[str]:
    """Lines of at most `WIDTH` columns; a name that is longer stays whole, so that it can be copied."""
    rest = " " * (indent if hanging is None else hanging)
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
