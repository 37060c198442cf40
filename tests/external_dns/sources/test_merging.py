"""Endpoints of one name become one, as far as DNS allows it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from testbed.external_dns.core.endpoint import RESOURCE, Endpoint
from testbed.external_dns.sources.merging import merged, merged_services


def endpoint(target: str, resource: str = "service/default/web", kind: str = "A") -> Endpoint:
    return Endpoint("app.test", kind, (target,), labels={RESOURCE: resource})


endpoints = st.lists(
    st.builds(
        endpoint,
        st.sampled_from(["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
        st.sampled_from(["service/a/b", "service/a/c"]),
        st.sampled_from(["A", "AAAA"]),
    ),
    max_size=6,
)


def test_addresses_of_one_name_are_merged_and_the_first_label_stays() -> None:
    absorbed: list[tuple[Endpoint, Endpoint]] = []
    first, second = endpoint("192.0.2.2"), endpoint("192.0.2.1", "service/default/api")
    [found] = merged([first, second], lambda _: None, lambda kept, other: absorbed.append((kept, other)))
    assert found.targets == ("192.0.2.1", "192.0.2.2")
    assert found.resource == "service/default/web"
    assert absorbed == [(first, second)]


def test_cnames_with_different_targets_stay_apart_with_a_warning() -> None:
    warnings: list[str] = []
    found = merged([endpoint("a.test", kind="CNAME"), endpoint("b.test", kind="CNAME")], warnings.append)
    assert [one.targets for one in found] == [("a.test",), ("b.test",)]
    assert len(warnings) == 1
    assert warnings[0].startswith(
        "Only one CNAME per name \u2014 app.test CNAME a.test and app.test CNAME b.test"
    )


def test_services_are_merged_under_the_smallest_label() -> None:
    [found] = merged_services(
        [endpoint("192.0.2.1", "service/b/web"), endpoint("192.0.2.2", "service/a/web")]
    )
    assert found.resource == "service/a/web"
    assert found.targets == ("192.0.2.1", "192.0.2.2")


@given(endpoints)
def test_no_target_is_lost_and_none_appears(given_endpoints: list[Endpoint]) -> None:
    def targets(of: list[Endpoint]) -> set[tuple[str, str]]:
        return {(one.type, target) for one in of for target in one.targets}

    once = merged(given_endpoints, lambda _: None)
    assert targets(once) == targets(given_endpoints)
    assert len({one.type for one in once}) == len(once)
    assert merged(once, lambda _: None) == once
