"""Whose questions a record set answers."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.dns.routing_by_place import GeoLocation, GeoProximity
from testbed.resolvers.regions import REGIONS

DUBLIN = REGIONS["eu-west-1"]


@pytest.mark.parametrize(
    ("item", "closeness"),
    [
        ({"CountryCode": "IE"}, 3),
        ({"ContinentCode": "EU"}, 2),
        ({"CountryCode": "*"}, 1),
        ({"CountryCode": "US"}, 0),
        ({"ContinentCode": "NA"}, 0),
        ({"CountryCode": "IE", "SubdivisionCode": "D"}, 0),
    ],
)
def test_a_country_is_closer_than_a_continent_and_that_than_the_default(
    item: dict[str, str], closeness: int
) -> None:
    location = GeoLocation.of(item)
    assert location
    assert location.closeness(DUBLIN) == closeness


@pytest.mark.parametrize("item", [None, {}])
def test_a_record_set_without_a_place_has_none(item: Any) -> None:
    assert GeoLocation.of(item) is None
    assert GeoProximity.of(item) is None


def test_a_bias_widens_an_area_or_narrows_it() -> None:
    frankfurt, wide, narrow = (
        GeoProximity.of({"AWSRegion": "eu-central-1", "Bias": bias}) for bias in (0, 50, -50)
    )
    assert frankfurt and wide and narrow  # noqa: PT018
    assert wide.distance(DUBLIN) == pytest.approx(frankfurt.distance(DUBLIN) / 2)
    assert narrow.distance(DUBLIN) == pytest.approx(frankfurt.distance(DUBLIN) * 2)


@pytest.mark.parametrize(
    ("item", "region"),
    [
        ({"LocalZoneGroup": "us-west-2-lax-1"}, "us-west-2"),
        ({"Coordinates": {"Latitude": "45.8", "Longitude": "-119.7"}}, "us-west-2"),
    ],
)
def test_a_local_zone_is_near_its_region_and_coordinates_are_a_place(
    item: dict[str, Any], region: str
) -> None:
    found = GeoProximity.of(item)
    assert found
    assert found.distance(REGIONS[region]) == pytest.approx(0, abs=1)


def test_a_region_that_is_not_known_is_no_place() -> None:
    assert GeoProximity.of({"AWSRegion": "mars-north-1"}) is None
