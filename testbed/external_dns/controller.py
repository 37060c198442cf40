"""The loop: read the zone and the objects, plan, apply, and again after the interval.

```
Records ─┐
         ├─► plan ─► registry (owners, TXTs) ─► provider ─► Route 53
Sources ─┘
```

Source: external-dns, controller/controller.go. The real one walks maps, so the order of the objects of a
sync is random; here it comes of the run's seed, what is claimed, and the syncs since the objects changed.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from botocore.exceptions import BotoCoreError, ClientError

from testbed.clock import Clock
from testbed.external_dns import object_order, reasons
from testbed.external_dns import plan as planning
from testbed.external_dns.aws_provider import SOFT, AwsProvider, ProviderError, ProviderOptions
from testbed.external_dns.endpoint import Endpoint
from testbed.external_dns.flags import Flags
from testbed.external_dns.log import LEVELS, LogLine
from testbed.external_dns.metrics import Metrics
from testbed.external_dns.object_order import Order
from testbed.external_dns.plan import Changes
from testbed.external_dns.profile import Profile
from testbed.external_dns.reasons import Decision, Outcome, Reason
from testbed.external_dns.record_cache import RecordCache
from testbed.external_dns.schedule import Schedule
from testbed.external_dns.sources import SourceError, Sources
from testbed.external_dns.txt_cipher import TxtCipher
from testbed.external_dns.txt_names import TxtNames
from testbed.external_dns.txt_registry import TxtRegistry
from testbed.external_dns.wrappers import deduplicated, post_processed, with_default_targets
from testbed.settings import PRODUCTION

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

    from testbed.kubernetes.watch import Watch

_RUN = "Failed to do run once: "
UP_TO_DATE = "All records are already up to date"


class Objects(Protocol):
    """What is read of the Kubernetes API."""

    def list(self, kind: str) -> Sequence[Mapping[str, Any]]:
        """The objects of a kind."""


@runtime_checkable
class Watched(Protocol):
    """What `--events` needs beside the objects."""

    def watch(self, kinds: Iterable[str]) -> Watch:
        """The events of some kinds, those that stand first."""


class Controller:
    """ExternalDNS of one version with one set of flags.

    Attributes:
        syncs_started, syncs_finished: how many.
        decisions: of the latest sync, with their reasons.
        metrics: what it counts, which `metrics_server` serves.
    """

    def __init__(
        self,
        store: Objects,
        route53: Route53Client,
        flags: Flags,
        profile: Profile,
        clock: Clock,
        log: Callable[[LogLine], None],
        seed: int = 0,
        order: Order = object_order.of_a_map,
    ) -> None:
        self.syncs_started = 0
        self.syncs_finished = 0
        self.decisions: tuple[Decision, ...] = ()
        self.metrics = Metrics()
        self._stop: threading.Event | None = None
        self._store, self._flags, self._profile, self._clock = store, flags, profile, clock
        self._log, self._seed, self._order = log, seed, order
        self._told_levels = frozenset(LEVELS[LEVELS.index(flags.log_level) :])
        self._claims: list[Decision] = []
        self._txts: set[tuple[str, str]] = set()
        self._looked_at: tuple[object, int] = (None, 0)
        self._sources = Sources(profile, flags, self.say, store.list)
        self._sources.absorbed = self._absorbed
        self._is_legacy_told = False
        self._registry = TxtRegistry(
            flags.owner,
            TxtNames(flags.txt_prefix, flags.txt_suffix, flags.txt_wildcard, profile),
            profile,
            flags.migrate_from_owner,
            flags.managed,
            TxtCipher(flags.txt_key) if flags.txt_key else None,
            flags.encrypts_txt,
        )
        self._cache = RecordCache(flags.txt_cache_interval, clock, typed=profile.typed)
        options = ProviderOptions(
            evaluate_target_health=flags.evaluate_target_health,
            prefer_cname=flags.prefer_cname,
            zones=flags.zones,
            zones_cache=flags.zones_cache,
            batches=flags.batches,
            batch_interval=flags.batch_interval,
            dry_run=flags.dry_run,
        )
        self._provider = AwsProvider(route53, profile, options, self.say, clock.now, self._wait)

    def say(self, level: str, message: str, *values: object, **fields: str) -> None:
        """Log a line, if the level asks for it."""
        if level in self._told_levels:
            self._log(LogLine(level, message % values if values else message, fields))

    def run(self, stop: threading.Event) -> None:
        """Sync at every interval until `stop` is set; v0.7.x waits 5 s before the first one.

        With `--once` there is one sync, at once.
        """
        if self._flags.dry_run:
            self.say("info", "running in dry-run mode. No changes to DNS records will be made.")
        self._stop = stop
        if self._flags.once:
            self._sync_once()
            return
        flags, clock = self._flags, self._clock
        schedule = Schedule(self._profile, flags.interval, flags.least_event_interval, clock.now())
        with self._events() as has_changed:
            while True:
                rest = max(0.0, schedule.due - clock.now())
                if clock.wait(stop, min(rest, PRODUCTION.external_dns_tick) if flags.events else rest):
                    self.say("info", "Received SIGTERM. Terminating...")
                    self.say("info", "Terminating main controller loop")
                    return
                if has_changed():
                    schedule.changed(clock.now())
                if clock.now() >= schedule.due:
                    schedule.started(clock.now())
                    self.sync()

    @contextmanager
    def _events(self) -> Iterator[Callable[[], bool]]:
        """A function that tells whether an object of a source changed since it was last asked."""
        if not self._flags.events:
            yield lambda: False
            return
        assert isinstance(self._store, Watched)
        kinds = [source.capitalize() for source in self._flags.sources]
        for kind in kinds:
            self.say("debug", f"Adding event handler for {kind.lower()}")
        with self._store.watch(kinds) as watch:

            def has_changed() -> bool:
                found = False
                while (event := watch.get(timeout=0)) is not None:
                    found = found or self._is_listed(event.object)
                return found

            has_changed()  # what stood before is no change
            yield has_changed

    def _is_listed(self, item: Mapping[str, Any]) -> bool:
        """Whether the sources read the namespace of an object."""
        return self._flags.namespace in ("", item["metadata"].get("namespace", "default"))

    def _wait(self, seconds: float) -> None:
        """Between two batches; a sync that nobody runs in a loop does not wait."""
        if self._stop is not None:
            self._clock.wait(self._stop, seconds)

    def _sync_once(self) -> None:
        """`--once`: a run without a wait, whose error ends the process."""
        self.syncs_started += 1
        try:
            self.run_once()
        except (SourceError, ProviderError, ClientError, BotoCoreError) as error:
            self.say("fatal", str(error))
        finally:
            self.syncs_finished += 1

    def sync(self) -> None:
        """One run; errors are logged and the next run tries again."""
        self.syncs_started += 1
        try:
            self.run_once()
        except SourceError as error:
            self.metrics.source_errors += 1
            # Since v0.13.5 it ends the process; the kubelet starts another, which ends the same way.
            self.say(
                "fatal" if self._profile.typed else "error", f"{_RUN if self._profile.typed else ''}{error}"
            )
        except (ProviderError, ClientError, BotoCoreError) as error:
            text = str(error)
            if self._profile.typed:
                self.metrics.soft_errors += 1
                soft = text if text.startswith(SOFT) else SOFT + text
                text = f"{_RUN}{soft} (consecutive soft errors: {self.metrics.soft_errors})"
            self.say("error", text)
        else:
            if self.metrics.soft_errors:
                self.say(
                    "info",
                    f"Reconciliation succeeded after {self.metrics.soft_errors} consecutive soft errors",
                )
            self.metrics.soft_errors = 0
        finally:
            self.syncs_finished += 1

    def run_once(self) -> Changes:
        """Read, plan and apply once; what was planned.

        Raises:
            ProviderError, ClientError: Route 53 refused something.
        """
        has_owner = self._flags.registry == "txt"
        self.metrics.begin(self._clock.now())
        with self._counting_errors():
            current = self._current()
        self.metrics.read(current)
        wanted = self._desired()
        self.metrics.wanted(wanted)
        desired = self._provider.record_sets.adjusted(wanted)
        if self._profile.typed:
            zones = " ".join(f"{name}. .{name}." for name in self._provider.zone_names())
            self.say("info", f"Applying provider record filter for domains: [{zones}]")
        inside = [one for one in desired if self._provider.matches(one.name)]
        changes = planning.calculate(
            [one for one in current if self._provider.matches(one.name)],
            inside,
            profile=self._profile,
            policy=self._flags.policy,
            owner=self._flags.owner if has_owner else "",
            managed=self._flags.managed,
            old_owner=self._flags.migrate_from_owner,
        )
        for line in changes.warnings:
            self.say("warning", line)
        if has_owner and not self._profile.typed:
            changes = planning.owned(changes, self._profile, self._flags.owner)
        for line in changes.skipped:
            self.say("debug", line)
        try:
            if self._profile.typed and not changes:
                self.metrics.no_op_runs += 1
                self.say("info", UP_TO_DATE)
            else:
                with self._counting_errors():
                    self._apply(changes)
        finally:
            self._decide(changes, desired if len(inside) < len(desired) else ())
        self.metrics.last_sync = self._clock.now()
        return changes

    @contextmanager
    def _counting_errors(self) -> Iterator[None]:
        try:
            yield
        except (ProviderError, ClientError, BotoCoreError):
            self.metrics.registry_errors += 1
            raise

    def _decide(self, changes: Changes, desired: Iterable[Endpoint]) -> None:
        """Keep the decisions, and tell them where the log's level asks for it; the real one never does."""
        domains = self._flags.zones.domains
        outside = [
            reasons.left_out(one, Reason.NO_ZONE)
            if domains.matches(one.name)
            else reasons.left_out(one, Reason.OUTSIDE_DOMAIN, rule=str(domains))
            for one in desired
            if not self._provider.matches(one.name)
        ]
        decided = reasons.unsent(changes.decisions, self._provider.unplaced, Reason.NO_ZONE)
        decided = reasons.unsent(decided, self._provider.oversized, Reason.OVERSIZED)
        decided = reasons.with_hidden_labels(decided, self._claims)
        self.decisions = (*self._claims, *outside, *self._kept_txts(decided), *decided)
        self.metrics.decided(decided)
        if "debug" in self._told_levels:
            for one in self.decisions:
                self.say("debug", str(one), reason=one.dropped or one.reason)

    def _kept_txts(self, decisions: Iterable[Decision]) -> Iterator[Decision]:
        """The new records whose TXT is not written because one of its name exists."""
        if not self._profile.typed or not self._txts:
            return
        for one in decisions:
            if one.outcome is Outcome.CREATE and one.is_change and one.winner is not None:
                name = self._registry.names.of(one.name, one.type)
                if (name, one.set_identifier) in self._txts:
                    yield reasons.left_out(one.winner, Reason.TXT_KEPT, rule=name)

    def _current(self) -> list[Endpoint]:
        """The zone's records; with the registry, who owns them."""
        self._txts = set()
        cached = self._cache.fresh()
        if cached is not None:
            self.say("debug", "Using cached records.")
            self._provider.zones()
            return cached
        records = self._provider.records()
        if self._flags.registry != "txt":
            return records
        self._txts = {(one.name, one.set_identifier) for one in records if one.type == "TXT"}
        obsolete = None if self._is_legacy_told else self._registry.obsolete(records)
        if obsolete:
            self._is_legacy_told = True
            self.say("warning", obsolete)
        records = self._registry.records(records)
        self._cache.fill(records)
        return records

    def _desired(self) -> list[Endpoint]:
        found: list[Endpoint] = []
        self._claims = []
        dice = self._dice()
        for source in self._flags.sources:
            if source == "service":
                found += self._sources.services(self._shuffled("Service", dice))
            else:
                found += self._sources.ingresses(self._shuffled("Ingress", dice))
        flags = self._flags
        filled = with_default_targets(
            found,
            flags.default_targets,
            lambda text: self.say("warning", text),
            force=flags.forces_default_targets,
        )
        once = deduplicated(filled, self._profile, self.say, self._absorbed, self.metrics.left_out)
        return list(post_processed(once, least_ttl=flags.least_ttl, prefers_alias=flags.prefers_alias))

    def _absorbed(self, kept: Endpoint, other: Endpoint) -> None:
        is_same = set(kept.targets) == set(other.targets)
        reason = Reason.DUPLICATE if is_same else Reason.MERGED
        self._claims.append(reasons.left_out(other, reason, beside=kept))

    def _shuffled(self, kind: str, dice: random.Random) -> list[Mapping[str, Any]]:
        return self._order(sorted(self._store.list(kind), key=_name), dice)

    def _dice(self) -> random.Random:
        """Reproducible whatever the timing: counts the syncs since what the sources read last changed.

        What is claimed has a part in it, so that no two states begin alike; ids of a run have none.
        """
        seen = [
            (
                _name(one),
                one["metadata"].get("labels"),
                one["metadata"].get("annotations"),
                one.get("spec"),
                one.get("status"),
            )
            for kind in ("Service", "Ingress")
            for one in sorted(self._store.list(kind), key=_name)
        ]
        before, times = self._looked_at
        times = times + 1 if seen == before else 0
        self._looked_at = (seen, times)
        claims = [
            (name, self._claimed(annotations or {}, spec or {})) for name, _, annotations, spec, _ in seen
        ]
        return random.Random(f"{self._seed}:{times}:{claims}")  # noqa: S311 the dice of a rehearsal

    def _claimed(self, annotations: Mapping[str, str], spec: Mapping[str, Any]) -> list[str]:
        own = [
            f"{key}={value}"
            for key, value in annotations.items()
            if key.startswith(self._flags.annotation_prefix)
        ]
        return sorted(own) + [str(rule.get("host", "")) for rule in spec.get("rules") or ()]

    def _apply(self, changes: Changes) -> None:
        if self._flags.registry == "txt":
            removed = [*changes.delete, *changes.update_old]
            changes = self._registry.applied(changes, self._txts, lambda text: self.say("error", text))
            added = (*changes.create, *changes.update_new)
            self._cache.change(removed, [one for one in added if not self._registry.is_made(one)])
        sent: list[dict[str, Any]] = []
        for endpoint in changes.create:
            sent += self._provider.changes("CREATE", endpoint)
        for old, new in zip(changes.update_old, changes.update_new, strict=True):
            sent += self._provider.update(old, new)
        for endpoint in changes.delete:
            sent += self._provider.changes("DELETE", endpoint)
        self._provider.submit(sent)


def _name(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]
