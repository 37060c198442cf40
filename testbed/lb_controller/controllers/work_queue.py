"""The loop of a controller: events of the store become tasks, and tasks are retried until they succeed.

```
watch ─► tasks_of(event) ─► queue (one entry a task) ─► attempt ─► done
                                ▲                          │ failed
                                └── backoff 5 ms · 2ⁿ ◄────┘
```

Up to three tasks run side by side, as in the real controllers, but in turns: an attempt that yields lets the
others go on until they yield, too. So a group that an Ingress leaves and the one that it joins are both built
before either is deployed, and runs are reproducible.
"""

from __future__ import annotations

import abc
import itertools
import threading
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from testbed.clock import Clock
from testbed.kubernetes import ObjectStore, Watch, WatchEvent
from testbed.lb_controller.deploy.deploy_session import Log
from testbed.settings import PATIENCE

TaskT = TypeVar("TaskT", bound=Hashable)


WORKERS = 3
"""How many tasks run side by side: `--ingress-max-concurrent-reconciles` and its like, by default."""


class Retry(Exception):
    """The attempt failed, and another one may succeed; the text is logged."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """The wait before the next attempt in production seconds: doubled after each failure, up to `longest`."""

    first: float
    longest: float

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row, from 1."""
        doublings = min(failures - 1, 64)  # far beyond `longest`, and more would overflow the float
        return float(min(self.first * 2**doublings, self.longest))


CONTROLLER_RUNTIME = Backoff(0.005, 1000.0)
"""client-go's default item rate limiter, which controller-runtime uses."""
SERVICE_CONTROLLER = Backoff(5.0, 300.0)
"""minRetryDelay and maxRetryDelay of the cloud provider's service controller."""


class Queue(Generic[TaskT]):
    """Tasks with the time at which they fall due; adding a task again keeps the earlier time."""

    def __init__(self) -> None:
        self._due: dict[TaskT, tuple[float, int]] = {}
        self._failures: dict[TaskT, int] = {}
        self._order = itertools.count()

    def add(self, task: TaskT, due: float) -> None:
        """Schedule a task for a production time."""
        old = self._due.get(task)
        # An event brings forward a task that waits for its backoff, as in client-go's queues.
        if old is None or due < old[0]:
            self._due[task] = due, next(self._order)

    def pop(self, now: float) -> TaskT | None:
        """Remove and return the task that has been due for longest, if any."""
        task = min(self._due, key=self._due.__getitem__, default=None)
        if task is None or self._due[task][0] > now:
            return None
        del self._due[task]
        return task

    def succeeded(self, task: TaskT) -> None:
        """Forget the failures of a task."""
        self._failures.pop(task, None)

    def failed(self, task: TaskT, now: float, backoff: Backoff) -> None:
        """Schedule a failed task again after the backoff."""
        self._failures[task] = self._failures.get(task, 0) + 1
        self.add(task, now + backoff.delay(self._failures[task]))

    @property
    def failing(self) -> tuple[TaskT, ...]:
        """The tasks whose last attempt failed."""
        return tuple(self._failures)


class Controller(abc.ABC, Generic[TaskT]):
    """Watches some kinds of objects and reconciles what changed, until it is stopped.

    Attributes:
        kinds: the kinds that it watches.
        backoff: the wait after failed attempts.
    """

    kinds: Sequence[str] = ()
    backoff = CONTROLLER_RUNTIME

    def __init__(self, store: ObjectStore, clock: Clock, log: Log) -> None:
        self.store = store
        self.clock = clock
        self.log = log
        self.queue: Queue[TaskT] = Queue()
        self._settled = 0
        self._failure: BaseException | None = None
        self._moved = threading.Condition()

    @abc.abstractmethod
    def tasks_of(self, event: WatchEvent) -> Iterable[TaskT]:
        """The tasks that an event makes necessary."""

    @abc.abstractmethod
    def attempt(self, task: TaskT) -> Iterator[None] | None:
        """Run a task, or begin one that yields where others may go on. Raises `Retry` to be tried again."""

    def run(self, stop: threading.Event) -> None:
        """Reconcile until `stop` is set; runs in a thread of its own."""
        try:
            with self.store.watch(self.kinds) as watch:
                while not stop.is_set():
                    self._step(watch)
        except BaseException as error:
            # A bug, not a refusal: `wait_idle` must raise it instead of waiting for a dead thread.
            self._settle(self._settled, error)
            raise

    def wait_idle(self, wall_seconds: float, revision: int | None = None) -> bool:
        """Wait until the controller has handled each write up to a revision (default: the latest one).

        It does not wait for failed tasks that are due later; see `queue.failing`.

        Returns:
            False if it took longer than `wall_seconds`.

        Raises:
            RuntimeError: the controller's thread died.
        """
        wanted = self.store.revision if revision is None else revision
        with self._moved:
            arrived = self._moved.wait_for(lambda: self._failure or self._settled >= wanted, wall_seconds)
            if self._failure:
                raise RuntimeError(f"{type(self).__name__} died: {self._failure!r}") from self._failure
        return bool(arrived)

    def again(self, task: TaskT, seconds: float) -> None:
        """Schedule a task after some production seconds."""
        self.queue.add(task, self.clock.now() + seconds)

    def work_off(self, watch: Watch) -> bool:
        """Take the events that have come, and run up to three of the tasks that are due now.

        Returns:
            False if there was no task to run.
        """
        while event := watch.get(0):
            self._take(event)
        now = self.clock.now()
        tasks = list(itertools.islice(iter(lambda: self.queue.pop(now), None), WORKERS))
        self._try(tasks)
        return bool(tasks)

    def _step(self, watch: Watch) -> None:
        seen = self.store.revision  # read first: the watch has offered every event up to this revision
        if self.work_off(watch):
            return
        self._settle(seen, None)
        if late := watch.get(PATIENCE.poll):
            self._take(late)

    def _take(self, event: WatchEvent) -> None:
        for task in self.tasks_of(event):
            self.queue.add(task, self.clock.now())

    def _try(self, tasks: Sequence[TaskT]) -> None:
        begun: dict[TaskT, Iterator[None]] = {}
        for task in tasks:
            try:
                begun[task] = self.attempt(task) or iter(())
            except Retry as error:
                self._retry_later(task, error)
        while begun:
            for task, work in list(begun.items()):
                if not self._goes_on(task, work):
                    del begun[task]

    def _goes_on(self, task: TaskT, work: Iterator[None]) -> bool:
        """Let an attempt run until it yields; False if it has ended."""
        try:
            next(work)
        except StopIteration:
            self.queue.succeeded(task)
            return False
        except Retry as error:
            self._retry_later(task, error)
            return False
        return True

    def _retry_later(self, task: TaskT, error: Retry) -> None:
        self.queue.failed(task, self.clock.now(), self.backoff)
        self.log("error", f"Reconciler error {task} error={error}")

    def _settle(self, revision: int, failure: BaseException | None) -> None:
        with self._moved:
            self._settled = revision
            self._failure = failure
            self._moved.notify_all()
