"""Metrics and health under their real names, over HTTP."""

from __future__ import annotations

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from testbed.errors import Missing
from testbed.external_dns.core.endpoint import OWNER, RESOURCE, Endpoint
from testbed.external_dns.core.facts import Fact, release_of
from testbed.external_dns.core.plan import calculate
from testbed.external_dns.process.metrics import Metrics
from testbed.external_dns.process.metrics_server import serving
from testbed.network import Network
from tests.external_dns.releases import READ

WEB = Endpoint("app.example.com", "A", ("192.0.2.1",), labels={RESOURCE: "service/default/web"})
OLD = {
    "external_dns_registry_errors_total",
    "external_dns_source_errors_total",
    "external_dns_source_endpoints_total",
    "external_dns_registry_endpoints_total",
    "external_dns_controller_last_sync_timestamp_seconds",
    "registry_errors_total",
    "source_errors_total",
}
NEW = OLD | {
    "external_dns_controller_last_reconcile_timestamp_seconds",
    "external_dns_controller_no_op_runs_total",
    "external_dns_controller_verified_records",
    "external_dns_controller_consecutive_soft_errors",
    "external_dns_registry_records",
    "external_dns_source_records",
    "external_dns_registry_skipped_records_owner_mismatch_per_sync",
    "external_dns_source_deduplicated_endpoints",
    "external_dns_source_invalid_endpoints",
}


def _scraped(metrics: Metrics, version: str, address: str) -> dict[tuple[str, ...], float]:
    with serving(metrics, release_of(version), address, 0) as port:
        text = httpx.get(f"http://{address}:{port}/metrics").raise_for_status().text
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in parsed(text)
        for sample in family.samples
    }


@pytest.mark.parametrize("version", READ)
def test_a_version_serves_the_metrics_that_it_has(version: str, network: Network) -> None:
    metrics = Metrics()
    metrics.begin(1.0)
    metrics.left_out(WEB, is_duplicate=True)
    metrics.left_out(WEB, is_duplicate=False)
    metrics.mismatches["a", "me", "you", "example.com"] = 1
    found = {key[0] for key in _scraped(metrics, version, network.control)}
    assert found == (NEW if release_of(version).has(Fact.LEFT_OUT_METRICS) else OLD)


def test_records_are_counted_by_type(network: Network) -> None:
    metrics = Metrics()
    alias = Endpoint("lb.example.com", "CNAME", ("lb.test",))
    metrics.read([WEB, Endpoint("lb.example.com", "A", ("lb.test",))])
    metrics.wanted([WEB, alias])
    found = _scraped(metrics, "v0.22", network.control)
    assert found["external_dns_registry_records", "record_type=a"] == 2
    assert found["external_dns_registry_records", "record_type=aaaa"] == 0
    assert found["external_dns_source_records", "record_type=cname"] == 1
    assert found["external_dns_controller_verified_records", "record_type=a"] == 1


def test_a_record_of_another_owner_in_the_way_is_counted(network: Network) -> None:
    theirs = Endpoint("app.example.com", "AAAA", ("2001:db8::1",), labels={OWNER: "you"})
    metrics = Metrics()
    metrics.decided(
        calculate([theirs], [WEB], release=release_of("v0.22"), policy="sync", owner="me").decisions
    )
    name = "external_dns_registry_skipped_records_owner_mismatch_per_sync"
    key = (name, "domain=example.com", "foreign_owner=you", "owner=me", "record_type=a")
    assert _scraped(metrics, "v0.22", network.control)[key] == 1


def test_health_is_always_ok_and_no_other_page_is_there(network: Network) -> None:
    with serving(Metrics(registry_errors=9), release_of("v0.22"), network.control, 0) as port:
        answer = httpx.get(f"http://{network.control}:{port}/healthz")
        assert (answer.status_code, answer.text) == (200, "OK")
        assert httpx.get(f"http://{network.control}:{port}/").status_code == 404


def test_a_taken_port_is_told(network: Network) -> None:
    with (
        serving(Metrics(), release_of("v0.22"), network.control, 0) as port,
        pytest.raises(Missing, match=f"metrics at {network.control}:{port}"),
        serving(Metrics(), release_of("v0.22"), network.control, port),
    ):
        pass
