"""Where the resolvers of a part of the clients are: AWS's regions, and how a question tells its own.

Route 53 goes by the address of the resolver, or by the client's network in EDNS Client Subnet (Route 53
guide, "How Amazon Route 53 uses EDNS0 to estimate the location of a user"). On one machine all addresses are
alike, so a resolver says its region in an EDNS option of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

OPTION = 65001
"""Code of the EDNS option whose value is the region's name; for local use (RFC 6891, 9)."""
_EARTH = 6371.0


@dataclass(frozen=True, slots=True)
class Place:
    """A place on earth: degrees, and its continent and country as Route 53 names them."""

    latitude: float
    longitude: float
    continent: str = ""
    country: str = ""

    def distance(self, other: Place) -> float:
        """Return the kilometres between two places, along a great circle."""
        here, there = math.radians(self.latitude), math.radians(other.latitude)
        turn = math.radians(self.longitude - other.longitude)
        chord = math.sin((here - there) / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(turn / 2) ** 2
        return 2 * _EARTH * math.asin(min(1.0, math.sqrt(chord)))


REGIONS: Mapping[str, Place] = {
    "af-south-1": Place(-33.9, 18.4, "AF", "ZA"),
    "ap-east-1": Place(22.3, 114.2, "AS", "HK"),
    "ap-northeast-1": Place(35.7, 139.7, "AS", "JP"),
    "ap-northeast-2": Place(37.6, 127.0, "AS", "KR"),
    "ap-northeast-3": Place(34.7, 135.5, "AS", "JP"),
    "ap-south-1": Place(19.1, 72.9, "AS", "IN"),
    "ap-south-2": Place(17.4, 78.5, "AS", "IN"),
    "ap-southeast-1": Place(1.3, 103.8, "AS", "SG"),
    "ap-southeast-2": Place(-33.9, 151.2, "OC", "AU"),
    "ap-southeast-3": Place(-6.2, 106.8, "AS", "ID"),
    "ap-southeast-4": Place(-37.8, 145.0, "OC", "AU"),
    "ca-central-1": Place(45.5, -73.6, "NA", "CA"),
    "ca-west-1": Place(51.0, -114.1, "NA", "CA"),
    "eu-central-1": Place(50.1, 8.7, "EU", "DE"),
    "eu-central-2": Place(47.4, 8.5, "EU", "CH"),
    "eu-north-1": Place(59.3, 18.1, "EU", "SE"),
    "eu-south-1": Place(45.5, 9.2, "EU", "IT"),
    "eu-south-2": Place(41.6, -0.9, "EU", "ES"),
    "eu-west-1": Place(53.3, -6.3, "EU", "IE"),
    "eu-west-2": Place(51.5, -0.1, "EU", "GB"),
    "eu-west-3": Place(48.9, 2.4, "EU", "FR"),
    "il-central-1": Place(32.1, 34.8, "AS", "IL"),
    "me-central-1": Place(24.5, 54.4, "AS", "AE"),
    "me-south-1": Place(26.2, 50.6, "AS", "BH"),
    "sa-east-1": Place(-23.5, -46.6, "SA", "BR"),
    "us-east-1": Place(38.9, -77.5, "NA", "US"),
    "us-east-2": Place(40.0, -83.0, "NA", "US"),
    "us-west-1": Place(37.4, -122.0, "NA", "US"),
    "us-west-2": Place(45.8, -119.7, "NA", "US"),
}
"""By name, to a degree or so: the cities that AWS names with its regions."""
