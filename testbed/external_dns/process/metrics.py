"""The metrics of ExternalDNS, by the names under which it serves them.

Source: external-dns, controller/controller.go, plan/metrics.go, source/wrappers/metrics.go. Times are of
production. The metrics of the Go runtime and of its HTTP client are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from testbed.dated_releases import Release
from testbed.external_dns.core.endpoint import OWNER, Endpoint
from testbed.external_dns.core.facts import Fact
from testbed.external_dns.core.reasons import Decision, Outcome, is_about_owner

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

TYPES = ("A", "AAAA", "TXT", "CNAME", "SRV", "NS", "PTR", "MX", "NAPTR")
_MISMATCH = ("record_type", "owner", "foreign_owner", "domain")
_SOURCE = ("record_type", "source_type")


@dataclass(slots=True)
class Metrics:
    """Counters and gauges of one process."""

    registry_errors: int = 0
    source_errors: int = 0
    no_op_runs: int = 0
    soft_errors: int = 0
    last_sync: float = 0.0
    last_reconcile: float = 0.0
    registry: tuple[Endpoint, ...] = ()
    source: tuple[Endpoint, ...] = ()
    verified: Counter[str] = field(default_factory=Counter)
    mismatches: Counter[tuple[str, ...]] = field(default_factory=Counter)
    duplicates: Counter[tuple[str, ...]] = field(default_factory=Counter)
    invalid: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def begin(self, now: float) -> None:
        """Start a run: reset the counts of a single run."""
        self.last_reconcile = now
        self.mismatches, self.duplicates, self.invalid = Counter(), Counter(), Counter()

    def read(self, registry: Iterable[Endpoint]) -> None:
        """Count the records that were read."""
        self.registry = tuple(registry)

    def wanted(self, source: Iterable[Endpoint]) -> None:
        """Count the endpoints of the sources.

        An alias is a CNAME in the sources and an A in the registry, so that it is never verified.
        """
        self.source = tuple(source)
        known = {(one.name, one.type) for one in self.registry}
        self.verified = Counter(one.type for one in self.source if (one.name, one.type) in known)

    def left_out(self, endpoint: Endpoint, is_duplicate: bool) -> None:
        """Count an endpoint of the sources that is a duplicate, or else invalid."""
        key = (endpoint.type.lower(), endpoint.resource.partition("/")[0] or "unknown")
        (self.duplicates if is_duplicate else self.invalid)[key] += 1

    def decided(self, decisions: Iterable[Decision]) -> None:
        """Count what was not created because a record of the name belongs to another owner."""
        for one in decisions:
            if one.outcome is Outcome.CREATE and is_about_owner(one):
                theirs = one.beside.labels.get(OWNER, "") if one.beside else ""
                parent = one.name.partition(".")[2]
                domain = parent if "." in parent else one.name
                self.mismatches[one.type.lower(), one.rule, theirs, domain] += 1

    def families(self, release: Release) -> list[Metric]:
        """Return the metrics that the version has, as Prometheus takes them."""
        # Imported late: only a run that serves metrics needs it.
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        def gauge(name: str, text: str, value: float) -> Metric:
            return GaugeMetricFamily(f"external_dns_{name}", text, value)

        def counter(name: str, text: str, value: float) -> Metric:
            return CounterMetricFamily(name, text, value)

        def vector(
            name: str, text: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]
        ) -> Metric:
            family = GaugeMetricFamily(f"external_dns_{name}", text, labels=labels)
            for key, value in sorted(values.items()):
                family.add_metric(key, value)
            return family

        def by_type(name: str, text: str, count: Counter[str]) -> Metric:
            return vector(name, text, ("record_type",), {(kind.lower(),): count[kind] for kind in TYPES})

        sync = "Timestamp of last successful sync with the DNS provider"
        families = [
            counter("external_dns_registry_errors", "Number of Registry errors.", self.registry_errors),
            counter("external_dns_source_errors", "Number of Source errors.", self.source_errors),
            counter("registry_errors", "Number of Registry errors.", self.registry_errors),
            counter("source_errors", "Number of Source errors.", self.source_errors),
            gauge("source_endpoints_total", "Number of Endpoints in all sources", len(self.source)),
            gauge("registry_endpoints_total", "Number of Endpoints in the registry", len(self.registry)),
            gauge("controller_last_sync_timestamp_seconds", sync, self.last_sync),
        ]
        later = (
            (
                Fact.RECONCILE_METRIC,
                gauge(
                    "controller_last_reconcile_timestamp_seconds",
                    "Timestamp of last attempted sync with the DNS provider",
                    self.last_reconcile,
                ),
            ),
            (
                Fact.NO_OP_METRIC,
                counter(
                    "external_dns_controller_no_op_runs",
                    "Number of reconcile loops ending up with no changes on the DNS provider side.",
                    self.no_op_runs,
                ),
            ),
            (
                Fact.RECORD_METRICS,
                gauge(
                    "controller_consecutive_soft_errors",
                    "Number of consecutive soft errors in reconciliation loop.",
                    self.soft_errors,
                ),
            ),
            (
                Fact.RECORD_METRICS,
                by_type(
                    "registry_records",
                    "Number of registry records partitioned by label name (vector).",
                    Counter(one.type for one in self.registry),
                ),
            ),
            (
                Fact.RECORD_METRICS,
                by_type(
                    "source_records",
                    "Number of source records partitioned by label name (vector).",
                    Counter(one.type for one in self.source),
                ),
            ),
            (
                Fact.RECORD_METRICS,
                by_type(
                    "controller_verified_records",
                    "Number of DNS records that exists both in source and registry (vector).",
                    self.verified,
                ),
            ),
            (
                Fact.LEFT_OUT_METRICS,
                vector(
                    "registry_skipped_records_owner_mismatch_per_sync",
                    "Number of records skipped with owner mismatch for each record type, owner mismatch "
                    "ID and domain (vector).",
                    _MISMATCH,
                    self.mismatches,
                ),
            ),
            (
                Fact.LEFT_OUT_METRICS,
                vector(
                    "source_deduplicated_endpoints",
                    "Number of endpoints currently removed as duplicates, partitioned by record type and "
                    "source.",
                    _SOURCE,
                    self.duplicates,
                ),
            ),
            (
                Fact.LEFT_OUT_METRICS,
                vector(
                    "source_invalid_endpoints",
                    "Number of endpoints currently rejected due to invalid configuration, partitioned by "
                    "record type and source.",
                    _SOURCE,
                    self.invalid,
                ),
            ),
        )
        return families + [metric for fact, metric in later if release.has(fact)]
