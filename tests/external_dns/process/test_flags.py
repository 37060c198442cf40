"""Flags are taken as their version has them, and nothing is taken that would be ignored."""

from __future__ import annotations

import pytest

from testbed.errors import BadInput
from testbed.external_dns.core.facts import release_of
from testbed.external_dns.process.flags import parse, shown
from tests.external_dns.releases import READ

GIVEN = ("--source=service", "--policy=sync")


@pytest.mark.parametrize("version", READ)
@pytest.mark.parametrize("flag", ["--kubeconfig=/x", "--cloudflare-proxied", "--aws-sd-service-cleanup"])
def test_a_flag_that_is_not_emulated_is_refused_by_name(version: str, flag: str) -> None:
    with pytest.raises(BadInput, match=f"does not emulate {flag.partition('=')[0]}"):
        parse([*GIVEN, flag], release_of(version), {})


def test_v0_22_wants_a_policy_and_v0_7_4_has_one() -> None:
    with pytest.raises(BadInput, match="--policy must be set explicitly"):
        parse(["--source=service"], release_of("v0.22"), {})
    assert parse(["--source=service"], release_of("v0.7.4"), {}).policy == "sync"


def test_prefix_and_suffix_exclude_each_other() -> None:
    with pytest.raises(BadInput, match="mutually exclusive"):
        parse([*GIVEN, "--txt-prefix=a", "--txt-suffix=b"], release_of("v0.22"), {})


def test_an_empty_owner_is_refused() -> None:
    with pytest.raises(BadInput, match="owner id cannot be empty"):
        parse([*GIVEN, "--txt-owner-id="], release_of("v0.22"), {})


@pytest.mark.parametrize(
    ("flag", "before", "since"),
    [
        ("--txt-wildcard-replacement=any", "v0.7.4", "v0.7.5"),
        ("--managed-record-types=A", "v0.7.5", "v0.22"),
        ("--annotation-prefix=example.org/", "v0.7.5", "v0.22"),
        ("--migrate-from-txt-owner=old", "v0.7.5", "v0.22"),
    ],
)
def test_a_flag_of_a_later_release_is_unknown_before(flag: str, before: str, since: str) -> None:
    with pytest.raises(BadInput, match="unknown long flag"):
        parse([*GIVEN, flag], release_of(before), {})
    parse([*GIVEN, flag], release_of(since), {})


def test_the_environment_fills_what_is_not_given() -> None:
    given = parse(
        ["--source=service"],
        release_of("v0.22"),
        {
            "EXTERNAL_DNS_POLICY": "upsert-only",
            "EXTERNAL_DNS_AWS_EVALUATE_TARGET_HEALTH": "false",
            "EXTERNAL_DNS_MANAGED_RECORD_TYPES": "A\nCNAME",
            "EXTERNAL_DNS_DOMAIN_FILTER": "example.com.\nexample.org",
        },
    )
    assert given.policy == "upsert-only"
    assert given.evaluate_target_health is False
    assert given.managed == ("A", "CNAME")
    assert [given.zones.domains.matches(f"a.example.{end}") for end in ("com", "org", "net")] == [
        True,
        True,
        False,
    ]


def test_encryption_wants_a_key_of_32_bytes() -> None:
    with pytest.raises(BadInput, match="must be set when TXT record encryption is enabled"):
        parse([*GIVEN, "--txt-encrypt-enabled"], release_of("v0.22"), {})
    with pytest.raises(BadInput, match="must be 32 bytes long"):
        parse([*GIVEN, "--txt-encrypt-aes-key=short"], release_of("v0.22"), {})
    given = parse(
        [*GIVEN, "--txt-encrypt-enabled", f"--txt-encrypt-aes-key={'k' * 32}"], release_of("v0.22"), {}
    )
    assert (given.encrypts_txt, given.txt_key) == (True, b"k" * 32)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--ignore-hostname-annotation"], "FQDN Template must be set if ignoring annotations"),
        (["--fqdn-template={{.Name"], "an action is not closed"),
        (["--service-type-filter=Balancer"], "'Balancer' is not a type of Service"),
        (["--label-filter=a=b,(c"], "is not a label selector"),
        (
            ["--ingress-class=alb", "--annotation-filter=kubernetes.io/ingress.class=alb"],
            "--ingress-class is mutually exclusive",
        ),
    ],
)
def test_flags_that_the_real_one_refuses_at_its_start_are_refused(flags: list[str], told: str) -> None:
    with pytest.raises(BadInput) as error:
        parse([*GIVEN, *flags], release_of("v0.22"), {})
    assert told in str(error.value)


def test_before_v0_13_an_unknown_type_of_service_matches_nothing() -> None:
    assert parse([*GIVEN, "--service-type-filter=Any"], release_of("v0.7.5"), {}).service_types == ("Any",)


def test_metrics_are_served_where_a_port_is_given_and_only_then() -> None:
    assert parse(GIVEN, release_of("v0.22"), {}).metrics_port is None
    assert parse([*GIVEN, "--metrics-address=:7979"], release_of("v0.22"), {}).metrics_port == 7979
    for text in ("7979:", "localhost", ":70000"):
        with pytest.raises(BadInput, match="has no port"):
            parse([*GIVEN, f"--metrics-address={text}"], release_of("v0.22"), {})


def test_a_key_is_never_shown() -> None:
    given = ["--once", "--txt-encrypt-aes-key=secret", "--txt-encrypt-aes-key", "secret", "--policy=sync"]
    assert "secret" not in " ".join(shown(given))
    assert shown(given)[-1] == "--policy=sync"
