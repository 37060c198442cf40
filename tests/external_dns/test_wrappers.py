"""What lies between the sources and the plan."""

from __future__ import annotations

import pytest

from testbed.external_dns.endpoint import Endpoint
from testbed.external_dns.profile import profile
from testbed.external_dns.validation import is_valid
from testbed.external_dns.wrappers import deduplicated, post_processed, with_default_targets

CNAME = Endpoint("app.test", "CNAME", ("lb.test",))


def test_default_targets_leave_what_has_targets_and_warn() -> None:
    told: list[str] = []
    assert list(with_default_targets([CNAME], ("192.0.2.1",), told.append, force=False)) == [CNAME]
    assert told[0].startswith('Source provided targets for "app.test" (CNAME), ignoring default targets')


def test_forced_default_targets_replace_all() -> None:
    found = list(with_default_targets([CNAME], ("192.0.2.1", "a.test"), pytest.fail, force=True))
    assert [(one.type, one.targets) for one in found] == [("A", ("192.0.2.1",)), ("CNAME", ("a.test",))]


def test_an_endpoint_that_no_provider_takes_is_dropped_and_told_since_v0_21() -> None:
    told: list[str] = []
    wrong = Endpoint("app.test", "A", ("lb.test",), set_identifier="blue")

    def say(level: str, text: str, **_: str) -> None:
        told.append(f"{level}: {text}")

    assert list(deduplicated([wrong], profile("v0.22"), say)) == []
    assert told == ["warning: Skipping endpoint [blue:app.test] due to invalid configuration [A:lb.test]"]
    assert list(deduplicated([wrong], profile("v0.7.5"), say)) == [wrong]


def test_the_least_ttl_and_the_alias_fill_what_is_not_said() -> None:
    said = Endpoint("b.test", "CNAME", ("lb.test",), 30, properties={"alias": "false"})
    first, second = post_processed([CNAME, said], least_ttl=60, prefers_alias=True)
    assert (first.ttl, first.properties) == (60, {"alias": "true"})
    assert second == said


@pytest.mark.parametrize(
    ("kind", "target", "valid"),
    [
        ("A", "192.0.2.1", True),
        ("A", "2001:db8::1", False),
        ("AAAA", "2001:db8::1", True),
        ("MX", "10 mail.test", True),
        ("MX", "70000 mail.test", False),
        ("SRV", "10 5 443 host.test.", True),
        ("SRV", "10 5 443 host.test", False),
        ("TXT", "", True),
    ],
)
def test_targets_must_fit_their_type(kind: str, target: str, *, valid: bool) -> None:
    assert is_valid(Endpoint("app.test", kind, (target,))) is valid
