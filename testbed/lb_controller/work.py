"""The loop of a controller: events of the store become tasks, tasks are tried until they succeed.

```
watch ─► tasks_of(event) ─► queue (one entry a task) ─► attempt ─► done
                                ▲                          │ failed
                                └── backoff 5 ms · 2ⁿ ◄────┘
```

One task at a time, in the order in which they fell due, so that a run repeats itself. The real controllers
work on three at once; nothing in their results depends on it.
"""

from __future__ import annotations

import abc
import itertools
import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from testbed.clock import Clock
from testbed.kubernetes import ObjectStore, Watch, WatchEvent
from testbed.settings import PATIENCE

Log = Callable[[str, str], None]
"""Takes a level (`info`, `error`) and a message."""

TaskT = TypeVar("TaskT", bound=Hashable)


class Retry(Exception):
    """The attempt failed in a way that another one may mend; the text is logged."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Production seconds before the attempt after a failure: doubled each time, up to the longest."""

    first: float
    longest: float

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row, from 1."""
        doublings = min(failures - 1, 64)  # beyond that it is the longest for long, and floats overflow
        return float(min(self.first * 2**doublings, self.longest))


CONTROLLER_RUNTIME = Backoff(0.005, 1000.0)
"""client-go's default item rate limiter, which controller-runtime uses."""
SERVICE_CONTROLLER = Backoff(5.0, 300.0)
"""minRetryDelay and maxRetryDelay of the cloud provider's service controller."""


class Queue(Generic[TaskT]):
    """Tasks with the moment at which they fall due; adding one again keeps the earlier moment."""

    def __init__(self) -> None:
        self._due: dict[TaskT, tuple[float, int]] = {}
        self._failures: dict[TaskT, int] = {}
        self._order = itertools.count()

    def add(self, task: TaskT, due: float) -> None:
        """Ask for a task at a production time."""
        old = self._due.get(task)
        if old is None or due < old[0]:
            self._due[task] = due, next(self._order)

    def pop(self, now: float) -> TaskT | None:
        """The task that is due for longest, if any."""
        task = min(self._due, key=self._due.__getitem__, default=None)
        if task is None or self._due[task][0] > now:
            return None
        del self._due[task]
        return task

    def succeeded(self, task: TaskT) -> None:
        """Forget its failures."""
        self._failures.pop(task, None)

    def failed(self, task: TaskT, now: float, backoff: Backoff) -> None:
        """Ask for it again after the backoff."""
        self._failures[task] = self._failures.get(task, 0) + 1
        self.add(task, now + backoff.delay(self._failures[task]))

    @property
    def failing(self) -> tuple[TaskT, ...]:
        """Tasks whose last attempt failed."""
        return tuple(self._failures)


class Controller(abc.ABC, Generic[TaskT]):
    """Watches some kinds and reconciles what changed, until it is stopped.

    Attributes:
        kinds: what it watches.
        backoff: of its failed tasks.
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
        """What an event asks to be done."""

    @abc.abstractmethod
    def attempt(self, task: TaskT) -> None:
        """Do it. Raises `Retry` if it must be tried again."""

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; meant for a thread of its own."""
        try:
            with self.store.watch(self.kinds) as watch:
                while not stop.is_set():
                    self._step(watch)
        except BaseException as error:
            # A bug, not a refusal: whoever waits for this controller must hear of it instead of waiting.
            self._settle(self._settled, error)
            raise

    def wait_idle(self, wall_seconds: float, revision: int | None = None) -> bool:
        """Wait until each write up to a revision (default: the latest one) led to what it had to.

        Tasks that failed and wait for their next attempt are not waited for; see `queue.failing`.

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
        """Ask for a task after production seconds."""
        self.queue.add(task, self.clock.now() + seconds)

    def _step(self, watch: Watch) -> None:
        seen = self.store.revision  # before the queue is looked at: each event up to it has been offered
        while event := watch.get(0):
            self._take(event)
        task = self.queue.pop(self.clock.now())
        if task is not None:
            self._try(task)
            return
        self._settle(seen, None)
        if late := watch.get(PATIENCE.poll):
            self._take(late)

    def _take(self, event: WatchEvent) -> None:
        for task in self.tasks_of(event):
            self.queue.add(task, self.clock.now())

    def _try(self, task: TaskT) -> None:
        try:
            self.attempt(task)
        except Retry as error:
            self.queue.failed(task, self.clock.now(), self.backoff)
            self.log("error", f"Reconciler error {task} error={error}")
        else:
            self.queue.succeeded(task)

    def _settle(self, revision: int, failure: BaseException | None) -> None:
        with self._moved:
            self._settled = revision
            self._failure = failure
            self._moved.notify_all()
