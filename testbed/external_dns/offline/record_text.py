"""Record sets and change batches as text for a person, as wide as the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from testbed.external_dns.registry.txt_registry import HERITAGE
from testbed.printing import columns, wrapped


def record(form: Mapping[str, Any]) -> tuple[str, str]:
    """Return key and content of a record set: `app.example.com A`, `alias k8s-app.elb.amazonaws.com`."""
    key = f"{form['Name'].rstrip('.')} {form['Type']}"
    if "SetIdentifier" in form:
        weight = f" weight {form['Weight']}" if "Weight" in form else ""
        key += f" [{form['SetIdentifier']}{weight}]"
    alias = form.get("AliasTarget")
    if alias:
        health = "" if alias["EvaluateTargetHealth"] else ", whatever its targets' health"
        return key, f"alias {alias['DNSName'].rstrip('.')}{health}"
    values = (_value(value["Value"]) for value in form.get("ResourceRecords", ()))
    return key, f"{form.get('TTL', 0)} s {', '.join(values)}"


def _value(text: str) -> str:
    """Return a value; of a registry's TXT only the labels, which a reader looks for."""
    bare = text.strip('"')
    if not bare.startswith(HERITAGE):
        return text
    return " ".join(pair.removeprefix("external-dns/") for pair in bare.split(",")[1:])


def batch(changes: Sequence[Mapping[str, Any]], refusal: str, indent: int) -> Iterator[str]:
    """Yield the changes of a batch, and Route 53's refusal if there is one."""
    for change in changes:
        key, content = record(change["ResourceRecordSet"])
        yield from fitted(f"{' ' * indent}{change['Action']}  {key}", content, indent + 8)
    if refusal:
        yield from wrapped(f"Route 53 refuses it: {refusal}", indent, indent + 2)


def counted(items: Sequence[object], noun: str = "change") -> str:
    """Return the number of items with a noun: `1 change`, `4 changes`."""
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"


def heading(version: str, arguments: Sequence[str]) -> str:
    """Return the line above a result: version and flags of the ExternalDNS."""
    return "\n".join(wrapped(f"ExternalDNS {version} {' '.join(arguments)}", 0, 2))


def fitted(head: str, rest: str, indent: int) -> list[str]:
    """Return one line if it fits, else the rest on lines of its own; the head is indented already."""
    line = f"{head} {rest}"
    if len(line) <= columns():
        return [line]
    text = head.lstrip()
    return [*wrapped(text, len(head) - len(text), indent), *wrapped(rest, indent)]
