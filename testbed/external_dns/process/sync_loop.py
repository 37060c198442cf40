"""The loop: a sync at every interval, with `--events` also soon after an object changed.

Source: external-dns, controller/controller.go (Run), main.go. The real one walks maps, so the order of the
objects of a sync is random; here it comes of the run's seed (`object_order`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from botocore.exceptions import BotoCoreError, ClientError

from testbed.clock import Clock
from testbed.dated_releases import Release
from testbed.external_dns.core.facts import Fact
from testbed.external_dns.core.log_lines import LeveledLog, LogLine
from testbed.external_dns.core.plan import Changes
from testbed.external_dns.core.reasons import Decision
from testbed.external_dns.process import object_order
from testbed.external_dns.process.desired_endpoints import DesiredEndpoints
from testbed.external_dns.process.flags import Flags
from testbed.external_dns.process.metrics import Metrics
from testbed.external_dns.process.object_order import Order, ShuffledObjects
from testbed.external_dns.process.reconciler import Reconciler
from testbed.external_dns.process.sync_schedule import Schedule
from testbed.external_dns.provider.aws_provider import SOFT, ProviderError
from testbed.external_dns.sources.source import SourceError
from testbed.external_dns.sources.source_table import SOURCES
from testbed.settings import PRODUCTION

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

    from testbed.kubernetes.object_watch import Watch

_RUN = "Failed to do run once: "


class Objects(Protocol):
    """The part of the Kubernetes API that every sync reads."""

    def list(self, kind: str) -> Sequence[Mapping[str, Any]]:
        """Return the objects of a kind."""


@runtime_checkable
class Watched(Protocol):
    """The part of the Kubernetes API that `--events` needs as well."""

    def watch(self, kinds: Iterable[str]) -> Watch:
        """Return the events of some kinds, beginning with the objects that exist."""


class Controller:
    """ExternalDNS of one version with one set of flags.

    Attributes:
        syncs_started, syncs_finished: how many.
        metrics: what it counts, which `metrics_server` serves.
    """

    def __init__(
        self,
        store: Objects,
        route53: Route53Client,
        flags: Flags,
        release: Release,
        clock: Clock,
        log: Callable[[LogLine], None],
        seed: int = 0,
        order: Order = object_order.of_a_map,
        is_served: Callable[[str, str], bool] = lambda _version, _kind: True,
    ) -> None:
        self.syncs_started = 0
        self.syncs_finished = 0
        self.metrics = Metrics()
        self._stop: threading.Event | None = None
        self._store, self._flags, self._release, self._clock = store, flags, release, clock
        self._say = LeveledLog(flags.log_level, log)
        objects = ShuffledObjects(store.list, flags.annotation_prefix, seed, order)
        desired = DesiredEndpoints(store.list, objects, flags, release, self._say, is_served)
        self._reconciler = Reconciler(
            desired, route53, flags, release, clock, self._say, self.metrics, self._wait
        )

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The decisions of the latest sync, with their reasons."""
        return self._reconciler.decisions

    def run(self, stop: threading.Event) -> None:
        """Sync at every interval until `stop` is set; v0.7.x waits 5 s before the first sync.

        With `--once` there is one sync, at once.
        """
        if self._flags.dry_run:
            self._say("info", "running in dry-run mode. No changes to DNS records will be made.")
        self._stop = stop
        if self._flags.once:
            self._sync_once()
            return
        flags, clock = self._flags, self._clock
        schedule = Schedule(self._release, flags.interval, flags.least_event_interval, clock.now())
        with self._events() as has_changed:
            while True:
                rest = max(0.0, schedule.due - clock.now())
                # Without --events nothing can make a sync due earlier, so the tick of the real loop is left
                # out.
                if clock.wait(stop, min(rest, PRODUCTION.external_dns_tick) if flags.events else rest):
                    self._say("info", "Received SIGTERM. Terminating...")
                    self._say("info", "Terminating main controller loop")
                    return
                if has_changed():
                    schedule.changed(clock.now())
                if clock.now() >= schedule.due:
                    schedule.started(clock.now())
                    self.sync()

    @contextmanager
    def _events(self) -> Iterator[Callable[[], bool]]:
        """Give a function that returns True if an object of a source changed since its last call."""
        if not self._flags.events:
            yield lambda: False
            return
        assert isinstance(self._store, Watched)
        for name in self._flags.sources:
            self._say("debug", f"Adding event handler for {name}")
        kinds = [kind for name in self._flags.sources for kind in SOURCES[name].watched()]
        with self._store.watch(kinds) as watch:

            def has_changed() -> bool:
                is_changed = False
                # All that is queued, so that one edit of many objects causes one sync.
                while (event := watch.get(timeout=0)) is not None:
                    is_changed = is_changed or self._is_listed(event.object)
                return is_changed

            has_changed()  # a watch begins with what exists, which is no change
            yield has_changed

    def _is_listed(self, item: Mapping[str, Any]) -> bool:
        """True if the sources read the object's namespace."""
        return self._flags.namespace in ("", item["metadata"].get("namespace", "default"))

    def _wait(self, seconds: float) -> None:
        """Let time pass between two batches; a sync outside the loop does not wait."""
        if self._stop is not None:
            self._clock.wait(self._stop, seconds)

    def _sync_once(self) -> None:
        """`--once`: a run without a wait, whose error ends the process."""
        self.syncs_started += 1
        try:
            self.run_once()
        except (SourceError, ProviderError, ClientError, BotoCoreError) as error:
            self._say("fatal", str(error))
        finally:
            self.syncs_finished += 1

    def sync(self) -> None:
        """Run once; errors are logged and the next run tries again."""
        self.syncs_started += 1
        try:
            self.run_once()
        except SourceError as error:
            self.metrics.source_errors += 1
            self._say_end(str(error))
        except (ProviderError, ClientError, BotoCoreError) as error:
            text = str(error)
            is_hard_here = self._release.has(Fact.LISTING_ENDS_PROCESS) and not text.startswith(SOFT)
            if is_hard_here or not self._release.has(Fact.SOFT_ERRORS):
                self._say_end(text)
                return
            self.metrics.soft_errors += 1
            soft = text if text.startswith(SOFT) else SOFT + text
            is_counted = self._release.has(Fact.SOFT_ERRORS_COUNTED)
            count = f" (consecutive soft errors: {self.metrics.soft_errors})" if is_counted else ""
            self._say("error", f"{_RUN}{soft}{count}")
        else:
            if self.metrics.soft_errors and self._release.has(Fact.SOFT_ERRORS_COUNTED):
                self._say(
                    "info",
                    f"Reconciliation succeeded after {self.metrics.soft_errors} consecutive soft errors",
                )
            self.metrics.soft_errors = 0
        finally:
            self.syncs_finished += 1

    def _say_end(self, text: str) -> None:
        """Log an error that is not soft: it may end the process, and the kubelet starts another."""
        prefix = _RUN if self._release.has(Fact.SOFT_ERRORS) else ""
        is_end = self._release.has(Fact.ERRORS_END_PROCESS)
        self._say("fatal" if is_end else "error", f"{prefix}{text}")

    def run_once(self) -> Changes:
        """Read, plan and apply once; return what was planned.

        Raises:
            SourceError: the objects cannot be read.
            ProviderError, ClientError: Route 53 refused something.
        """
        return self._reconciler.reconcile()
