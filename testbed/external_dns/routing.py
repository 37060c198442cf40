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

_CONTINENT = "aws/geolocation-continent-code"
_COUNTRY = "aws/geolocation-country-code"
_SUBDIVISION = "aws/geolocation-subdivision-code"
_MULTI = "aws/multi-value-answer"
_BIAS = "aws/geoproximity-bias"
_COORDINATES = "aws/geoproximity-coordinates"
_PROXIMITY = {"aws/geoproximity-region": "AWSRegion", "aws/geoproximity-local-zone-group": "LocalZoneGroup"}
_SIMPLE = {"aws/weight": "Weight", "aws/region": "Region", "aws/failover": "Failover"}
_POLICIES = frozenset((*_SIMPLE, _CONTINENT, _COUNTRY, _SUBDIVISION, *_PROXIMITY, _BIAS, _COORDINATES))


def policies(found: Mapping[str, str]) -> frozenset[str]:
    """The properties whose coming or going is a change of the kind of policy, which no UPSERT can make."""
    return _POLICIES & found.keys()


def properties(record: Mapping[str, Any], *, typed: bool) -> dict[str, str]:
    """The properties of a record that has a set identifier; v0.7.x knows no geoproximity."""
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
    near = record.get("GeoProximityLocation", {}) if typed else {}
    found |= {name: near[field] for name, field in _PROXIMITY.items() if field in near}
    if "Coordinates" in near:
        found[_COORDINATES] = f"{near['Coordinates']['Latitude']},{near['Coordinates']['Longitude']}"
    if near:
        found[_BIAS] = str(near.get("Bias", 0))
    return found


def fields(found: Mapping[str, str], warn: Callable[[str], None], *, typed: bool) -> dict[str, Any]:
    """The fields that properties ask for, of a record that has a set identifier."""
    record: dict[str, Any] = {field: found[name] for name, field in _SIMPLE.items() if name in found}
    if "Weight" in record:
        record["Weight"] = _whole(record["Weight"], "aws/weight", warn)
    if _MULTI in found:
        record["MultiValueAnswer"] = True
    if _CONTINENT in found:
        record["GeoLocation"] = {"ContinentCode": found[_CONTINENT]}
    elif _COUNTRY in found or _SUBDIVISION in found:
        codes = {"CountryCode": _COUNTRY, "SubdivisionCode": _SUBDIVISION}
        record["GeoLocation"] = {field: found[name] for field, name in codes.items() if name in found}
    if not typed:
        return record
    near: dict[str, Any] = {field: found[name] for name, field in _PROXIMITY.items() if name in found}
    if _COORDINATES in found:
        latitude, _, longitude = found[_COORDINATES].partition(",")
        near["Coordinates"] = {"Latitude": latitude, "Longitude": longitude}
    if near:
        record["GeoProximityLocation"] = near | {"Bias": _whole(found.get(_BIAS, "0"), _BIAS, warn)}
    return record


def adjusted(found: Mapping[str, str]) -> dict[str, str]:
    """Properties with the bias 0 that Route 53 gives a geoproximity record without one."""
    is_near = _COORDINATES in found or any(name in found for name in _PROXIMITY)
    return {**found, _BIAS: "0"} if is_near and _BIAS not in found else dict(found)


def _whole(text: str, name: str, warn: Callable[[str], None]) -> int:
    try:
        return int(text)
    except ValueError:
        warn(f"Failed parsing value of {name}: {text}: not a whole number; using 0")
        return 0
