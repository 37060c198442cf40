"""Flags are taken as their version has them, and nothing is taken that would be ignored."""

from __future__ import annotations

import pytest

from testbed.errors import BadInput
from testbed.external_dns.flags import parse
from testbed.external_dns.profile import PROFILES, profile

GIVEN = ("--source=service", "--policy=sync")


@pytest.mark.parametrize("version", PROFILES)
def test_an_unknown_flag_is_refused(version: str) -> None:
    with pytest.raises(BadInput, match="fqdn-template"):
        parse([*GIVEN, "--fqdn-template={{.Name}}"], profile(version), {})


def test_v0_22_wants_a_policy_and_v0_7_4_has_one() -> None:
    with pytest.raises(BadInput, match="--policy must be set explicitly"):
        parse(["--source=service"], profile("v0.22"), {})
    assert parse(["--source=service"], profile("v0.7.4"), {}).policy == "sync"


def test_prefix_and_suffix_exclude_each_other() -> None:
    with pytest.raises(BadInput, match="mutually exclusive"):
        parse([*GIVEN, "--txt-prefix=a", "--txt-suffix=b"], profile("v0.22"), {})


def test_v0_7_4_has_no_wildcard_replacement() -> None:
    with pytest.raises(BadInput):
        parse([*GIVEN, "--txt-wildcard-replacement=any"], profile("v0.7.4"), {})
    given = parse([*GIVEN, "--txt-wildcard-replacement=any"], profile("v0.7.5"), {})
    assert given.txt_wildcard == "any"


def test_the_environment_fills_what_is_not_given() -> None:
    given = parse(["--source=service"], profile("v0.22"), {"EXTERNAL_DNS_POLICY": "upsert-only"})
    assert given.policy == "upsert-only"


@pytest.mark.parametrize(("text", "seconds"), [("1m30s", 90.0), ("1h", 3600.0), ("500ms", 0.5)])
def test_an_interval_is_a_go_duration(text: str, seconds: float) -> None:
    assert parse([*GIVEN, f"--interval={text}"], profile("v0.22"), {}).interval == seconds


def test_a_wrong_duration_is_refused() -> None:
    with pytest.raises(BadInput, match="not a duration"):
        parse([*GIVEN, "--interval=soon"], profile("v0.22"), {})
