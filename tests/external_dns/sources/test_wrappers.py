"""What lies between the sources and the plan."""

from __future__ import annotations

import pytest

from testbed.external_dns.core.endpoint import Endpoint
from testbed.external_dns.core.facts import release_of
from testbed.external_dns.sources.wrappers import deduplicated, post_processed, with_default_targets

CNAME = Endpoint("app.test", "CNAME", ("lb.test",))


def test_default_targets_leave_what_has_targets_and_warn() -> None:
    told: list[str] = []
    assert list(
        with_default_targets([CNAME], ("192.0.2.1",), release_of("v0.22"), told.append, force=False)
    ) == [CNAME]
    assert told[0].startswith('Source provided targets for "app.test" (CNAME), ignoring default targets')


def test_forced_default_targets_replace_all() -> None:
    found = list(
        with_default_targets([CNAME], ("192.0.2.1", "a.test"), release_of("v0.22"), pytest.fail, force=True)
    )
    assert [(one.type, one.targets) for one in found] == [("A", ("192.0.2.1",)), ("CNAME", ("a.test",))]


def test_an_endpoint_that_no_provider_takes_is_dropped_and_told_since_v0_21() -> None:
    told: list[str] = []
    wrong = Endpoint("app.test", "A", ("lb.test",), set_identifier="blue")

    def say(level: str, text: str, **_: str) -> None:
        told.append(f"{level}: {text}")

    assert list(deduplicated([wrong], release_of("v0.22"), say)) == []
    assert told == ["warning: Skipping endpoint [blue:app.test] due to invalid configuration [A:lb.test]"]
    assert list(deduplicated([wrong], release_of("v0.7.5"), say)) == [wrong]


def test_the_least_ttl_and_the_alias_fill_what_is_not_said() -> None:
    said = Endpoint("b.test", "CNAME", ("lb.test",), 30, properties={"alias": "false"})
    first, second = post_processed([CNAME, said], least_ttl=60, prefers_alias=True)
    assert (first.ttl, first.properties) == (60, {"alias": "true"})
    assert second == said
