"""One sync: read the zones and the objects, plan, apply, and keep the reasons.

```
Records ─┐
         ├─► plan ─► registry (owners, TXTs) ─► provider ─► Route 53
Sources ─┘
```

Source: external-dns, controller/controller.go (RunOnce).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from testbed.clock import Clock
from testbed.dated_releases import Release
from testbed.external_dns.core import plan as planning
from testbed.external_dns.core import reasons
from testbed.external_dns.core.endpoint import Endpoint
from testbed.external_dns.core.facts import Fact
from testbed.external_dns.core.log_lines import LeveledLog
from testbed.external_dns.core.plan import Changes
from testbed.external_dns.core.reasons import Decision, Outcome, Reason
from testbed.external_dns.process.desired_endpoints import DesiredEndpoints
from testbed.external_dns.process.flags import Flags
from testbed.external_dns.process.metrics import Metrics
from testbed.external_dns.provider.aws_provider import AwsProvider, ProviderError
from testbed.external_dns.provider.domain_filter import DomainFilter
from testbed.external_dns.registry.record_cache import RecordCache
from testbed.external_dns.registry.txt_registry import TxtRegistry

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

UP_TO_DATE = "All records are already up to date"


class Reconciler:
    """Makes the records what the objects ask for, once at each call.

    Attributes:
        decisions: of the latest sync, with their reasons.
    """

    def __init__(
        self,
        desired: DesiredEndpoints,
        route53: Route53Client,
        flags: Flags,
        release: Release,
        clock: Clock,
        log: LeveledLog,
        metrics: Metrics,
        wait: Callable[[float], object],
    ) -> None:
        """Connect the stages of a sync.

        Args:
            desired: the sources.
            route53: the client through which records are read and changed.
            flags: of this ExternalDNS.
            release: its version.
            clock: production time.
            log: takes its log lines.
            metrics: counts what each sync does.
            wait: lets production seconds pass between two batches.
        """
        self.decisions: tuple[Decision, ...] = ()
        self._desired, self._flags, self._release, self._clock = desired, flags, release, clock
        self._log, self._metrics = log, metrics
        self._txts: set[tuple[str, str]] = set()
        self._standing: Collection[tuple[str, str]] = ()
        self._lacking: Sequence[Endpoint] = ()
        self._has_warned_of_legacy = False
        self._registry = TxtRegistry.of(flags, release)
        self._cache = RecordCache(flags.txt_cache_interval, clock, release)
        self._provider = AwsProvider(route53, release, flags, log, clock.now, wait)

    def reconcile(self) -> Changes:
        """Read, plan and apply once; return what was planned.

        Raises:
            SourceError: the objects cannot be read.
            ProviderError, ClientError: Route 53 refused something.
        """
        has_owner = self._flags.registry == "txt"
        self._metrics.begin(self._clock.now())
        with self._counting_errors():
            current = self._current()
        self._metrics.read(current)
        from_sources = self._desired.read(self._metrics.left_out)
        self._metrics.wanted(from_sources)
        # Before the plan: the records are read as aliases, and would differ from every CNAME of a source.
        desired = self._provider.record_sets.adjusted(from_sources)
        self._create_lacking()
        self._log_record_filter()
        inside = [one for one in desired if self._provider.matches(one.name)]
        changes = planning.calculate(
            [one for one in current if self._provider.matches(one.name)],
            inside,
            release=self._release,
            policy=self._flags.policy,
            owner=self._flags.owner if has_owner else "",
            managed=self._flags.managed,
            old_owner=self._flags.migrate_from_owner,
            dice=self._desired.dice,
        )
        level = "warning" if self._release.has(Fact.CONFLICTS_WARNED) else "info"
        for line in changes.warnings:
            self._log(level, line)
        if has_owner and not self._release.has(Fact.OWNER_IN_PLAN):
            changes = planning.owned(changes, self._release, self._flags.owner)
        for line in changes.skipped:
            self._log("debug", line)
        try:
            if not changes and self._release.has(Fact.EMPTY_PLAN_NOT_APPLIED):
                self._metrics.no_op_runs += 1
                self._log("info", UP_TO_DATE)
            else:
                with self._counting_errors():
                    self._apply(changes)
        finally:
            self._decide(changes, desired if len(inside) < len(desired) else ())
        self._metrics.last_sync = self._clock.now()
        return changes

    def _log_record_filter(self) -> None:
        if self._release.has(Fact.RECORD_FILTER_LOGGED):
            zones = " ".join(f"{name}. .{name}." for name in self._provider.zone_names())
            self._log("info", f"Applying provider record filter for domains: [{zones}]")

    def _create_lacking(self) -> None:
        """Create the TXTs that own records lack, in a batch before all others; no policy keeps it back."""
        if not self._lacking:
            return
        self._log_record_filter()
        inside = [one for one in self._lacking if self._provider.matches(one.name)]
        if inside:
            self._cache.change((), inside)
            with self._counting_errors():
                self._provider.submit([c for one in inside for c in self._provider.changes("CREATE", one)])
            self._log("info", "All missing records are created")

    @contextmanager
    def _counting_errors(self) -> Iterator[None]:
        try:
            yield
        except (ProviderError, ClientError, BotoCoreError):
            self._metrics.registry_errors += 1
            raise

    def _current(self) -> list[Endpoint]:
        """Return the zones' records; with the registry, with their owners."""
        if not self._release.has(Fact.EXISTING_TXTS_ACCUMULATE):
            self._txts = set()
        cached = self._cache.fresh()
        if cached is not None:
            self._log("debug", "Using cached records.")
            # Cached records or not, planning and batches need the zones.
            self._provider.zones()
            return cached
        records = self._provider.records()
        if self._flags.registry != "txt":
            return records
        obsolete = None if self._has_warned_of_legacy else self._registry.obsolete(records)
        if obsolete:
            self._has_warned_of_legacy = True
            self._log("warning", obsolete)
        read = self._registry.records(records)
        self._txts |= set(read.txts)
        self._standing = read.txts
        self._lacking = read.lacking
        self._cache.fill(read.labelled)
        return read.labelled

    def _apply(self, changes: Changes) -> None:
        if self._flags.registry == "txt":
            removed = [*changes.delete, *changes.update_old]
            changes = self._registry.applied(changes, self._txts, lambda text: self._log("error", text))
            if self._release.has(Fact.EXISTING_TXTS_ACCUMULATE):
                self._txts = set()
            added = (*changes.create, *changes.update_new)
            self._cache.change(removed, [one for one in added if not self._registry.is_made(one)])
        sent: list[dict[str, Any]] = []
        for endpoint in changes.create:
            sent += self._provider.changes("CREATE", endpoint)
        # As many as there are of both: from v0.16 to v0.20 the two may part (core/alias_pairs.py).
        for old, new in zip(changes.update_old, changes.update_new, strict=False):
            sent += self._provider.update(old, new)
        for new in changes.update_new[len(changes.update_old) :]:
            self._log("debug", f"skip {new.name} as endpoint not found in current endpoints")
        for endpoint in changes.delete:
            sent += self._provider.changes("DELETE", endpoint)
        self._provider.submit(sent)

    # --- reasons ---------------------------------------------------------------------------------------

    def _decide(self, changes: Changes, desired: Iterable[Endpoint]) -> None:
        """Keep the decisions, and log them at level debug, which the real ExternalDNS never does."""
        domains, absorbed = self._flags.zones.domains, self._desired.absorbed
        outside = [
            reasons.left_out(one, Reason.NO_ZONE)
            if domains.matches(one.name)
            else reasons.left_out(one, Reason.OUTSIDE_DOMAIN, rule=str(domains))
            for one in desired
            if not self._provider.matches(one.name)
        ]
        decided = reasons.unsent(changes.decisions, self._provider.unplaced, Reason.NO_ZONE)
        decided = reasons.unsent(decided, self._provider.oversized, Reason.OVERSIZED)
        decided = reasons.with_hidden_labels(decided, absorbed)
        decided = tuple(self._with_txts(one) if reasons.is_about_owner(one) else one for one in decided)
        self.decisions = (*absorbed, *outside, *self._kept_txts(decided), *decided)
        self._metrics.decided(decided)
        if self._log.has("debug"):
            for one in self.decisions:
                self._log("debug", str(one), reason=one.dropped or one.reason)

    def _with_txts(self, decision: Decision) -> Decision:
        """Return the decision with the TXTs in the hosted zones that would make its record this owner's."""
        record = decision.beside or decision.have
        if record is None:
            return decision
        resource = decision.winner.resource if decision.winner else ""
        txts = self._registry.owner_txts(record, resource, self._standing)
        zones = DomainFilter(tuple(self._provider.zone_names()))
        return decision._replace(txts=tuple(one for one in txts if zones.matches(one.name)))

    def _kept_txts(self, decisions: Iterable[Decision]) -> Iterator[Decision]:
        """Yield the new records whose TXT is not written because one of its name exists."""
        if not self._txts or not self._release.has(Fact.EXISTING_TXT_KEPT):
            return
        changes = [one for one in decisions if one.is_change]
        going = {
            (name, one.set_identifier)
            for one in changes
            if one.outcome is Outcome.DELETE and one.have
            for name in self._registry.txt_names(one.have)
        }
        for one in changes:
            if one.outcome is Outcome.CREATE and one.winner is not None:
                for name in self._registry.txt_names(one.winner):
                    key = name, one.set_identifier
                    if key in self._txts:
                        reason = Reason.TXT_LOST if key in going else Reason.TXT_KEPT
                        yield reasons.left_out(one.winner, reason, rule=name)
