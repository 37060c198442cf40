from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from testbed import printing
from testbed.check import findings_text
from testbed.check.findings import Acceptance, Finding, Severity
from testbed.errors import Location

WEB = Path("web.yaml")
FOUND = [
    Finding(
        "capitals-in-host", Severity.WARNING, Location(Path("web.yaml"), 7), "it is dropped", "write it so"
    ),
    Finding("connections-stay", Severity.NOTE, Location(WEB, 1), "they stay", "wait"),
    Finding("no-access-log", Severity.NOTE, Location(Path("alb.yaml"), 3), "it logs nothing", "set it"),
]


def test_each_finding_is_a_line_with_its_remedy_below_and_the_counts_are_last() -> None:
    assert findings_text.render(FOUND) == (
        "web.yaml:7: warning: it is dropped [capitals-in-host]\n    -> write it so\n"
        "web.yaml:1: note: they stay [connections-stay]\n    -> wait\n"
        "alb.yaml:3: note: it logs nothing [no-access-log]\n    -> set it\n"
        "1 warning, 2 notes\n"
    )


def test_no_finding_is_one_sentence() -> None:
    assert findings_text.render([]) == "These manifests show no known trap.\n"


def test_json_has_each_finding_and_all_counts() -> None:
    values = findings_text.as_json(FOUND)

    assert values["counts"] == {"error": 0, "warning": 1, "note": 2, "accepted": 0}
    assert values["findings"][0] == {
        "rule": "capitals-in-host",
        "severity": "warning",
        "file": "web.yaml",
        "line": 7,
        "what": "it is dropped",
        "do": "write it so",
        "accepted": None,
    }


ACCEPTED = replace(FOUND[0], accepted=Acceptance(FOUND[0].rule, "we know", Location(WEB, 6), "web.yaml", 7))


def test_an_accepted_finding_stays_visible_and_is_counted_apart() -> None:
    assert findings_text.render([ACCEPTED]) == (
        "web.yaml:7: accepted warning: it is dropped [capitals-in-host]\n"
        "    accepted at web.yaml:6: we know\n"
        "1 accepted\n"
    )
    values = findings_text.as_json([ACCEPTED])
    assert values["counts"] == {"error": 0, "warning": 0, "note": 0, "accepted": 1}
    assert values["findings"][0]["accepted"] == {"reason": "we know", "file": "web.yaml", "line": 6}


@pytest.mark.parametrize("columns", [40, 80, 100])
def test_on_a_terminal_every_line_fits_and_no_word_is_lost(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr(printing, "columns", lambda: columns)
    long = replace(FOUND[0], what="it is dropped " * 20 + "for good", do="write it so " * 10 + "then")
    lines = ["".join(text for text, _ in spans) for spans in findings_text.on_terminal([long, ACCEPTED])]
    assert max(map(len, lines)) <= columns
    assert (
        " ".join(lines).split() == findings_text.render([long, ACCEPTED]).rpartition("1 warning")[0].split()
    )


def test_on_a_terminal_the_severity_has_its_colour() -> None:
    [_, (kind, style), *_] = next(iter(findings_text.on_terminal(FOUND)))
    assert (kind, style["fg"]) == (" warning:", "yellow")
