"""Whose questions a record set answers, by where the asking resolver is: geolocation and geoproximity (pure).

Sources: Route 53 Developer Guide, "Geolocation routing", "Geoproximity routing".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from testbed.resolvers.regions import REGIONS, Place

_DEFAULT = "*"
_FULL_BIAS = 100.0


@dataclass(frozen=True, slots=True)
class GeoLocation:
    """Whose questions a record set answers: those of a continent or a country, `*` for all others.

    A subdivision is part of a country that no region stands for, so such a set answers nobody here.
    """

    continent: str = ""
    country: str = ""
    subdivision: str = ""

    @classmethod
    def of(cls, item: Mapping[str, Any] | None) -> GeoLocation | None:
        """Read the `GeoLocation` of the API; None without one."""
        if not item:
            return None
        codes = ("ContinentCode", "CountryCode", "SubdivisionCode")
        return cls(*(str(item.get(code) or "") for code in codes))

    def closeness(self, place: Place) -> int:
        """Return how well it fits a place: 3 by country, 2 by continent, 1 as the default, 0 not at all."""
        if self.subdivision:
            return 0
        if self.country == _DEFAULT:
            return 1
        if self.country:
            return 3 if self.country == place.country else 0
        return 2 if self.continent == place.continent else 0


@dataclass(frozen=True, slots=True)
class GeoProximity:
    """Where the resources of a record set are, and how much their area is widened (to 99) or narrowed."""

    place: Place
    bias: float = 0.0

    @classmethod
    def of(cls, item: Mapping[str, Any] | None) -> GeoProximity | None:
        """Read the `GeoProximityLocation` of the API; None without a place that is known."""
        if not item:
            return None
        if at := item.get("Coordinates"):
            place: Place | None = Place(float(at["Latitude"]), float(at["Longitude"]))
        else:
            # A local zone is near its region: `us-west-2-lax-1`.
            name = str(item.get("AWSRegion") or item.get("LocalZoneGroup") or "")
            place = next((REGIONS[one] for one in REGIONS if name == one or name.startswith(f"{one}-")), None)
        return cls(place, float(item.get("Bias") or 0)) if place else None

    def distance(self, place: Place) -> float:
        """Return the biased kilometres to a place."""
        kilometres = self.place.distance(place)
        if self.bias >= 0:
            return kilometres * (1 - self.bias / _FULL_BIAS)
        return kilometres / (1 + self.bias / _FULL_BIAS)
