"""An edit as text for a person: the calls in order, what clients notice, and the names that change."""

from __future__ import annotations

from testbed.lb_controller.offline.edit import Edit

_MARKS = {"anew": "+", "gone": "-", "in place": "~"}


def lines(edit: Edit, *, at_start: bool = False) -> list[str]:
    """The edit in lines of text; `at_start` if it is the start of another release instead of an edit."""
    text = [*_calls(edit, at_start=at_start), *_effects(edit), *_names(edit)]
    for title, items in (
        ("Modelled, not made, so its calls are missing here:", edit.left_out),
        ("Modelled, not obeyed by packets, so what clients notice of it is missing here:", edit.not_obeyed),
        ("What stands cannot be built, so nothing is known about its edit:", edit.failed_before),
        ("Not carried out:", edit.failures),
    ):
        if items:
            # The Go SDK before v2 breaks the line of an error.
            text += ["", title, *(f"  {' '.join(one.split())}" for one in items)]
    return text


def _calls(edit: Edit, *, at_start: bool) -> list[str]:
    count = len(edit.calls)
    if not count:
        return [f"{edit.release} writes nothing to AWS {'at its start' if at_start else 'for this edit'}."]
    calls = f"{count} call{'s' if count > 1 else ''} to AWS"
    what = f"makes {calls} at its start" if at_start else f"carries this edit out with {calls}"
    text = [f"{edit.release} {what} (+ made anew, ~ changed in place, - gone):", ""]
    width = max(len(one.write.action) for one in edit.calls)
    for number, one in enumerate(edit.calls, start=1):
        mark = _MARKS[one.how]
        refused = "   refused" if one.write.refusal else ""
        text.append(f"{number:4} {mark} {one.write.action:{width}}  {one.subject}{refused}")
    return text


def _effects(edit: Edit) -> list[str]:
    if not edit.effects:
        is_silent = edit.calls and not edit.has_failures and not edit.not_obeyed
        return ["", "Clients notice nothing of it."] if is_silent else []
    return ["", "Clients notice:", *(f"{one.call:4} {one.kind}: {one.text}" for one in edit.effects)]


def _names(edit: Edit) -> list[str]:
    text = []
    if edit.names:
        text += ["", "Names in the status, which ExternalDNS publishes:"]
        for item, (old, new) in edit.names.items():
            text.append(f"  {item}: {old or 'none'} → {new or 'none'}")
    if edit.stale:
        text += ["", "Names that stay in the status of their objects although their balancers are gone:"]
        text += [f"  {item}: {name}" for item, name in edit.stale.items()]
    return text
