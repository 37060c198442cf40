"""A routing policy survives the way to Route 53 and back."""

from __future__ import annotations

import pytest

from testbed.external_dns.provider import routing_policies
from tests.external_dns.releases import NEWEST, OLDEST


@pytest.mark.parametrize(
    "found",
    [
        {"aws/weight": "10"},
        {"aws/region": "eu-west-1"},
        {"aws/failover": "PRIMARY"},
        {"aws/multi-value-answer": ""},
        {"aws/geolocation-continent-code": "EU"},
        {"aws/geolocation-country-code": "US", "aws/geolocation-subdivision-code": "CA"},
        {"aws/geoproximity-region": "eu-west-1", "aws/geoproximity-bias": "5"},
        {"aws/geoproximity-coordinates": "60,10", "aws/geoproximity-bias": "0"},
        {},
    ],
)
def test_properties_become_fields_and_fields_properties(found: dict[str, str]) -> None:
    fields = routing_policies.fields(found, pytest.fail, NEWEST)
    assert routing_policies.properties(fields, NEWEST) == found


def test_geoproximity_is_unknown_to_old_versions() -> None:
    found = {"aws/geoproximity-region": "eu-west-1", "aws/geoproximity-bias": "5"}
    assert routing_policies.fields(found, pytest.fail, OLDEST) == {}
    assert routing_policies.properties(routing_policies.fields(found, pytest.fail, NEWEST), OLDEST) == {}


def test_a_weight_that_is_no_number_is_0_and_told() -> None:
    told: list[str] = []
    assert routing_policies.fields({"aws/weight": "many"}, told.append, NEWEST) == {"Weight": 0}
    assert len(told) == 1
