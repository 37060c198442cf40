from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from testbed import journal
from testbed.report import junit
from testbed.verdict.findings import Finding, Reason, Result
from testbed.verdict.verdict import compute, compute_file


def test_the_test_cases_are_as_expected(golden_journal: Path, golden: Callable[[str, str], None]) -> None:
    tree = ElementTree.fromstring(junit.render(compute_file(golden_journal)))
    ElementTree.indent(tree)
    golden(".junit.xml", ElementTree.tostring(tree, encoding="unicode") + "\n")


@pytest.mark.parametrize("reason", list(Reason), ids=lambda reason: reason.name.lower())
def test_no_reason_comes_out_green(reason: Reason, made: ModuleType) -> None:
    passed = compute(made.Story(rate=10.0).events())
    event = journal.Expectation(time=0, step=1, text="it holds", passed=False)
    if reason is Reason.EXPECTATION_FAILED:
        passed.history.expectations.append(event)
    text = "'no_request_lost' cannot be judged"
    verdict = dataclasses.replace(passed, result=reason.result, findings=(Finding(reason, text),))
    cases = ElementTree.fromstring(junit.render(verdict))
    wanted = "failure" if reason.result is Result.FAIL else "error"
    assert cases.findall(f".//{wanted}")
    assert cases.get(f"{wanted}s") != "0"


def test_what_xml_cannot_hold_is_replaced(made: ModuleType) -> None:
    title = "a\x00b\x1b[31m <c> & \ufffe"
    events = [
        dataclasses.replace(event, title=title) if isinstance(event, journal.StepStarted) else event
        for event in made.Story(rate=10.0).events()
    ]
    names = [
        case.get("name") for case in ElementTree.fromstring(junit.render(compute(events))).iter("testcase")
    ]
    assert "1. a\ufffdb\ufffd[31m <c> & \ufffd" in names


def test_type_and_scheme_of_three_balancers_are_properties(made: ModuleType) -> None:
    events = made.Story(rate=10.0, balancers=made.THREE, moves=made.THREE_MOVES).events()
    text = junit.render(compute(events)).decode()
    assert '<property name="balancer service/shop/envoy-internal" value="NLB, internal"' in text
    assert "<property" not in junit.render(compute(made.Story(rate=10.0).events())).decode()
