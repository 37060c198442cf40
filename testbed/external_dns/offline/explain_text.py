"""An explanation as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from testbed.external_dns.offline import sync_json
from testbed.external_dns.offline.explain import Explanation, InZone
from testbed.external_dns.offline.move_advice import Step
from testbed.external_dns.offline.record_text import fitted, record
from testbed.external_dns.offline.sync_text import Places, by_name, families, missing_claim, why
from testbed.printing import wrapped


def render(of: Explanation, places: Places) -> str:
    """Return the explanation as lines of text."""
    if not of.is_known:
        return f"Nothing mentions {of.name}: no record, no TXT and no object.\n"
    lines = [of.name]
    for zone in of.zones:
        lines += ["", f"In the zone {zone.zone}" if len(of.zones) > 1 else "In the zone", *_in_zone(zone)]
    lines += ["", "Claimed by", *(_claims(of, places) or ["  no object"])]
    for one in of.missing:
        lines += missing_claim(one, places)
    if of.decisions:
        lines += ["", "What the sync does"]
        for one in by_name(of.decisions):
            lines += why(one, has_remedy=of.is_movable)
    if of.refusal:
        lines += wrapped(f"But Route 53 refuses the batch, and nothing changes: {of.refusal}", 2, 4)
    lines += families(of.parted)
    for title, steps in (("To move it", of.there), ("To move it back without a gap", of.back)):
        if steps:
            lines += ["", title, *_steps(steps)]
    if of.cautions:
        lines += ["", "Mind"]
        for text in of.cautions:
            lines += wrapped(f"- {text}", 2, 4)
    return "\n".join(lines) + "\n"


def _in_zone(of: InZone) -> Iterator[str]:
    if not (of.records or of.labels):
        yield "  nothing"
    for form in of.records:
        which, content = record(form)
        yield from fitted(f"  {which}", content, 4)
    for label in of.labels:
        of_type = f" of {label.type}" if label.type else ""
        words = ", ".join(f"{key} {value}" for key, value in sorted(label.labels.items()))
        yield from wrapped(f"{label.name} TXT{of_type}: {words}", 2, 4)


def _claims(of: Explanation, places: Places) -> list[str]:
    claims: dict[tuple[str, str], None] = {}
    for one in of.claims:
        where = places.get(one.resource)
        identifier = f" [{one.set_identifier}]" if one.set_identifier else ""
        who = f"{one.resource}{identifier}" + (f" ({where})" if where else "")
        claims[who, f"target {', '.join(one.targets)}"] = None
    return [line for who, target in claims for line in fitted(f"  {who}", target, 4)]


def _steps(steps: Iterable[Step]) -> Iterator[str]:
    for number, step in enumerate(steps, 1):
        yield from wrapped(f"{number}. {step.text}", 2, 5)
        yield from (
            f"     $ {command}" for command in step.commands
        )  # never wrapped, so that it can be copied


def document(of: Explanation, places: Places) -> dict[str, Any]:
    """Return the explanation as JSON."""
    return {
        "name": of.name,
        "records": list(of.records),
        "labels": [{"txt": one.name, "type": one.type, **one.labels} for one in of.labels],
        "claimants": [
            {
                "resource": one.resource,
                "set_identifier": one.set_identifier,
                "targets": list(one.targets),
                "where": str(places.get(one.resource, "")),
            }
            for one in of.claims
        ],
        "not_claiming": [sync_json.decision(one) for one in of.missing],
        "decisions": [sync_json.decision(one) for one in of.decisions],
        "refusal": of.refusal,
        "two_balancers": [asdict(one) for one in of.parted],
        "is_movable": of.is_movable,
        "to_move": [_step(one) for one in of.there],
        "to_move_back": [_step(one) for one in of.back],
        "mind": list(of.cautions),
    }


def _step(step: Step) -> dict[str, Any]:
    return {"text": step.text, "commands": list(step.commands)}
