"""What another release makes of the same flags: refused ones are dropped and named, defaults are compared."""

from __future__ import annotations

import pytest

from testbed.errors import BadInput
from testbed.external_dns.core.facts import release_of
from testbed.external_dns.offline.flag_changes import changed_defaults, started
from testbed.external_dns.process.argument_parser import NotEmulated

GIVEN = ("--source=service", "--txt-owner-id=me")


def changes(arguments: tuple[str, ...], old: str, new: str) -> list[str]:
    first, second = (started(arguments, release_of(tag)).flags for tag in (old, new))
    return list(changed_defaults(first, second))


def test_a_flag_that_a_release_lacks_is_named_and_the_rest_goes_on() -> None:
    found = started((*GIVEN, "--exclude-record-types=AAAA", "--min-ttl=5m"), release_of("v0.7.5"))
    assert [one.split(":")[0] for one in found.refusals] == [
        "v0.7.5 does not start with --exclude-record-types",
        "v0.7.5 does not start with --min-ttl",
    ]
    assert found.flags.owner == "me"


def test_a_policy_that_a_release_demands_is_the_one_that_was_meant() -> None:
    found = started(GIVEN, release_of("v0.22.0"), "upsert-only")
    assert found.flags.policy == "upsert-only"
    assert found.refusals == (
        "v0.22.0 does not start without --policy; this goes on with --policy=upsert-only",
    )
    assert started(GIVEN, release_of("v0.21.0")).refusals == ()


def test_a_variable_of_the_environment_is_a_flag() -> None:
    found = started(GIVEN, release_of("v0.22.0"), variables={"EXTERNAL_DNS_POLICY": "create-only"})
    assert (found.flags.policy, found.refusals) == ("create-only", ())


@pytest.mark.parametrize("argument", ["--registry=dynamodb", "nonsense"])
def test_what_no_release_takes_is_bad_input(argument: str) -> None:
    with pytest.raises(BadInput):
        started(("--interval=x", argument), release_of("v0.21.0"))


def test_a_flag_that_is_not_emulated_is_refused_and_never_dropped() -> None:
    with pytest.raises(NotEmulated, match="--zone-name-filter"):
        started((*GIVEN, "--zone-name-filter=a"), release_of("v0.21.0"))


def test_the_default_prefix_of_v0_22_is_another_one() -> None:
    found = changes((*GIVEN, "--policy=sync"), "v0.21.0", "v0.22.0")
    assert found == [
        "--annotation-prefix: external-dns.alpha.kubernetes.io/ before, external-dns.kubernetes.io/ after"
    ]


def test_the_record_types_of_v0_13_5_have_aaaa() -> None:
    assert "--managed-record-types: A, CNAME before, A, AAAA, CNAME after" in changes(
        GIVEN, "v0.13.4", "v0.13.5"
    )


def test_neighbours_with_the_same_defaults_have_no_change() -> None:
    assert changes(GIVEN, "v0.18.0", "v0.19.0") == []
