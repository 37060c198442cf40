"""Ingress groups: their members in order, and the finalizers of the members.

A group is explicit (a name, across namespaces) or implicit (one Ingress). An Ingress that left a group, or is
being deleted, stays an inactive member until the group is deployed without it and its finalizer is removed
(pkg/ingress/{group,group_loader,finalizer}.go).
"""

from __future__ import annotations

import enum
import re

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.kubernetes import object_fields
from testbed.lb_controller.core.annotations import of_ingress
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ControllerOptions,
    Group,
    GroupID,
    KubernetesObject,
    Member,
)
from testbed.lb_controller.core.facts import Fact, integer_bits
from testbed.lb_controller.ingress import ingress_classes
from testbed.lb_controller.ingress.ingress_classes import IngressObjects, InvalidIngressClass

EXPLICIT_FINALIZER_PREFIX = "group.ingress.k8s.aws/"
IMPLICIT_FINALIZER = "ingress.k8s.aws/resources"
_NAME = re.compile(r"([a-z0-9][-a-z0-9.]*)?[a-z0-9]\Z")
_LONGEST_NAME = 63
_ORDERS = range(-1000, 1001)
_POSITIVE_ORDERS = range(1, 1001)


class InvalidIngressGroup(BuildError):
    """The name of the group is invalid."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"invalid ingress group: {reason}")


class Membership(enum.Enum):
    """The relation of an Ingress to a group."""

    NONE = "none"
    ACTIVE = "active"
    INACTIVE = "inactive"


def check_group_name(name: str) -> None:
    """Check a group name: lower-case alphanumerics, `-` and `.`, alphanumeric at both ends, at most 63.

    Raises:
        BuildError: the name is invalid.
    """
    if not _NAME.match(name):
        raise BuildError(
            "groupName must consist of lower case alphanumeric characters, '-' or '.', "
            "and must start and end with an alphanumeric character"
        )
    if len(name) > _LONGEST_NAME:
        raise BuildError(f"groupName must be no more than {_LONGEST_NAME} characters")


def finalizer(group: GroupID) -> str:
    """The finalizer that members of the group carry."""
    return f"{EXPLICIT_FINALIZER_PREFIX}{group.name}" if group.is_explicit else IMPLICIT_FINALIZER


def has_finalizer(group: GroupID, ingress: KubernetesObject) -> bool:
    """True if the Ingress was deployed as a member of this group."""
    if not group.is_explicit and group != implicit_group(ingress):
        return False
    return finalizer(group) in object_fields.finalizers(ingress)


def implicit_group(ingress: KubernetesObject) -> GroupID:
    """The group of an Ingress that names no group."""
    return GroupID(object_fields.namespace(ingress), object_fields.name(ingress))


def groups_pending_finalization(ingress: KubernetesObject) -> tuple[GroupID, ...]:
    """The groups whose finalizers the Ingress still carries; they are deployed again when it changes."""
    found = []
    for item in object_fields.finalizers(ingress):
        if item == IMPLICIT_FINALIZER:
            found.append(implicit_group(ingress))
        elif item.startswith(EXPLICIT_FINALIZER_PREFIX):
            found.append(GroupID("", item.removeprefix(EXPLICIT_FINALIZER_PREFIX)))
    return tuple(found)


def group_of_member(member: Member) -> GroupID:
    """The group of a classified Ingress: from class parameters, from the annotation, or its own.

    Raises:
        InvalidIngressGroup: the name is invalid.
    """
    of_class = object_fields.spec(member.class_params).get("group")
    name = of_class["name"] if of_class else of_ingress(member.ingress).text("group.name")
    if name is None:
        return implicit_group(member.ingress)
    try:
        check_group_name(name)
    except BuildError as error:
        raise InvalidIngressGroup(str(error)) from None
    return GroupID("", name)


def find_group(
    ingress: KubernetesObject,
    known: IngressObjects,
    options: ControllerOptions,
    *,
    manage_unclassified: bool | None = None,
) -> tuple[Member, GroupID] | None:
    """The group that an Ingress belongs to now; None if the Ingress is being deleted or not handled.

    With `manage_unclassified` None the flag decides: "" includes Ingresses without class.

    Raises:
        InvalidIngressClass: its class is missing or forbids it.
        InvalidIngressGroup: the name of its group is invalid.
    """
    if object_fields.is_being_deleted(ingress):
        return None
    if manage_unclassified is None:
        manage_unclassified = options.ingress_class == ""
    member, is_ours = ingress_classes.classify(
        ingress,
        known,
        options.ingress_class,
        manage_unclassified=manage_unclassified,
        release=options.release,
    )
    return (member, group_of_member(member)) if is_ours else None


def membership(
    group: GroupID, ingress: KubernetesObject, known: IngressObjects, options: ControllerOptions
) -> tuple[Membership, Member | None]:
    """The relation of an Ingress to a group, with the class and parameters of an active member.

    Raises:
        BuildError: a former member's class became invalid. The group fails, so that an Ingress
            whose class was broken by accident loses nothing.
    """
    was_member = has_finalizer(group, ingress)
    try:
        found = find_group(ingress, known, options)
    except InvalidIngressClass as error:
        if was_member:
            raise BuildError(f"Ingress has invalid IngressClass configuration: {error}") from None
        return Membership.NONE, None
    except InvalidIngressGroup:
        found = None  # an invalid name leaves the group
    if found and found[1] == group:
        return Membership.ACTIVE, found[0]
    return (Membership.INACTIVE if was_member else Membership.NONE), None


def load_group(group: GroupID, known: IngressObjects, options: ControllerOptions) -> Group:
    """Load a group with its members in order.

    Raises:
        BuildError: a former member's class became invalid, or an order is invalid.
    """
    members: list[Member] = []
    inactive: list[KubernetesObject] = []
    for ingress in known.ingresses:
        try:
            standing, member = membership(group, ingress, known, options)
        except BuildError as error:
            raise BuildError(f"Ingress: {object_fields.key(ingress)}: {error}") from None
        if member:
            members.append(member)
        elif standing is Membership.INACTIVE:
            inactive.append(ingress)
    return Group(id=group, members=sort_members(members, options.release), inactive=tuple(inactive))


def group_ids(known: IngressObjects, options: ControllerOptions) -> list[GroupID]:
    """All groups that have members, active or not, sorted."""
    found: set[GroupID] = set()
    for ingress in known.ingresses:
        found.update(groups_pending_finalization(ingress))
        try:
            member_of = find_group(ingress, known, options)
        except BuildError:
            continue  # not a member of any group; a former member fails when its group is loaded
        if member_of:
            found.add(member_of[1])
    return sorted(found, key=str)


def sort_members(
    members: list[Member], release: Release = LB_CONTROLLER_RELEASES.newest
) -> tuple[Member, ...]:
    """The members by `group.order` (default 0), then by `namespace/name`.

    Raises:
        BuildError: an order is not a number or out of range; up to v2.4, also if two are equal.
    """
    allowed = _POSITIVE_ORDERS if release.has(Fact.POSITIVE_UNIQUE_ORDERS) else _ORDERS
    orders: dict[str, int] = {}
    explicit: set[int] = set()
    for member in members:
        key = object_fields.key(member.ingress)
        try:
            order = of_ingress(member.ingress).integer("group.order", bits=integer_bits(release))
        except BuildError as error:
            raise BuildError(f"failed to load Ingress group order for ingress: {key}: {error}") from None
        if order is not None:
            if order not in allowed:
                limits = f"[{allowed[0]}:{allowed[-1]}]"
                raise BuildError(
                    f"explicit Ingress group order must be within {limits}, Ingress: {key}, order: {order}"
                )
            if release.has(Fact.POSITIVE_UNIQUE_ORDERS) and order in explicit:
                raise BuildError(f"conflict Ingress group order: {order}")
            explicit.add(order)
        orders[key] = order or 0
    return tuple(sorted(members, key=lambda item: (orders[key := object_fields.key(item.ingress)], key)))
