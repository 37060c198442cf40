"""The frontend NLB of a group: a second balancer, whose listeners forward to the group's ALB.

```
NLB :80 ──► target group of type alb ──► listener :80 of the ALB
```

Each port of the ALB gets one at the NLB, unless the Ingress that declares it lists other pairs
(pkg/ingress/model_build_frontend_nlb.go). Recorded with v2.13.4 and v3.5.0; the texts of conflicts between
members are not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from testbed.kubernetes import object_fields
from testbed.lb_controller.core import go_text, resource_names, subnet_discovery
from testbed.lb_controller.core.annotations import Annotations, of_ingress
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    Group,
    Member,
)
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.frontend import INTERNAL, INTERNET_FACING, LONGEST_NAME
from testbed.lb_controller.core.stack import (
    FRONTEND_NLB_ID,
    TRAFFIC_PORT,
    Action,
    Forward,
    FrontendNlb,
    FrontendPort,
    HealthCheck,
    Kind,
    Listener,
    LoadBalancer,
    Matcher,
    Ref,
    Reference,
    SubnetMapping,
    TargetGroup,
    WeightedTargetGroup,
)
from testbed.lb_controller.core.tags import group_tags
from testbed.lb_controller.ingress.alb_settings import merged_by_key

_PREFIX = "frontend-nlb-"
_SUFFIX = "-nlb"
_TARGET_TYPE = "alb"
_PROTOCOL = "TCP"
_CHECK = HealthCheck(
    port=TRAFFIC_PORT,
    protocol="HTTP",
    path="/",
    matcher=Matcher(http_code="200"),
    interval_seconds=15,
    timeout_seconds=5,
    healthy_threshold=2,
    unhealthy_threshold=2,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Explicit:
    """What a member says of one port; None leaves it to other members, then to the default."""

    target_port: int
    port: int | str | None = None
    protocol: str | None = None
    path: str | None = None
    matcher: Matcher | None = None
    interval_seconds: int | None = None
    timeout_seconds: int | None = None
    healthy_threshold: int | None = None
    unhealthy_threshold: int | None = None


def build(
    group: Group,
    ports: Mapping[int, Sequence[Member]],
    alb: LoadBalancer,
    cluster: ClusterState,
    options: ControllerOptions,
) -> FrontendNlb | None:
    """Build the frontend NLB, if a member asks for one.

    Args:
        ports: the members that declare each port of the ALB.
        alb: the group's ALB.

    Raises:
        BuildError: members do not agree, or a setting is invalid.
    """
    if not is_wanted(group.members):
        return None
    scheme = frontend_scheme(group.members)
    tags = _tags(group.members, options)
    balancer = LoadBalancer(
        name=alb.name[: LONGEST_NAME - len(_SUFFIX)] + _SUFFIX,
        type="network",
        scheme=scheme,
        ip_address_type=alb.ip_address_type,
        subnet_mappings=_subnet_mappings(group.members, scheme, alb, cluster, options),
        security_groups=_security_groups(group.members, cluster) or alb.security_groups,
        attributes=_merged(group.members, "attributes", "frontend NLB attributes"),
        tags=tags,
    )
    wanted = _wanted_ports(ports)
    return FrontendNlb(
        load_balancer=balancer,
        ports=tuple(
            _port(number, _agreed(number, wanted[number]), group, tags, options) for number in sorted(wanted)
        ),
    )


def is_wanted(members: Sequence[Member]) -> bool:
    """The annotation `enable-frontend-nlb`.

    Raises:
        BuildError: it is not a boolean, or members differ.
    """
    suffix = "enable-frontend-nlb"
    found = {flag for member in members if (flag := of_ingress(member.ingress).boolean(suffix)) is not None}
    if len(found) > 1:
        raise BuildError("conflicting enable frontend NLB values")
    return next(iter(found), False)


def frontend_scheme(members: Sequence[Member]) -> str:
    """The annotation `frontend-nlb-scheme`: internal by default, whatever the ALB's is.

    Raises:
        BuildError: it is unknown, or members differ.
    """
    found = _texts(members, "scheme")
    if len(found) > 1:
        raise BuildError(f"conflicting scheme: {go_text.as_set(found)}")
    chosen = next(iter(found), INTERNAL)
    if chosen not in (INTERNAL, INTERNET_FACING):
        raise BuildError(f"unknown scheme: {chosen}")
    return chosen


def _port(
    number: int, agreed: _Explicit, group: Group, tags: Mapping[str, str], options: ControllerOptions
) -> FrontendPort:
    check = replace(_CHECK, **_given(agreed))
    suffix = resource_names.digest(
        options.cluster_name,
        group.id,
        agreed.target_port,
        _TARGET_TYPE,
        _PROTOCOL,
        check.port,
        check.protocol,
    )
    target_group = TargetGroup(
        id=f"{FRONTEND_NLB_ID}-tg-{_PROTOCOL}-{number}",
        name=resource_names.group_name(group.id, suffix),
        target_type=_TARGET_TYPE,
        port=agreed.target_port,
        protocol=_PROTOCOL,
        health_check=check,
        tags=tags,
    )
    forward = Forward(
        target_groups=(WeightedTargetGroup(target_group=Ref(Kind.TARGET_GROUP, target_group.id)),)
    )
    listener = Listener(
        port=number,
        protocol=_PROTOCOL,
        default_actions=(Action(type="forward", forward=forward),),
        tags=tags,
    )
    return FrontendPort(listener=listener, target_group=target_group, target_port=agreed.target_port)


def _wanted_ports(ports: Mapping[int, Sequence[Member]]) -> dict[int, list[tuple[str, _Explicit]]]:
    """The settings of each member, by port of the NLB."""
    wanted: dict[int, list[tuple[str, _Explicit]]] = {}
    for port, members in ports.items():
        for member in members:
            key = object_fields.key(member.ingress)
            try:
                pairs = _pairs(of_ingress(member.ingress))
                explicit = _explicit(of_ingress(member.ingress), port)
            except BuildError as error:
                raise BuildError(f"failed to compute listenPort config for ingress: {key}: {error}") from None
            for number in [port] if pairs is None else [at for at, target in pairs.items() if target == port]:
                wanted.setdefault(number, []).append((key, explicit))
    return wanted


def _pairs(annotations: Annotations) -> dict[int, int] | None:
    """`frontend-nlb-listener-port-mapping`: ports of the ALB by those of the NLB."""
    try:
        found = annotations.mapping(f"{_PREFIX}listener-port-mapping")
        if found is None:
            return None
        return {go_text.integer(at, bits=32): go_text.integer(to, bits=32) for at, to in found.items()}
    except BuildError as error:
        # `map[]` is the controller's: it prints what it has read so far.
        what = "failed to parse frontend-nlb-listener-port-mapping for ingress map[]"
        raise BuildError(f"{what}: {error}") from None


def _explicit(annotations: Annotations, target_port: int) -> _Explicit:
    def text(name: str) -> str | None:
        return annotations.text(f"{_PREFIX}healthcheck-{name}")

    def number(name: str) -> int | None:
        return annotations.integer(f"{_PREFIX}healthcheck-{name}", bits=32)

    port, protocol, codes = text("port"), text("protocol"), text("success-codes")
    if protocol not in (None, "HTTP", "HTTPS"):
        raise BuildError("healthCheckProtocol must be within [HTTP, HTTPS]")
    return _Explicit(
        target_port=target_port,
        port=port if port in (None, TRAFFIC_PORT) else go_text.integer(port, bits=32),
        protocol=protocol,
        path=text("path"),
        matcher=None if codes is None else Matcher(http_code=codes),
        interval_seconds=number("interval-seconds"),
        timeout_seconds=number("timeout-seconds"),
        healthy_threshold=number("healthy-threshold-count"),
        unhealthy_threshold=number("unhealthy-threshold-count"),
    )


def _agreed(number: int, wanted: Sequence[tuple[str, _Explicit]]) -> _Explicit:
    agreed = wanted[0][1]
    for key, other in wanted[1:]:
        for name, value in _given(other, with_target=True).items():
            have = getattr(agreed, name)
            if have not in (None, value):
                what = name.replace("_", " ")
                raise BuildError(
                    f"failed to merge frontend NLB listenPort config for port: {number}: "
                    f"conflicting {what}, {wanted[0][0]}: {have} | {key}: {value}"
                )
            agreed = replace(agreed, **{name: value})
    return agreed


def _given(explicit: _Explicit, *, with_target: bool = False) -> dict[str, Any]:
    """The settings that are not None, by their names in a health check."""
    names = [field.name for field in fields(explicit) if with_target or field.name != "target_port"]
    return {name: value for name in names if (value := getattr(explicit, name)) is not None}


def _subnet_mappings(
    members: Sequence[Member],
    scheme: str,
    alb: LoadBalancer,
    cluster: ClusterState,
    options: ControllerOptions,
) -> tuple[SubnetMapping, ...]:
    lists = _lists(members, "subnets")
    _refuse_different("subnets", lists, sorted)
    if lists:
        chosen = subnet_discovery.by_name_or_id(lists[0], cluster)
    else:
        has_own = options.release.has(Fact.FRONTEND_NLB_OWN_SUBNETS)
        of_scheme = scheme if has_own else alb.scheme
        chosen = subnet_discovery.discovered(cluster, of_scheme, alb.ip_address_type, options.release)
    allocations = _lists(members, "eip-allocations")
    _refuse_different("EIP allocations", allocations, list)
    if not allocations:
        return subnet_discovery.mappings(chosen)
    if scheme != INTERNET_FACING:
        raise BuildError("EIP allocations can only be set for internet facing load balancers")
    if len(allocations[0]) != len(chosen):
        raise BuildError(
            f"count of EIP allocations ({len(allocations[0])}) and subnets ({len(chosen)}) must match"
        )
    return tuple(
        SubnetMapping(subnet_id=subnet.id, allocation_id=allocation)
        for subnet, allocation in zip(chosen, allocations[0], strict=True)
    )


def _security_groups(members: Sequence[Member], cluster: ClusterState) -> tuple[Reference, ...]:
    lists = _lists(members, "security-groups")
    _refuse_different("securityGroups", lists, list)
    return tuple(subnet_discovery.security_group_ids(lists[0], cluster)) if lists else ()


def _tags(members: Sequence[Member], options: ControllerOptions) -> dict[str, str]:
    """The tags of the group, and those of `frontend-nlb-tags`, which win; none before that annotation."""
    if not options.release.has(Fact.FRONTEND_NLB_TAGS):
        return {}
    return {**group_tags(members, options), **_merged(members, "tags", "frontend NLB tags")}


def _merged(members: Sequence[Member], name: str, what: str) -> dict[str, str]:
    return merged_by_key(
        [of_ingress(member.ingress).mapping(f"{_PREFIX}{name}") or {} for member in members], {}, what
    )


def _texts(members: Sequence[Member], name: str) -> dict[str, None]:
    found = (of_ingress(member.ingress).text(f"{_PREFIX}{name}") for member in members)
    return dict.fromkeys(text for text in found if text is not None)


def _lists(members: Sequence[Member], name: str) -> list[list[str]]:
    found = (of_ingress(member.ingress).items(f"{_PREFIX}{name}") for member in members)
    return [items for items in found if items is not None]


def _refuse_different(what: str, lists: Sequence[list[str]], key: Callable[[list[str]], list[str]]) -> None:
    for other in lists[1:]:
        if key(other) != key(lists[0]):
            first, second = go_text.bracketed(lists[0]), go_text.bracketed(other)
            raise BuildError(f"conflicting {what}: {first} | {second}")
