"""The provider reads the zones that it is told to, and sends what they take, a batch after the other."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.external_dns.core.endpoint import Endpoint
from testbed.external_dns.core.facts import release_of
from testbed.external_dns.offline.hosted_zones_in_memory import HostedZones, InitialZone
from testbed.external_dns.provider.aws_provider import AwsProvider, ProviderOptions, SubmitError
from testbed.external_dns.provider.change_batches import BatchLimits
from tests.external_dns.releases import READ

ZONE = "/hostedzone/Z"


def _zones() -> HostedZones:
    return HostedZones([InitialZone("example.com", ZONE)])


def _sent(zone: HostedZones, version: str, waited: list[float], **options: Any) -> list[str]:
    lines: list[str] = []

    def say(level: str, message: str, *_: object, **__: str) -> None:
        lines.append(f"{level}: {message}")

    provider = AwsProvider(
        zone,  # type: ignore[arg-type]
        release_of(version),
        ProviderOptions(**options),
        say,
        wait=waited.append,
    )
    provider.zones()
    changes = [
        change
        for name in ("a", "b", "c")
        for change in provider.changes("CREATE", Endpoint(f"{name}.example.com", "A", ("192.0.2.1",)))
    ]
    provider.submit(changes)
    return lines


@pytest.mark.parametrize("version", READ)
def test_a_large_change_goes_in_batches_with_a_pause_between_them(version: str) -> None:
    zone, waited = _zones(), list[float]()
    _sent(zone, version, waited, batches=BatchLimits(2), batch_interval=7.0)
    assert [len(batch.changes) for batch in zone.batches] == [2, 1]
    assert waited == [7.0]


@pytest.mark.parametrize("version", READ)
def test_a_refused_batch_stops_no_other_of_its_zone(version: str) -> None:
    zone, waited = _zones(), list[float]()
    zone.throttled_calls = 1
    with pytest.raises(SubmitError, match=r"failed to submit all changes for the following zones: \[/host"):
        _sent(zone, version, waited, batches=BatchLimits(1))
    assert {record["Name"] for record in zone.records(ZONE)} == {"b.example.com.", "c.example.com."}


def test_the_zone_list_is_read_again_when_its_time_is_over() -> None:
    zone, now, lines = _zones(), [0.0], list[str]()

    def say(level: str, message: str, *_: object, **__: str) -> None:
        lines.append(message)

    options = ProviderOptions(zones_cache=60.0)
    provider = AwsProvider(zone, release_of("v0.22"), options, say, lambda: now[0])  # type: ignore[arg-type]
    for moment in (0.0, 59.0, 60.0):
        now[0] = moment
        provider.zones()
    read = ["Retrieving AWS zones.", "Considering zone: /hostedzone/Z (domain: example.com.)"]
    assert lines == [*read, "Using cached AWS zones, zone count: 1.", *read]
