"""The lines of the page's log: what the operator, the controllers, the zone and the page did, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from testbed import journal
from testbed.live.frame import Entry

_LEVELS = {"error": "error", "fatal": "error", "warning": "warning", "warn": "warning"}


def entry(event: journal.Event, at: float, step: int, name_of: Callable[[str], str]) -> Entry | None:
    """Return the line of an event; None if it has none.

    Args:
        at: production seconds since the run began.
        step: the number of the current step.
        name_of: the name of the balancer with a DNS name.
    """

    def line(kind: str, who: str, text: str, level: str = "info") -> Entry:
        return Entry(at, step, kind, who, text, level)

    match event:
        case journal.StepStarted():
            return line("step", "", f"Step {event.number}: {event.title}")
        case journal.StepFinished():
            level = "good" if event.outcome == "passed" else "error"
            return line("step", "", f"Step {event.number} {event.outcome}", level)
        case journal.Action():
            return line("action", "operator", event.text)
        case journal.Command():
            ended = "killed" if event.status is None else f"status {event.status}"
            return line(
                "action", "operator", f"{event.command}: {ended}", "info" if event.status == 0 else "error"
            )
        case journal.Expectation():
            detail = f" ({event.detail})" if event.detail and not event.passed else ""
            return line("expectation", "", event.text + detail, "good" if event.passed else "error")
        case journal.PageAct():
            return line("page", "page", event.text)
        case journal.FaultStarted():
            return line("fault", "fault", f"{event.text} begins", "warning")
        case journal.FaultEnded():
            return line("fault", "fault", f"fault {event.number} is undone")
        case journal.Balancer():
            return line("balancer", "ELBv2", f"{name_of(event.dns_name)}: {event.state}")
        case journal.DnsChange() if event.refused:
            return line("dns", "Route 53", f"refused a change: {event.refused}", "error")
        case journal.DnsChange():
            return line("dns", "Route 53", "; ".join(_change(one, name_of) for one in event.changes))
        case journal.ControllerEvent():
            level = "warning" if event.is_warning else "info"
            return line("log", event.object, f"{event.reason}: {event.message}", level)
        case journal.Log() if event.level not in ("debug", "trace"):
            is_shown = event.is_of_controller or event.level in _LEVELS
            level = _LEVELS.get(event.level, "info")
            return line("log", event.component, event.message, level) if is_shown else None
        case journal.RateLowered():
            text = f"the machine is busy: {event.rate:g} requests per second, not {event.asked:g}"
            return line("notice", "testbed", text, "warning")
        case journal.LossesAccepted():
            return line("notice", "scenario", f"accepts lost requests: {event.why}")
        case journal.LeftOut():
            return line("notice", event.owner, event.text, "warning")
        case journal.RunFinished():
            text = " ".join(filter(None, (f"the run is {event.reason}", event.detail)))
            return line("notice", "testbed", text, "info" if event.reason == "complete" else "error")
        case _:
            return None


def _change(change: Mapping[str, Any], name_of: Callable[[str], str]) -> str:
    record: Mapping[str, Any] = change.get("ResourceRecordSet") or {}
    target = str((record.get("AliasTarget") or {}).get("DNSName", ""))
    words = [
        str(change.get("Action", "")),
        str(record.get("Name", "")).rstrip("."),
        str(record.get("Type", "")),
    ]
    words += [f"→ {name_of(target)}"] if target else []
    words += [f"weight {record['Weight']}"] if "Weight" in record else []
    return " ".join(words)
