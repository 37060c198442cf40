"""Any journal ends in a verdict or in one line, and a lost request is in no journal a pass.

A journal is mutated line by line: events are dropped, doubled and moved, fields are dropped, renamed and
given any value. Whatever comes out is read from the file, judged, and rendered in all forms of the report.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testbed import journal
from testbed.errors import ExitCode, TestbedError
from testbed.report.writing import write_report
from testbed.verdict.findings import Result

Line = dict[str, Any]


class Lines(tuple[bytes, ...]):
    """The lines of a journal, which are too many for hypothesis to print."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} lines>"


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.sampled_from(
        (
            "ok",
            "failed",
            "unknown",
            "passed",
            "complete",
            "nlb",
            "alb",
            "",
            "OK",
            "200",
            "DELETE",
            0,
            1,
            -1,
            1e300,
        )
    ),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=6), st.integers(-9, 9), max_size=2),
)


@cache
def lines_of(made: ModuleType) -> Lines:
    """A run that passes, with an event of each kind that a run may have."""
    events = made.Story(rate=12.0, seconds=2.0, apps=2, servers=1).events()
    at, log = events[3].time, {"component": "external-dns", "level": "info"}
    events[3:3] = [
        journal.Threshold(time=at, text="failed == 0"),
        journal.Threshold(time=at, text="alb.p99 < 9s"),
        journal.Threshold(time=at, text="moved_within: 1h"),
        journal.BalancerNamed(time=at, name="old", balancer=made.NAMES["nlb"]),
        journal.Command(time=at, step=1, command="kubectl get", status=0, stdout="x", stderr="", seconds=0.1),
        journal.ApiCall(
            time=at, service="elbv2", operation="DeleteLoadBalancer", status=200, summary="a/b/c/d"
        ),
        journal.Metrics(time=at, balancer="app/k8s/0123456789abcdef", values={"RequestCount": 3.0}),
        journal.RateLowered(time=at, asked=500.0, rate=60.0, others=1.0, cores=2),
        journal.Log(time=at, message="x", line="x", **log),
    ]
    return Lines(journal.encode(event) for event in events)


LOSSES: dict[str, tuple[bool, Line]] = {
    "no target saw it": (
        False,
        {"status": "UNAVAILABLE", "peer": "", "pod": "", "listener": "", "connection": "", "detail": "reset"},
    ),
    "its answer was cut short": (True, {"detail": "half a body"}),
    "a target served it and the answer was lost": (
        True,
        {"outcome": "unknown", "status": "", "peer": "", "pod": "", "listener": "", "connection": ""},
    ),
}
"""Whether the access log has the lost request, and what the ledger has of it."""


@cache
def losing_lines_of(made: ModuleType, how: str) -> Lines:
    """The same run with one lost request."""
    is_logged, fields = LOSSES[how]
    lines = [orjson.loads(line) for line in lines_of(made)]
    number = [index for index, line in enumerate(lines) if line["event"] == "request"][30]
    identity = lines[number]["id"]
    lines[number] |= {"outcome": "failed", **fields}
    kept = [line for line in lines if is_logged or not (line["event"] == "access" and line["id"] == identity)]
    return Lines(orjson.dumps(line) + b"\n" for line in kept)


@st.composite
def mutated(draw: st.DrawFn, lines: Lines, most: int) -> bytes:
    """The file after up to `most` mutations."""
    # The few lines that are no request are as likely as the many that are.
    rare = [
        number for number, line in enumerate(lines) if b'"request"' not in line and b'"access"' not in line
    ]
    changed: list[list[bytes]] = [[line] for line in lines]
    for _ in range(draw(st.integers(1, most))):
        number = draw(st.one_of(st.sampled_from(rare), st.integers(0, len(lines) - 1)))
        line = orjson.loads(lines[number])
        key = draw(st.sampled_from(sorted(line)))
        match draw(st.sampled_from(("drop", "double", "move", "no field", "another name", "value"))):
            case "drop":
                changed[number] = []
            case "double":
                changed[number] = changed[number] * 2
            case "move":
                other = draw(st.integers(0, len(lines) - 1))
                if other != number:
                    changed[other] += changed[number]
                    changed[number] = []
            case "no field":
                del line[key]
                changed[number] = [orjson.dumps(line) + b"\n"]
            case "another name":
                line[draw(st.text(max_size=5))] = line.pop(key)
                changed[number] = [orjson.dumps(line) + b"\n"]
            case _:
                line[key] = draw(near(line[key]))
                changed[number] = [orjson.dumps(line, option=orjson.OPT_NON_STR_KEYS) + b"\n"]
    return b"".join(one for several in changed for one in several)


def near(value: Any) -> st.SearchStrategy[Any]:
    """Another value: most often of the same type, since the reader refuses others at once."""
    if isinstance(value, bool):
        return st.one_of(st.just(not value), VALUES)
    if isinstance(value, int | float):
        shifts = st.floats(-30, 30).map(lambda shift: type(value)(value + shift))
        return st.one_of(shifts, st.floats(-1e15, 1e15).map(type(value)), VALUES)
    if isinstance(value, str):
        return st.one_of(st.text(max_size=6), st.just(value + "x"), st.just(value[1:]), VALUES)
    return VALUES


def judged(data: bytes) -> Result | None:
    """The verdict of a journal, with all of its reports written; None if it was refused in one line."""
    with TemporaryDirectory() as name:
        path = Path(name) / "journal.ndjson"
        path.write_bytes(data)
        try:
            return write_report(path, Path(name)).result
        except TestbedError as error:
            refused = error
    assert "\n" not in str(refused)
    assert refused.exit_code in (ExitCode.BAD_INPUT, ExitCode.MISSING)
    return None


@pytest.fixture(scope="module")
def passing(made: ModuleType) -> Lines:
    lines = lines_of(made)
    assert judged(b"".join(lines)) is Result.PASS
    return lines


@pytest.fixture(scope="module", params=list(LOSSES))
def losing(made: ModuleType, request: pytest.FixtureRequest) -> Lines:
    lines = losing_lines_of(made, request.param)
    assert judged(b"".join(lines)) is Result.FAIL
    return lines


def examples(number: int) -> settings:
    return settings(max_examples=number, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@examples(150)
@given(data=st.data())
def test_any_journal_ends_in_a_verdict_or_one_line(passing: Lines, data: st.DataObject) -> None:
    judged(data.draw(mutated(passing, 4)))


@examples(100)
@given(data=st.data())
def test_a_lost_request_is_never_a_pass_whatever_else_is_changed(losing: Lines, data: st.DataObject) -> None:
    assert judged(data.draw(mutated(losing, 1))) is not Result.PASS


@examples(60)
@given(data=st.data())
def test_a_request_that_any_account_lacks_is_never_a_pass(passing: Lines, data: st.DataObject) -> None:
    numbers = [number for number, line in enumerate(passing) if b'"request"' in line or b'"access"' in line]
    gone = data.draw(st.sampled_from(numbers))
    assert judged(b"".join(passing[:gone] + passing[gone + 1 :])) is Result.FAIL
