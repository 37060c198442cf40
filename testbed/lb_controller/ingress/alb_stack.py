"""Builds the stack of an Ingress group: one ALB with listeners, rules and target groups.

Source: pkg/ingress/model_builder.go of the AWS Load Balancer Controller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.kubernetes import object_fields
from testbed.lb_controller.core import annotation_dates, go_text, tags
from testbed.lb_controller.core.annotations import of_ingress
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    Group,
    Member,
)
from testbed.lb_controller.core.facts import Fact, integer_bits
from testbed.lb_controller.core.frontend import DUALSTACK
from testbed.lb_controller.core.stack import Action, FixedResponse, Listener, ListenerRule, Redirect, Stack
from testbed.lb_controller.ingress import alb_settings, frontend_nlb, listen_ports
from testbed.lb_controller.ingress.alb_target_groups import Surroundings
from testbed.lb_controller.ingress.listen_ports import HTTP, HTTPS, ListenPort
from testbed.lb_controller.ingress.listener_rules import Rulebook

TAG_PREFIX = "ingress.k8s.aws"
NOT_FOUND = Action(
    type="fixed-response", fixed_response=FixedResponse(status_code="404", content_type="text/plain")
)


def build_ingress_group(group: Group, cluster: ClusterState, options: ControllerOptions) -> Stack:
    """Build the stack of a group; without members an empty stack, so that everything is deleted.

    Raises:
        BuildError: one member is invalid or contradicts another; the whole group stays as it is.
    """
    group, cluster = _read(group, options.release), annotation_dates.cluster_read_by(options.release, cluster)
    empty = Stack(id=str(group.id), cluster_name=options.cluster_name, tag_prefix=TAG_PREFIX)
    for ingress in group.inactive if options.release.has(Fact.PROTECTED_GROUP_STAYS) else ():
        if alb_settings.has_deletion_protection(ingress):
            name = object_fields.name(ingress)
            raise BuildError(f"deletion_protection is enabled, cannot delete the ingress: {name}")
    if not group.members:
        return empty
    members_of, ports = _ports(group, cluster, options)
    frontend = alb_settings.build(group, ports, cluster, options)
    redirect = ssl_redirect(group.members, ports, options.release)
    balancer = frontend.load_balancer
    book = Rulebook(
        cluster,
        Surroundings(
            group=group.id,
            options=options,
            is_dualstack=balancer.ip_address_type == DUALSTACK,
            backend_security_group=frontend.backend_security_group,
        ),
    )
    listeners: list[Listener] = []
    with_rules: list[tuple[int, ListenPort]] = []
    for number, port in sorted(ports.items()):
        is_redirected = redirect if port.protocol == HTTP else None
        default = (is_redirected,) if is_redirected else _default_actions(book, port, members_of[number])
        listeners.append(
            port.listener(
                number,
                default,
                attributes=listener_attributes(members_of[number], number, port.protocol),
                tags=tags.group_tags(members_of[number], options),
            )
        )
        if not is_redirected:
            with_rules.append((number, port))
    # Only now, because a conflict of default backends is named before a fault of any rule.
    rules: list[ListenerRule] = []
    for number, port in with_rules:
        rules += book.rules(number, port.protocol, members_of[number])
    return replace(
        empty,
        load_balancer=balancer,
        security_groups=(frontend.security_group,) if frontend.security_group else (),
        listeners=tuple(listeners),
        rules=tuple(rules),
        target_groups=tuple(book.target_groups.values()),
        bindings=tuple(book.bindings.values()),
        web_acl=web_acl(group.members),
        frontend_nlb=frontend_nlb.build(group, members_of, balancer, cluster, options),
        covered_rules=tuple(book.covered_rules),
    )


def ssl_redirect(
    members: Sequence[Member],
    ports: dict[int, ListenPort],
    release: Release = LB_CONTROLLER_RELEASES.newest,
) -> Action | None:
    """The redirect of all HTTP listeners to one HTTPS port, if a member or its class sets it.

    Raises:
        BuildError: members differ, or the port is not an HTTPS listener of the group.
    """
    explicit: set[int] = set()
    for member in members:
        of_class = object_fields.spec(member.class_params).get("sslRedirectPort")
        if of_class:
            explicit.add(go_text.integer(str(of_class), bits=integer_bits(release)))
            continue
        try:
            port = of_ingress(member.ingress).integer("ssl-redirect", bits=integer_bits(release))
        except BuildError as error:
            raise BuildError(f"ingress: {object_fields.key(member.ingress)}: {error}") from None
        if port is not None:
            explicit.add(port)
    if not explicit:
        return None
    if len(explicit) > 1:
        raise BuildError(f"conflicting sslRedirect port: {go_text.bracketed(sorted(explicit))}")
    port = explicit.pop()
    if port not in ports:
        raise BuildError(f"listener does not exist for SSLRedirect port: {port}")
    if ports[port].protocol != HTTPS:
        raise BuildError(f"listener protocol non-SSL for SSLRedirect port: {port}")
    return redirect_to(port)


def redirect_to(port: int) -> Action:
    """A permanent redirect to HTTPS on a port."""
    return Action(type="redirect", redirect=Redirect(port=str(port), protocol=HTTPS, status_code="HTTP_301"))


def listener_attributes(members: Sequence[Member], port: int, protocol: str) -> dict[str, str]:
    """The attributes `listener-attributes.<PROTOCOL>-<port>` of class and annotations, merged by key.

    Raises:
        BuildError: an annotation is invalid, or members give a key different values.
    """
    of_class = {
        entry["key"]: entry["value"]
        for listener in object_fields.spec(members[0].class_params).get("listeners") or ()
        if (listener.get("protocol"), listener.get("port")) == (protocol, port)
        for entry in listener.get("listenerAttributes") or ()
    }
    suffix = f"listener-attributes.{protocol}-{port}"
    lists = [of_ingress(member.ingress).mapping(suffix) or {} for member in members]
    return alb_settings.merged_by_key(lists, of_class, "listener attributes")


def web_acl(members: Sequence[Member]) -> str | None:
    """The web ACL: `wafv2-acl-arn` or else `wafv2-acl-name`, of class or annotation; `none` removes it.

    Raises:
        BuildError: members differ.
    """
    arns = alb_settings.explicit_values(members, "wafv2AclArn", "wafv2-acl-arn")
    names = alb_settings.explicit_values(members, "wafv2AclName", "wafv2-acl-name")
    for found, what in ((arns, "ARNs"), (names, "names")):
        if len(found) > 1:
            raise BuildError(f"conflicting WAFv2 WebACL {what}: {go_text.bracketed(sorted(found))}")
    return next(iter({**arns, **names}), None)


def _read(group: Group, release: Release) -> Group:
    """The group without the annotations that a release does not know."""
    members = tuple(
        replace(member, ingress=annotation_dates.read_by(release, member.ingress)) for member in group.members
    )
    return replace(group, members=members)


def _ports(
    group: Group, cluster: ClusterState, options: ControllerOptions
) -> tuple[dict[int, list[Member]], dict[int, ListenPort]]:
    """The members that listen on each port, and the settings that they agree on for it."""
    members_of: dict[int, list[Member]] = {}
    wanted: dict[int, list[tuple[str, ListenPort]]] = {}
    for member in group.members:
        key = object_fields.key(member.ingress)
        try:
            ports = listen_ports.listen_ports(member, cluster, options.release)
        except BuildError as error:
            raise BuildError(f"ingress: {key}: {error}") from None
        for number, port in ports.items():
            members_of.setdefault(number, []).append(member)
            wanted.setdefault(number, []).append((key, port))
    agreed = {}
    for number, wishes in wanted.items():
        try:
            agreed[number] = listen_ports.merge(wishes, options)
        except BuildError as error:
            raise BuildError(f"failed to merge listenPort config for port: {number}: {error}") from None
    return members_of, agreed


def _default_actions(book: Rulebook, port: ListenPort, members: Sequence[Member]) -> tuple[Action, ...]:
    with_default = [member for member in members if object_fields.spec(member.ingress).get("defaultBackend")]
    if not with_default:
        return (NOT_FOUND,)
    if len(with_default) > 1:
        keys = go_text.bracketed(object_fields.key(member.ingress) for member in with_default)
        raise BuildError(f"multiple ingress defined default backend: {keys}")
    (member,) = with_default
    backend = book.backend(member.ingress, object_fields.spec(member.ingress)["defaultBackend"])
    return book.actions(member, backend, port.protocol)
