"""Whether ExternalDNS logs a text at all, so that its absence says something.

A real binary may log what the testbed does not know, so the log of the run itself comes first: if it has the
words of a text up to the last, ExternalDNS logs such messages.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from testbed.kubernetes.kinds import ROUTE_KINDS

CHANGES = ("CREATE", "UPSERT", "DELETE")
"""Of Route 53. Source: ChangeResourceRecordSets."""
BEGINNINGS = (
    *(f"Desired change: {action}" for action in CHANGES),
    "All records are already up to date",
    "Could not find canonical hosted zone for domain",
    "Dry run mode, skipping change submission",
    "Endpoints generated from",
    "Failed submitting change",
    "Failed to do run once",
    "Failure in zone",
    "No endpoints could be generated from",
    "Removing duplicate endpoint",
    "Skipping endpoint",
    "Skipping record",
    "Trying to submit change sets one-by-one instead",
    "failed to submit all changes for the following zones",
)
"""How messages begin that a run may well lack. Sources: ExternalDNS, provider/aws/aws.go, controller,
source/*.go, endpoint deduplication."""
ERRORS = (
    "AccessDenied",
    "InvalidChangeBatch",
    "NoSuchHostedZone",
    "PriorRequestNotComplete",
    "Throttling",
    "ThrottlingException",
)
"""Codes of Route 53 that messages end with. Source: Route 53 API reference, common errors."""
TYPES = ("A", "AAAA", "CNAME", "MX", "NAPTR", "NS", "PTR", "SRV", "TXT")
"""Of the records that ExternalDNS changes. Source: endpoint/endpoint.go."""
_CHANGE = "Desired change: "
_NAME = re.compile(r"[\w*-]+(?:[./][\w*-]+)+")


def doubt(text: str, log: Iterable[str], names: Collection[str]) -> str:
    """Say why the absence of a text proves nothing; "" if ExternalDNS logs it.

    Args:
        text: what the log does not have.
        log: all messages of the run.
        names: hosts, zones, and objects as `namespace/name`.
    """
    lines = list(log)
    known = {name.rstrip(".") for name in names}
    for name in _NAME.findall(text):
        if not any(one.startswith(name) for one in known) and not any(name in line for line in lines):
            return f"nothing in this run has the name {name}"
    if (
        text in ERRORS
        or any(one.startswith(text) for one in BEGINNINGS)
        or _is_of_a_change(text, lines, known)
    ):
        return ""
    change, is_change, rest = text.partition(_CHANGE)
    if is_change and not change:
        if rest.split() and rest.split()[0] not in CHANGES:
            return f"ExternalDNS has no change {rest.split()[0]!r}, only {', '.join(CHANGES)}"
        return (
            f"ExternalDNS logs no such change: {text!r} is not {_CHANGE}ACTION NAME TYPE, with a name of "
            "this run, a type of record and single spaces"
        )
    # The words of a change are known, so the last of them is not left to the log.
    others = [line for line in lines if not line.startswith(_CHANGE)]
    for beginning in BEGINNINGS:
        if text.startswith(beginning) and (unknown := _unknown(text.removeprefix(beginning), others, known)):
            return f"nothing in this run has {unknown!r} after {beginning!r}"
    if text.startswith(BEGINNINGS):
        return ""
    head = text.rpartition(" ")[0].strip()
    if any(text in line for line in lines) or (head and any(head in line for line in others)):
        return ""
    return f"nothing shows that ExternalDNS logs such a message: none of this run has {head or text!r}"


def _is_of_a_change(text: str, lines: Iterable[str], known: Collection[str]) -> bool:
    """True if a text is a part of a message of a change, of names that this run has."""
    logged = [line.removeprefix(_CHANGE).split() for line in lines if line.startswith(_CHANGE)]
    hosts = {name for name in known if "/" not in name} | {words[1] for words in logged if len(words) > 1}
    tails = {" ".join(words[3:]) for words in logged}  # older releases: `[Id: /hostedzone/Z1]`
    return any(
        text in f"{_CHANGE}{action} {host} {type_} {tail}"
        for action in CHANGES
        for host in hosts
        for type_ in TYPES
        for tail in tails or {""}
    )


def _unknown(rest: str, lines: Collection[str], known: Collection[str]) -> str:
    """Return what follows the beginning of a message and is not known from this run; "" if all is known.

    The rest begins at the end of a word, and its last word may be cut short.
    """
    if rest and (rest[0].isalnum() or "  " in rest):
        return rest
    if any(rest.strip() and rest in line for line in lines):
        return ""
    *whole, last = rest.split(" ")
    words = {part for line in lines for part in line.split()} | {*known, *(f"{name}." for name in known)}
    kinds = ("service", "ingress", *ROUTE_KINDS)
    words |= {*kinds, *(f"{kind}:" for kind in kinds), *(f"{name}:" for name in known)}
    if wrong := [word for word in whole if word.strip(":") and word not in words]:
        return wrong[0]
    is_cut = any(word.startswith(last) for word in words)
    return "" if is_cut or last in ERRORS or not last.strip(":") else last
