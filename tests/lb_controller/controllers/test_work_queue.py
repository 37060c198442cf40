from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.clock import Clock
from testbed.kubernetes import ObjectStore, WatchEvent
from testbed.lb_controller.controllers.work_queue import CONTROLLER_RUNTIME, Controller, Queue, Retry
from testbed.settings import PATIENCE


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 0.005), (2, 0.01), (11, 5.12), (18, 655.36), (19, 1000), (999, 1000)]
)
def test_the_backoff_doubles_from_5_ms_to_1000_s(failures: int, seconds: float) -> None:
    assert CONTROLLER_RUNTIME.delay(failures) == pytest.approx(seconds)


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 10)), max_size=20))
def test_tasks_come_out_once_each_by_their_earliest_moment(
    asked: list[tuple[int, float]],
) -> None:
    queue: Queue[int] = Queue()
    for task, due in asked:
        queue.add(task, due)
    earliest: dict[int, float] = {}
    for task, due in asked:
        earliest[task] = min(due, earliest.get(task, due))
    out = []
    while (task_ := queue.pop(10)) is not None:
        out.append(task_)
    assert sorted(out) == sorted(earliest)
    assert [earliest[task] for task in out] == sorted(earliest.values())


def test_a_task_is_not_due_before_its_moment() -> None:
    queue: Queue[str] = Queue()
    queue.add("a", 5.0)
    assert queue.pop(4.9) is None
    assert queue.pop(5.0) == "a"


def test_failures_are_forgotten_after_a_success() -> None:
    queue: Queue[str] = Queue()
    queue.failed("a", 0.0, CONTROLLER_RUNTIME)
    assert queue.failing == ("a",)
    assert queue.pop(0.005) == "a"
    queue.failed("a", 1.0, CONTROLLER_RUNTIME)
    assert queue.pop(1.009) is None
    queue.succeeded("a")
    assert queue.failing == ()


class Recorder(Controller[str]):
    """Only remembers its tasks; fails as often as a test wants, and dies of "bug"."""

    kinds = ("Service",)

    def __init__(self, store: ObjectStore, failures: int = 0) -> None:
        self.logged: list[str] = []
        super().__init__(store, Clock(speed=60), lambda level, line: self.logged.append(line))
        self.attempts: list[str] = []
        self.failures = failures

    def tasks_of(self, event: WatchEvent) -> Iterable[str]:
        return [event.object["metadata"]["name"]]

    def attempt(self, task: str) -> None:
        self.attempts.append(task)
        if task == "bug":
            raise ZeroDivisionError("a bug")
        if len(self.attempts) <= self.failures:
            raise Retry("not yet")


def started(controller: Recorder) -> tuple[threading.Event, threading.Thread]:
    stop = threading.Event()
    thread = threading.Thread(target=controller.run, args=(stop,))
    thread.start()
    return stop, thread


def service(name: str) -> dict[str, object]:
    return {"kind": "Service", "metadata": {"name": name}, "spec": {}}


def test_what_stood_before_it_started_is_reconciled_too() -> None:
    store = ObjectStore()
    store.create(service("old"))
    controller = Recorder(store)
    stop, thread = started(controller)
    assert controller.wait_idle(PATIENCE.condition)
    store.create(service("new"))
    assert controller.wait_idle(PATIENCE.condition)
    stop.set()
    thread.join()
    assert controller.attempts == ["old", "new"]


def test_a_failed_attempt_is_logged_and_repeated() -> None:
    store = ObjectStore()
    controller = Recorder(store, failures=3)
    store.create(service("a"))
    stop, thread = started(controller)
    pause = threading.Event()
    for _ in range(int(PATIENCE.condition / PATIENCE.poll)):
        if len(controller.attempts) >= 4:
            break
        pause.wait(PATIENCE.poll)
    stop.set()
    thread.join()
    assert controller.attempts == ["a"] * 4
    assert controller.logged == ["Reconciler error a error=not yet"] * 3


def test_it_is_not_idle_while_it_does_not_run() -> None:
    store = ObjectStore()
    store.create(service("a"))
    assert not Recorder(store).wait_idle(PATIENCE.poll)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_who_waits_for_a_controller_that_died_hears_of_it() -> None:
    store = ObjectStore()
    controller = Recorder(store)
    store.create(service("bug"))
    _, thread = started(controller)
    with pytest.raises(RuntimeError, match="Recorder died: ZeroDivisionError"):
        controller.wait_idle(PATIENCE.condition)
    thread.join()


class InTwoParts(Controller[str]):
    """Builds, lets others go on, and deploys; the task `c` cannot be built, and `d` cannot be deployed."""

    kinds = ("Service",)

    def __init__(self, store: ObjectStore) -> None:
        super().__init__(store, Clock(speed=0), lambda _level, _line: None)
        self.done: list[str] = []

    def tasks_of(self, event: WatchEvent) -> Iterable[str]:
        return [event.object["metadata"]["name"]]

    def attempt(self, task: str) -> Iterator[None]:
        if task == "c":
            raise Retry("no model")
        self.done.append(f"{task} is built")
        yield
        if task == "d":
            raise Retry("refused")
        self.done.append(f"{task} is deployed")


def test_three_tasks_are_built_before_any_is_deployed_and_the_fourth_waits() -> None:
    store = ObjectStore()
    controller = InTwoParts(store)
    with store.watch(controller.kinds) as watch:
        for name in ("a", "b", "c", "d"):
            store.create({"kind": "Service", "metadata": {"name": name}, "spec": {}})
        assert controller.work_off(watch)
        assert controller.done == ["a is built", "b is built", "a is deployed", "b is deployed"]
        assert controller.work_off(watch)
        assert controller.done[4:] == ["d is built"]
        assert not controller.work_off(watch)  # no time passes, so no attempt is made again
    assert set(controller.queue.failing) == {"c", "d"}
