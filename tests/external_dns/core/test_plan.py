"""The plan turns what is there into what is asked for, for every version and policy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.dated_releases import Release
from testbed.external_dns.core import plan as planning
from testbed.external_dns.core.endpoint import OWNER, RESOURCE, Endpoint
from testbed.external_dns.core.facts import release_of
from testbed.external_dns.core.plan import Changes
from tests.external_dns.releases import READ

NEW = release_of("v0.22")


def endpoint(
    target: str, resource: str = "service/default/web", name: str = "app.test", **more: str
) -> Endpoint:
    return Endpoint(name, "A", (target,), labels={RESOURCE: resource, **more})


targets = st.sampled_from(["192.0.2.1", "192.0.2.2", "192.0.2.3"])
resources = st.sampled_from(["service/default/web", "ingress/default/web", "ingress/default/api"])
names = st.sampled_from(["app.test", "api.test"])
claims = st.lists(st.builds(endpoint, targets, resources, names), max_size=5)
records = st.lists(
    st.builds(
        lambda target, resource, name: endpoint(target, resource, name, owner="me"), targets, resources, names
    ),
    max_size=2,
    unique_by=lambda one: one.name,
)
versions = st.sampled_from([release_of(name) for name in READ])


def applied(have: list[Endpoint], changes: Changes) -> dict[str, Endpoint]:
    left = {one.name: one for one in have if one not in changes.delete and one not in changes.update_old}
    return left | {one.name: one for one in (*changes.create, *changes.update_new)}


@given(records, claims, versions)
def test_after_a_plan_every_claimed_name_points_to_a_claimant_and_no_other_name_is_left(
    have: list[Endpoint], want: list[Endpoint], version: Release
) -> None:
    changes = planning.calculate(have, want, release=version, policy="sync", owner="me")
    zone = applied(have, changes)
    assert set(zone) == {one.name for one in want}
    assert all(
        (one.name, one.targets) in {(claim.name, claim.targets) for claim in want} for one in zone.values()
    )


@given(records, claims, versions)
def test_the_object_that_the_txt_names_keeps_its_name(
    have: list[Endpoint], want: list[Endpoint], version: Release
) -> None:
    changes = planning.calculate(have, want, release=version, policy="sync", owner="me")
    for record in have:
        if any((one.name, one.resource) == (record.name, record.resource) for one in want):
            assert applied(have, changes)[record.name].resource == record.resource


@given(records, claims, versions, st.sampled_from(["upsert-only", "create-only"]))
def test_the_policies_bar_deletes_and_updates(
    have: list[Endpoint], want: list[Endpoint], version: Release, policy: str
) -> None:
    changes = planning.calculate(have, want, release=version, policy=policy, owner="me")
    assert changes.delete == ()
    assert policy == "upsert-only" or changes.update_new == ()


def test_a_txt_without_an_object_gives_the_name_to_the_smallest_target() -> None:
    have = Endpoint("app.test", "A", ("192.0.2.9",), labels={OWNER: "me"})
    found, reason = planning.resolve_update(have, [endpoint("192.0.2.2"), endpoint("192.0.2.1")], NEW)
    assert (found.targets, reason) == (("192.0.2.1",), planning.Reason.SMALLEST_TARGET)


@pytest.mark.parametrize(("version", "differs"), [("v0.7.5", []), ("v0.22", ["aws/evaluate-target-health"])])
def test_target_health_alone_is_an_update_since_v0_13_6(version: str, differs: list[str]) -> None:
    have, want = (
        endpoint("192.0.2.1").with_properties({planning.EVALUATE: value}) for value in ("true", "false")
    )
    assert planning.property_differences(have, want, release_of(version)) == differs
    assert planning.properties_differ(have, want, release_of(version)) is bool(differs)


def test_a_name_is_one_whatever_its_case_and_final_dot() -> None:
    have = endpoint("192.0.2.1", name="app.test", owner="me")
    changes = planning.calculate(
        [have], [endpoint("192.0.2.1", name="App.test.")], release=NEW, policy="sync", owner="me"
    )
    assert not changes


def test_changes_of_another_owner_are_left_out_with_a_line_for_each() -> None:
    theirs = endpoint("192.0.2.1", owner="you")
    changes = planning.calculate([theirs], [], release=NEW, policy="sync", owner="me")
    assert not changes
    assert changes.skipped == (
        f'Skipping endpoint {theirs} because owner id does not match (found: "you", required: "me")',
    )
