"""Tags that users and flags put on what the controller makes (pkg/ingress/model_build_tags.go).

The tags of `--default-tags` win over those of annotations, unless the feature gate
EnableDefaultTagsLowPriority turns that round; those of IngressClassParams win over the annotation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from testbed.lb_controller import objects
from testbed.lb_controller.annotations import of_ingress
from testbed.lb_controller.inputs import BuildError, ControllerOptions, KubernetesObject, Member

LOW_PRIORITY_GATE = "EnableDefaultTagsLowPriority"


def with_defaults(tags: Mapping[str, str], options: ControllerOptions) -> dict[str, str]:
    """The tags together with those of the flag."""
    if options.feature_gates.get(LOW_PRIORITY_GATE):
        return {**options.default_tags, **tags}
    return {**tags, **options.default_tags}


def of_group(members: Sequence[Member], options: ControllerOptions) -> dict[str, str]:
    """Tags of what the group shares: load balancer, listeners, security group.

    Raises:
        BuildError: two members give a tag different values, or one belongs to somebody else.
    """
    merged: dict[str, str] = {}
    for member in members:
        for key, value in of_member(member, options).items():
            if merged.setdefault(key, value) != value:
                raise BuildError(f"conflicting tag {key}: {merged[key]} | {value}")
    return merged


def of_member(member: Member, options: ControllerOptions) -> dict[str, str]:
    """Tags of what belongs to one Ingress: its rules.

    Raises:
        BuildError: a tag belongs to somebody else.
    """
    tags = of_ingress(member.ingress).mapping("tags") or {}
    _refuse_external(tags, options, f"Ingress {objects.key(member.ingress)}")
    return {**tags, **of_class_params(member, options)}


def of_backend(member: Member, service: KubernetesObject, options: ControllerOptions) -> dict[str, str]:
    """Tags of a target group: of the Ingress and the Service; for the same key the Service wins.

    Raises:
        BuildError: a tag belongs to somebody else.
    """
    of_both = [of_ingress(item).mapping("tags") or {} for item in (member.ingress, service)]
    tags = {**of_both[0], **of_both[1]}
    where = f"Ingress {objects.key(member.ingress)} and Service {objects.key(service)}"
    _refuse_external(tags, options, where)
    return {**tags, **of_class_params(member, options)}


def of_class_params(member: Member, options: ControllerOptions) -> dict[str, str]:
    """Tags of the IngressClassParams, if any.

    Raises:
        BuildError: a tag belongs to somebody else.
    """
    if member.class_params is None:
        return {}
    entries = objects.spec(member.class_params).get("tags") or ()
    tags = {entry["key"]: entry["value"] for entry in entries}
    _refuse_external(tags, options, f"IngressClassParams {objects.name(member.class_params)}")
    return tags


def check_external(tags: Iterable[str], options: ControllerOptions) -> None:
    """Refuse tags that `--external-managed-tags` leaves to others.

    Raises:
        BuildError: one of them.
    """
    for key in tags:
        if key in options.external_managed_tags:
            raise BuildError(f"external managed tag key {key} cannot be specified")


def _refuse_external(tags: Iterable[str], options: ControllerOptions, where: str) -> None:
    try:
        check_external(tags, options)
    except BuildError as error:
        raise BuildError(f"failed build tags for {where}: {error}") from None
