"""Tags that users and flags add to the resources of the controller (pkg/ingress/model_build_tags.go).

The tags of `--default-tags` win over those of annotations, unless the feature gate
EnableDefaultTagsLowPriority reverses that; those of IngressClassParams win over the annotation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from testbed.kubernetes import object_fields
from testbed.lb_controller.core.annotations import of_ingress
from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions, KubernetesObject, Member
from testbed.lb_controller.core.feature_gates import Gate, is_on


def with_defaults(tags: Mapping[str, str], options: ControllerOptions) -> dict[str, str]:
    """Some tags merged with those of the flag."""
    if is_on(Gate.ENABLE_DEFAULT_TAGS_LOW_PRIORITY, options):
        return {**options.default_tags, **tags}
    return {**tags, **options.default_tags}


def of_group(members: Sequence[Member], options: ControllerOptions) -> dict[str, str]:
    """The tags of what the group shares: load balancer, listeners, security group.

    Raises:
        BuildError: two members give a tag different values, or a tag is managed externally.
    """
    merged: dict[str, str] = {}
    for member in members:
        for key, value in of_member(member, options).items():
            if merged.setdefault(key, value) != value:
                raise BuildError(f"conflicting tag {key}: {merged[key]} | {value}")
    return merged


def of_member(member: Member, options: ControllerOptions) -> dict[str, str]:
    """The tags of what belongs to one Ingress: its rules.

    Raises:
        BuildError: a tag is managed externally.
    """
    tags = of_ingress(member.ingress).mapping("tags") or {}
    _refuse_external(tags, options, f"Ingress {object_fields.key(member.ingress)}")
    return {**tags, **of_class_params(member, options)}


def of_backend(member: Member, service: KubernetesObject, options: ControllerOptions) -> dict[str, str]:
    """The tags of a target group, from Ingress and Service; for the same key the Service wins.

    Raises:
        BuildError: a tag is managed externally.
    """
    of_both = [of_ingress(item).mapping("tags") or {} for item in (member.ingress, service)]
    tags = {**of_both[0], **of_both[1]}
    where = f"Ingress {object_fields.key(member.ingress)} and Service {object_fields.key(service)}"
    _refuse_external(tags, options, where)
    return {**tags, **of_class_params(member, options)}


def of_class_params(member: Member, options: ControllerOptions) -> dict[str, str]:
    """The tags of the IngressClassParams, if any.

    Raises:
        BuildError: a tag is managed externally.
    """
    if member.class_params is None:
        return {}
    entries = object_fields.spec(member.class_params).get("tags") or ()
    tags = {entry["key"]: entry["value"] for entry in entries}
    _refuse_external(tags, options, f"IngressClassParams {object_fields.name(member.class_params)}")
    return tags


def check_external(tags: Iterable[str], options: ControllerOptions) -> None:
    """Refuse tags that `--external-managed-tags` reserves.

    Raises:
        BuildError: a tag is reserved.
    """
    for key in tags:
        if key in options.external_managed_tags:
            raise BuildError(f"external managed tag key {key} cannot be specified")


def _refuse_external(tags: Iterable[str], options: ControllerOptions, where: str) -> None:
    try:
        check_external(tags, options)
    except BuildError as error:
        raise BuildError(f"failed build tags for {where}: {error}") from None


def group_tags(members: Sequence[Member], options: ControllerOptions) -> dict[str, str]:
    """The tags of what the group shares, with those of the flag."""
    return with_defaults(of_group(members, options), options)
