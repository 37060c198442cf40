"""How a run begins and ends in the journal, on a topology that only stands."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, ReadTimeoutError

from testbed import journal, machine
from testbed.client_models.population import Population
from testbed.clock import Clock
from testbed.errors import BadInput, Missing
from testbed.network import Network
from testbed.options import Options
from testbed.rehearsal.conditions import Condition, Observation, forwards, logged
from testbed.rehearsal.cutover import Cutover, StepFailed
from testbed.rehearsal.playing import COMPLETE, ERROR, play, write_start
from testbed.rehearsal.scenario import Scenario
from tests.made_setups import PLAIN

NEVER = Condition("pigs fly", lambda _: Observation(False, "none does"))


class Standing:
    """A topology whose parts can fail."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock(speed=1_000.0)
        self.journal = journal.Journal(path)
        self.network = Network(7)
        self.setup = PLAIN
        self.real_controllers: list[journal.RealController] = []
        self.cluster = SimpleNamespace(external_dns_error=lambda: (0, ""))
        self.begin_story: Callable[[], None] = lambda: None
        self.check: Callable[[], None] = lambda: None
        self.finish: Callable[[], None] = lambda: None


@pytest.fixture
def topology(tmp_path: Path) -> Standing:
    return Standing(tmp_path / "journal.ndjson")


def played(topology: Standing, script: Callable[[Cutover], None]) -> list[journal.Event]:
    folder = Path(__file__).parent
    scenario = Scenario(play=script, name="s", title="s", host="a.b", zone="b", folder=folder)
    try:
        play(scenario, cast(Any, topology), Options())
    finally:
        topology.journal.close()
    return list(journal.read(topology.journal.path))


def ending(topology: Standing) -> tuple[str, str]:
    events = list(journal.read(topology.journal.path))
    (end,) = (event for event in events if isinstance(event, journal.RunFinished))
    return end.reason, end.detail


def test_the_journal_begins_with_what_is_played_where_and_by_which_thresholds(topology: Standing) -> None:
    folder = Path(__file__).parent
    scenario = Scenario(play=exits, name="s", title="A move", host="a.b", zone="b", folder=folder)
    options = Options(rate=12.0, seed=3)
    write_start(scenario, cast(Any, topology), options, ["lost = 0", "p99 < 1 s"])
    topology.journal.close()
    run, *limits = journal.read(topology.journal.path)
    assert isinstance(run, journal.Run)
    assert (run.title, run.host, run.rate, run.seed) == ("A move", "a.b", 12.0, 3)
    assert (run.network, run.machine, run.clock["speed"]) == ("127.7.0.0/16", machine.summary(), 1_000.0)
    assert [one.text for one in limits if isinstance(one, journal.Threshold)] == ["lost = 0", "p99 < 1 s"]


@pytest.mark.parametrize(("flags", "release"), [((), ""), (("--source=service",), "v0.7.4")])
def test_the_journal_names_the_release_of_external_dns_only_where_it_runs(
    topology: Standing, flags: tuple[str, ...], release: str
) -> None:
    topology.setup = replace(PLAIN, clusters=(replace(PLAIN.cluster, external_dns_flags=flags),))
    scenario = Scenario(
        play=exits, name="s", title="A move", host="a.b", zone="b", folder=Path(__file__).parent
    )
    write_start(scenario, cast(Any, topology), Options())
    topology.journal.close()
    run = next(iter(journal.read(topology.journal.path)))
    assert isinstance(run, journal.Run)
    assert run.external_dns == release


@pytest.mark.parametrize(("clients", "assumed"), [(None, True), (Population.of({"grpcio": 1}), False)])
def test_the_journal_says_who_calls_and_whether_the_scenario_named_them(
    topology: Standing, clients: Population | None, assumed: bool
) -> None:
    scenario = Scenario(
        play=exits, name="s", title="s", host="a.b", zone="b", folder=Path(__file__).parent, clients=clients
    )
    write_start(scenario, cast(Any, topology), Options())
    topology.journal.close()
    told = [event for event in journal.read(topology.journal.path) if isinstance(event, journal.Clients)]
    assert [(event.model, event.count, event.assumed) for event in told] == [
        (group.model, group.count, assumed) for group in PLAIN.clients
    ]


def test_a_script_that_returns_has_played_to_its_end(topology: Standing) -> None:
    played(topology, lambda _: None)
    assert ending(topology) == (COMPLETE, "")


def exits(_: Cutover) -> None:
    raise SystemExit(0)


def gives_up(_: Cutover) -> None:
    raise StepFailed("my own reason")


def breaks_off(_: Cutover) -> None:
    raise asyncio.CancelledError


def fails_in_a_thread(_: Cutover) -> None:
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (exits, "the scenario raised SystemExit: 0"),
        (gives_up, "the scenario raised StepFailed: my own reason"),
        (breaks_off, "the scenario raised CancelledError$"),
        (fails_in_a_thread, "the scenario raised ZeroDivisionError: division by zero"),
    ],
)
def test_a_script_that_breaks_off_without_a_failed_expectation_is_bad_input(
    topology: Standing, script: Callable[[Cutover], None], told: str
) -> None:
    with pytest.raises(BadInput, match=told) as error:
        played(topology, script)
    assert error.value.where
    assert error.value.where.path.name == "test_playing.py"
    assert ending(topology)[0] == ERROR


