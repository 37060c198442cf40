from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions, GroupID, Member
from testbed.lb_controller.ingress import groups
from testbed.lb_controller.ingress.groups import Membership
from testbed.lb_controller.ingress.ingress_classes import IngressObjects
from tests.lb_controller.examples import ingress

OPTIONS = ControllerOptions()
APP = GroupID("", "app")


def known(*ingresses: dict[str, object]) -> IngressObjects:
    return IngressObjects.of(ingresses)


def with_finalizer(item: dict[str, object], finalizer: str, *, is_deleted: bool = False) -> dict[str, object]:
    metadata = {**item["metadata"], "finalizers": [finalizer]}  # type: ignore[dict-item]
    if is_deleted:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return {**item, "metadata": metadata}


def test_members_come_by_order_and_then_by_name() -> None:
    items = known(
        ingress("z", **{"group.name": "app"}),
        ingress("b", **{"group.name": "app", "group.order": "5"}),
        ingress("a", **{"group.name": "app", "group.order": "5"}),
        ingress("c", **{"group.name": "app", "group.order": "-1"}),
        ingress("alone"),
    )

    group = groups.load_group(APP, items, OPTIONS)

    assert [member.ingress["metadata"]["name"] for member in group.members] == ["c", "z", "a", "b"]
    assert groups.group_ids(items, OPTIONS) == [APP, GroupID("default", "alone")]


def test_a_deleted_member_stays_inactive_until_its_finalizer_is_off() -> None:
    item = ingress("a", **{"group.name": "app"})
    deleted = with_finalizer(item, "group.ingress.k8s.aws/app", is_deleted=True)

    assert groups.load_group(APP, known(deleted), OPTIONS).inactive == (deleted,)
    assert groups.group_ids(known(deleted), OPTIONS) == [APP]


def test_a_renamed_group_concerns_the_old_one_too() -> None:
    moved = with_finalizer(ingress("a", **{"group.name": "new"}), "group.ingress.k8s.aws/app")

    assert groups.membership(APP, moved, known(moved), OPTIONS)[0] is Membership.INACTIVE
    assert groups.membership(GroupID("", "new"), moved, known(moved), OPTIONS)[0] is Membership.ACTIVE
    assert groups.group_ids(known(moved), OPTIONS) == [APP, GroupID("", "new")]


def test_a_broken_class_fails_the_group_of_a_former_member_only() -> None:
    item = ingress("a", spec={"ingressClassName": "gone"}, **{"group.name": "app"})
    del item["metadata"]["annotations"]["kubernetes.io/ingress.class"]
    former = with_finalizer(item, "group.ingress.k8s.aws/app")

    assert groups.load_group(APP, known(item), OPTIONS).members == ()
    with pytest.raises(BuildError) as raised:
        groups.load_group(APP, known(former), OPTIONS)
    assert str(raised.value) == (
        "Ingress: default/a: Ingress has invalid IngressClass configuration: "
        'invalid ingress class: ingressclasses.networking.k8s.io "gone" not found'
    )


def test_up_to_v2_4_orders_are_positive_and_used_once() -> None:
    def sort(*orders: str, release: Release = LB_CONTROLLER_RELEASES.oldest) -> None:
        members = [
            Member(ingress=ingress(f"i{index}", **{"group.order": order}))
            for index, order in enumerate(orders)
        ]
        groups.sort_members(members, release)

    sort("-3", "-3", release=LB_CONTROLLER_RELEASES.newest)
    with pytest.raises(BuildError, match=r"must be within \[1:1000\], Ingress: default/i0, order: -3"):
        sort("-3")
    with pytest.raises(BuildError, match="conflict Ingress group order: 7"):
        sort("7", "7")


@given(st.permutations(range(6)), st.lists(st.integers(-1000, 1000), min_size=6, max_size=6))
def test_the_order_of_members_does_not_depend_on_how_they_are_listed(
    permutation: list[int], orders: list[int]
) -> None:
    members = [
        Member(ingress=ingress(f"i{index}", **{"group.order": str(order)}))
        for index, order in enumerate(orders)
    ]

    assert groups.sort_members([members[index] for index in permutation]) == groups.sort_members(members)
