"""The flags decide which zones the provider manages and how it sends changes."""

from __future__ import annotations

import sys

import pytest

from testbed.external_dns.core.facts import release_of
from testbed.external_dns.process.flags import parse
from testbed.external_dns.provider.hosted_zone_filter import Zone
from testbed.external_dns.provider.provider_options import ProviderOptions


def test_flags_are_options_of_the_provider() -> None:
    arguments = ["--source=service", "--policy=sync", "--aws-batch-change-interval=2s", "--dry-run"]
    flags = parse(
        [*arguments, "--domain-filter=a.test", "--aws-zones-cache-duration=1h"], release_of("v0.22"), {}
    )
    assert isinstance(flags, ProviderOptions)
    assert (flags.batch_interval, flags.zones_cache, flags.dry_run) == (2.0, 3600.0, True)
    assert flags.zones.takes(Zone("/hostedzone/Z", "a.test"))
    assert not flags.zones.takes(Zone("/hostedzone/Z", "b.test"))


@pytest.mark.parametrize(("version", "most"), [("v0.7.5", sys.maxsize), ("v0.22", 32_000)])
def test_the_bytes_of_a_batch_are_limited_since_v0_14_1(version: str, most: int) -> None:
    flags = parse(["--source=service", "--policy=sync"], release_of(version), {})
    assert (flags.batches.changes, flags.batches.bytes) == (1000, most)


def test_without_flags_all_zones_are_managed() -> None:
    assert ProviderOptions().zones.takes(Zone("/hostedzone/Z", "a.test", is_private=True))
