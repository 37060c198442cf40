"""What is counted in a run is counted again from nothing in the next one; errors add up."""

from __future__ import annotations

import pytest

from testbed.external_dns.core.endpoint import RESOURCE, Endpoint
from testbed.external_dns.core.facts import Fact, release_of
from testbed.external_dns.process.metrics import Metrics
from tests.external_dns.releases import READ

WEB = Endpoint("app.example.com", "A", ("192.0.2.1",), labels={RESOURCE: "service/default/web"})


def test_the_counts_of_a_run_end_with_it() -> None:
    metrics = Metrics(registry_errors=2)
    metrics.begin(1.0)
    metrics.left_out(WEB, is_duplicate=True)
    assert metrics.duplicates == {("a", "service"): 1}
    metrics.begin(2.0)
    assert (metrics.duplicates, metrics.last_reconcile, metrics.registry_errors) == ({}, 2.0, 2)


def test_an_endpoint_without_an_object_counts_as_unknown() -> None:
    metrics = Metrics()
    metrics.left_out(WEB.with_labels({}), is_duplicate=False)
    assert (metrics.invalid, metrics.duplicates) == ({("a", "unknown"): 1}, {})


def test_a_record_is_verified_where_source_and_registry_have_its_name_and_type() -> None:
    metrics = Metrics()
    metrics.read([WEB])
    metrics.wanted([WEB, WEB._replace(type="AAAA"), WEB._replace(name="b.example.com")])
    assert metrics.verified == {"A": 1}


@pytest.mark.parametrize("version", READ)
def test_no_metric_is_served_twice(version: str) -> None:
    names = [family.name for family in Metrics().families(release_of(version))]
    assert len(set(names)) == len(names)
    assert ("external_dns_controller_no_op_runs" in names) is release_of(version).has(Fact.NO_OP_METRIC)
