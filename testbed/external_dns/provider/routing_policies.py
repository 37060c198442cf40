"""Routing policies: the properties `aws/…` of an endpoint and the fields of a Route 53 record.

```
aws/weight             Weight             aws/geolocation-continent-code      GeoLocation.ContinentCode
aws/region             Region             aws/geolocation-country-code        GeoLocation.CountryCode
aws/failover           Failover           aws/geolocation-subdivision-code    GeoLocation.SubdivisionCode
aws/multi-value-answer MultiValueAnswer   aws/geoproximity-*                  GeoProximityLocation (v0.16+)
```

Source: external-dns, provider/aws/aws.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from testbed.dated_releases import Release
from testbed.external_dns.core.facts import Fact

_CONTINENT = "aws/geolocation-continent-code"
_COUNTRY = "aws/geolocation-country-code"
_SUBDIVISION = "aws/geolocation-subdivision-code"
_MULTI = "aws/multi-value-answer"
_BIAS = "aws/geoproximity-bias"
_COORDINATES = "aws/geoproximity-coordinates"
_PROXIMITY = {"aws/geoproximity-region": "AWSRegion", "aws/geoproximity-local-zone-group": "LocalZoneGroup"}
_SIMPLE = {"aws/weight": "Weight", "aws/region": "Region", "aws/failover": "Failover"}
_POLICIES = frozenset((*_SIMPLE, _CONTINENT, _COUNTRY, _SUBDIVISION))
_ALL = _POLICIES | {_MULTI, _BIAS, _COORDINATES, *_PROXIMITY}


def is_any_in(properties: Mapping[str, str]) -> bool:
    """True if a property sets a field of a routing policy."""
    return not _ALL.isdisjoint(properties)


def policies(properties: Mapping[str, str]) -> frozenset[str]:
    """Return the properties that make the kind of policy, which no UPSERT can change."""
    return _POLICIES & properties.keys()


def properties(record: Mapping[str, Any], release: Release) -> dict[str, str]:
    """Return the properties of a record that has a set identifier; geoproximity came late."""
    for name, field in _SIMPLE.items():
        if field in record:
            return {name: str(record[field])}
    if record.get("MultiValueAnswer"):
        return {_MULTI: ""}
    place = record.get("GeoLocation", {})
    if "ContinentCode" in place:
        return {_CONTINENT: place["ContinentCode"]}
    codes = {_COUNTRY: "CountryCode", _SUBDIVISION: "SubdivisionCode"}
    found = {name: place[field] for name, field in codes.items() if field in place}
    near = record.get("GeoProximityLocation", {}) if release.has(Fact.GEOPROXIMITY) else {}
    found |= {name: near[field] for name, field in _PROXIMITY.items() if field in near}
    if "Coordinates" in near:
        found[_COORDINATES] = f"{near['Coordinates']['Latitude']},{near['Coordinates']['Longitude']}"
    if near:
        found[_BIAS] = str(near.get("Bias", 0))
    return found


def fields(properties: Mapping[str, str], warn: Callable[[str], None], release: Release) -> dict[str, Any]:
    """Return the fields that properties set, of a record that has a set identifier."""
    record: dict[str, Any] = {
        field: properties[name] for name, field in _SIMPLE.items() if name in properties
    }
    if "Weight" in record:
        record["Weight"] = _whole(record["Weight"], "aws/weight", warn)
    if _MULTI in properties:
        record["MultiValueAnswer"] = True
    if _CONTINENT in properties:
        record["GeoLocation"] = {"ContinentCode": properties[_CONTINENT]}
    elif _COUNTRY in properties or _SUBDIVISION in properties:
        codes = {"CountryCode": _COUNTRY, "SubdivisionCode": _SUBDIVISION}
        record["GeoLocation"] = {
            field: properties[name] for field, name in codes.items() if name in properties
        }
    if not release.has(Fact.GEOPROXIMITY):
        return record
    near: dict[str, Any] = {
        field: properties[name] for name, field in _PROXIMITY.items() if name in properties
    }
    if _COORDINATES in properties:
        latitude, _, longitude = properties[_COORDINATES].partition(",")
        near["Coordinates"] = {"Latitude": latitude, "Longitude": longitude}
    if near:
        record["GeoProximityLocation"] = near | {"Bias": _whole(properties.get(_BIAS, "0"), _BIAS, warn)}
    return record


def adjusted(properties: Mapping[str, str]) -> dict[str, str]:
    """Return properties with the bias 0 that Route 53 gives a geoproximity record without one."""
    is_near = _COORDINATES in properties or any(name in properties for name in _PROXIMITY)
    return {**properties, _BIAS: "0"} if is_near and _BIAS not in properties else dict(properties)


def _whole(text: str, name: str, warn: Callable[[str], None]) -> int:
    try:
        return int(text)
    except ValueError:
        warn(f"Failed parsing value of {name}: {text}: not a whole number; using 0")
        return 0
