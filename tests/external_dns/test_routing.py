"""A routing policy survives the way to Route 53 and back."""

from __future__ import annotations

import pytest

from testbed.external_dns import routing


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
    fields = routing.fields(found, pytest.fail, typed=True)
    assert routing.properties(fields, typed=True) == found


def test_geoproximity_is_unknown_to_old_versions() -> None:
    found = {"aws/geoproximity-region": "eu-west-1", "aws/geoproximity-bias": "5"}
    assert routing.fields(found, pytest.fail, typed=False) == {}
    assert routing.properties(routing.fields(found, pytest.fail, typed=True), typed=False) == {}


def test_a_weight_that_is_no_number_is_0_and_told() -> None:
    told: list[str] = []
    assert routing.fields({"aws/weight": "many"}, told.append, typed=True) == {"Weight": 0}
    assert len(told) == 1
