"""An upgrade as text for a person."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.lb_controller.offline import edit_text
from testbed.lb_controller.offline.fact_sentences import sentence_of
from testbed.lb_controller.offline.upgrade import Upgrade


def lines(upgrade: Upgrade) -> list[str]:
    """The upgrade in lines of text: the calls first, then what counts otherwise."""
    text = [f"From {upgrade.old} to {upgrade.new}.", "", *edit_text.lines(upgrade.edit, at_start=True)]
    for title, items in (
        ("Annotations that begin to count:", _annotations(upgrade, begins=True)),
        ("Annotations that end to count:", _annotations(upgrade, begins=False)),
        ("Feature gates with another default:", _gates(upgrade)),
        ("IAM actions that the policy must allow before:", _iam(upgrade)),
        ("What else is different:", _facts(upgrade)),
    ):
        if found := [*items]:
            text += ["", title, *(f"  {one}" for one in found)]
    return text


def _annotations(upgrade: Upgrade, *, begins: bool) -> Iterator[str]:
    for one in upgrade.annotations:
        if one.begins is begins:
            yield f"{one.where}: {one.item}: {one.key} (since {one.since})"


def _gates(upgrade: Upgrade) -> Iterator[str]:
    words = {None: "not known", True: "on", False: "off"}
    for name, (old, new) in upgrade.gates.items():
        yield f"{name}: {words[old]} → {words[new]}"


def _iam(upgrade: Upgrade) -> Iterator[str]:
    for name, tag in upgrade.iam_actions.items():
        yield f"{name} (since {tag})"


def _facts(upgrade: Upgrade) -> Iterator[str]:
    for what in ("came", "went"):
        for fact in upgrade.facts[what]:
            sentence = sentence_of(fact)
            if sentence is None:
                continue
            holds, otherwise = sentence
            now, then = (holds, otherwise) if what == "came" else (otherwise, holds)
            yield f"{now}; under {upgrade.old}, {then}"
