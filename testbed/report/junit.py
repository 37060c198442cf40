"""`junit.xml`: steps, expectations and checks of the verdict as test cases.

Only a pass is green: each finding is a failure (fail) or an error (inconclusive) of one of the cases.
"""

from __future__ import annotations

import re

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from testbed.report.balancer_columns import all_columns
from testbed.verdict.findings import Finding, Reason, Result
from testbed.verdict.history import Step
from testbed.verdict.verdict import Verdict

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow."""

CHECKS: dict[str, frozenset[Reason]] = {
    "the ledger agrees with the targets' access logs": frozenset(
        (
            Reason.NOT_IN_ACCESS_LOG,
            Reason.NOT_IN_LEDGER,
            Reason.SERVED_DIFFERENTLY,
            Reason.SERVED_TWICE,
            Reason.LEDGER_REPEATS,
            Reason.ACCOUNTS_INCOMPLETE,
        )
    ),
    "the generator kept its schedule": frozenset(
        (Reason.NEVER_STARTED, Reason.STARTED_LATE, Reason.GENERATOR_SILENT, Reason.OUTCOMES_MISSING)
    ),
    "no balancer stalled": frozenset((Reason.STALLED,)),
    "a stall would have shown": frozenset((Reason.OUTAGE_UNSEEN,)),
    "every step saw traffic": frozenset((Reason.NO_REQUESTS, Reason.STEP_WITHOUT_TRAFFIC)),
    "the run was played to its end": frozenset(
        (
            Reason.NOT_FINISHED,
            Reason.INTERRUPTED,
            Reason.RUN_ERROR,
            Reason.NO_STEPS,
            Reason.STEP_NOT_FINISHED,
            Reason.STEP_FAILED,
        )
    ),
}
Problem = Failure | Error
LOST = frozenset((Reason.REQUEST_FAILED, Reason.REQUEST_UNKNOWN, Reason.LOST_WHILE_LATE))
LIMITS = frozenset((Reason.THRESHOLD_MISSED, Reason.THRESHOLD_UNMEASURED))
ELSEWHERE = LOST | LIMITS | {Reason.EXPECTATION_FAILED}


def render(verdict: Verdict) -> bytes:
    """Return the verdict as JUnit XML."""
    document = JUnitXml("testbed")
    scenario = verdict.history.runs[0].scenario if verdict.history.runs else "unknown scenario"
    suites = [_steps(verdict), _invariants(verdict), _checks(verdict)]
    if verdict.thresholds:
        suites.insert(2, _thresholds(verdict))
    for suite in suites:
        for case in suite:
            # CI systems group the cases by it, and tell two scenarios of one pipeline apart.
            case.classname = _clean(f"{scenario}.{suite.name}")
        document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]
    text: bytes = document.tostring()  # type: ignore[no-untyped-call]
    return text


def _steps(verdict: Verdict) -> TestSuite:
    suite = TestSuite("steps")
    for step in verdict.history.steps():
        suite.add_testcase(_step(step, verdict))
    for expectation in verdict.history.expectations:
        problems: list[Problem] = (
            [] if expectation.passed else [Failure(_clean(expectation.detail or expectation.text))]
        )
        suite.add_testcase(_case(f"step {expectation.step}: {expectation.text}", 0.0, problems))
    return suite


def _step(step: Step, verdict: Verdict) -> TestCase:
    problems: list[Problem] = []
    if step.outcome == "failed":
        problems = [Failure("the step ended early")]
    elif step.outcome != "passed":
        problems = [Error(_clean(step.outcome))]
    seconds = (step.end if step.end is not None else verdict.history.end) - step.start
    return _case(f"{step.number}. {step.title}", seconds, problems)


def _invariants(verdict: Verdict) -> TestSuite:
    suite = TestSuite("invariants")
    for column in all_columns(verdict):
        if column.about:
            suite.add_property(_clean(f"balancer {column.heading}"), _clean(column.about))
    lost = [finding for finding in verdict.findings if finding.reason in LOST]
    case = _case("no request fails, and none ends without an answer", 0.0, _problems(lost))
    if verdict.history.losses_accepted:
        case.result = [Skipped(_clean(f"accepted: {verdict.history.losses_accepted[0].why}"))]
    suite.add_testcase(case)
    return suite


def _thresholds(verdict: Verdict) -> TestSuite:
    suite = TestSuite("thresholds")
    for measured in verdict.thresholds:
        kind = Failure if measured.holds is False else Error
        problems: list[Problem] = [] if measured.holds else [kind(_clean(measured.seen))]
        suite.add_testcase(_case(measured.threshold.text, 0.0, problems))
    return suite


def _checks(verdict: Verdict) -> TestSuite:
    suite = TestSuite("verdict")
    named = frozenset[Reason]().union(*CHECKS.values())
    # Every reason is in one case: a new one that no case names must not leave the file green.
    elsewhere = ELSEWHERE if verdict.thresholds else ELSEWHERE - LIMITS
    rest = frozenset(Reason) - named - elsewhere
    for name, reasons in {**CHECKS, "the run can be judged": rest}.items():
        mine = [finding for finding in verdict.findings if finding.reason in reasons]
        suite.add_testcase(_case(name, 0.0, _problems(mine)))
    return suite


def _problems(findings: list[Finding]) -> list[Problem]:
    return [
        (Failure if finding.reason.result is Result.FAIL else Error)(
            _clean(finding.text), finding.reason.name.lower()
        )
        for finding in findings
    ]


def _case(name: str, seconds: float, problems: list[Problem]) -> TestCase:
    case = TestCase(_clean(name), time=round(max(0.0, seconds), 3))
    case.result = list(problems)
    return case


def _clean(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", text)