@pytest.mark.usefixtures("no_patience")
def test_a_failed_expectation_ends_a_run_that_is_complete(topology: Standing) -> None:
    events = played(topology, lambda cutover: cutover.wait_until(NEVER, within=1))
    assert [(one.text, one.passed) for one in events if isinstance(one, journal.Expectation)] == [
        ("pigs fly", False)
    ]
    assert ending(topology) == (COMPLETE, "")


@pytest.mark.usefixtures("no_patience")
def test_a_failed_wait_in_a_thread_is_a_failed_expectation(topology: Standing) -> None:
    def script(cutover: Cutover) -> None:
        thread = threading.Thread(target=lambda: cutover.wait_until(NEVER, within=1))
        thread.start()
        thread.join()

    events = played(topology, script)
    assert [one.passed for one in events if isinstance(one, journal.Expectation)] == [False]
    assert ending(topology) == (COMPLETE, "")


def test_what_was_asked_in_a_thread_and_never_answered_has_failed(topology: Standing) -> None:
    asked, over = threading.Event(), threading.Event()

    def look(_: Cutover) -> Observation:
        asked.set()
        over.wait()
        return Observation(True, "too late")

    threads = []

    def script(cutover: Cutover) -> None:
        def ask() -> None:
            with suppress(SystemExit):  # the run is over when it has looked
                cutover.expect(Condition("somebody looks", look))

        thread = threading.Thread(target=ask, daemon=True)
        threads.append(thread)
        thread.start()
        asked.wait()

    try:
        events = played(topology, script)
    finally:
        topology.journal = cast(Any, SimpleNamespace(write=lambda *_: None))
        over.set()
        threads[0].join()
    (told,) = (event for event in events if isinstance(event, journal.Expectation))
    assert (told.text, told.passed) == ("somebody looks", False)
    assert told.detail == "the story ended before the answer"


def test_what_was_asked_of_a_broken_topology_has_failed_whatever_the_script_swallows(
    topology: Standing,
) -> None:
    def script(cutover: Cutover) -> None:
        def broken() -> None:
            raise Missing("the generator ended")

        topology.check = broken
        try:
            cutover.expect(NEVER)
        except Missing:
            topology.check = lambda: None

    events = played(topology, script)
    assert [one.passed for one in events if isinstance(one, journal.Expectation)] == [False]


def test_a_part_that_ended_unseen_ends_the_run_by_an_error(topology: Standing) -> None:
    def broken() -> None:
        raise Missing("moto ended")

    topology.check = broken
    with pytest.raises(Missing, match="moto ended"):
        played(topology, lambda _: None)
    assert ending(topology) == (ERROR, "moto ended")


@pytest.mark.parametrize("error", [ReadTimeoutError, ConnectTimeoutError, ConnectionClosedError])
def test_an_aws_endpoint_that_does_not_answer_is_missing_and_no_fault_of_the_script(
    topology: Standing, error: type[Exception]
) -> None:
    def script(_: Cutover) -> None:
        raise error(endpoint_url="http://127.7.0.1:4566/", error="no answer", request=None)

    with pytest.raises(Missing, match="the AWS endpoint does not answer: "):
        played(topology, script)
    assert ending(topology)[0] == ERROR


def swallows_in_a_future(_: Cutover) -> None:
    with ThreadPoolExecutor() as pool:
        pool.submit(lambda: forwards("nlb", 443, "HTTP9"))


def swallows_in_the_script(_: Cutover) -> None:
    with suppress(Exception):
        logged("")


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (swallows_in_a_future, "'HTTP9' is not a protocol version"),
        (swallows_in_the_script, "has no text"),
    ],
)
def test_a_condition_that_was_refused_ends_the_run_whoever_swallows_the_error(
    topology: Standing, script: Callable[[Cutover], None], told: str
) -> None:
    with pytest.raises(BadInput, match=told) as error:
        played(topology, script)
    assert error.value.where
    assert error.value.where.path.name == "test_playing.py"
    assert ending(topology)[0] == ERROR


def test_a_refusal_of_an_earlier_run_is_not_of_this_one(topology: Standing) -> None:
    with pytest.raises(BadInput):
        logged("")
    played(topology, lambda _: None)
    assert ending(topology) == (COMPLETE, "")


@pytest.mark.parametrize("error", [Missing("the topology has ended"), ValueError("write to closed file")])
def test_a_thread_that_still_looks_when_the_run_ends_ends_in_silence(
    topology: Standing, error: Exception
) -> None:
    asked, over = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []
    ended: list[BaseException] = []

    def look(_: Cutover) -> Observation:
        asked.set()
        over.wait()
        raise error

    def script(cutover: Cutover) -> None:
        def ask() -> None:
            try:
                cutover.expect(Condition("somebody looks", cast(Any, look)))
            except (SystemExit, Missing, ValueError) as raised:
                ended.append(raised)

        thread = threading.Thread(target=ask, daemon=True)
        threads.append(thread)
        thread.start()
        asked.wait()
        raise BadInput("of the script")

    try:
        with pytest.raises(BadInput, match="of the script"):
            played(topology, script)
    finally:
        over.set()
        threads[0].join()
    assert [type(one) for one in ended] == [SystemExit]  # which Python does not print for a thread


def test_accounts_that_cannot_be_brought_in_end_the_run_by_an_error(topology: Standing) -> None:
    def broken() -> None:
        raise ValueError("no JSON")

    topology.finish = broken
    with pytest.raises(ValueError, match="no JSON"):
        played(topology, lambda _: None)
    assert ending(topology)[0] == ERROR
