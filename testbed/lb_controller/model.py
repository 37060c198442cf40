"""The stack of an Ingress group: one ALB and all that hangs on it (pkg/ingress/model_builder.go)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from testbed.lb_controller import gotext, listen_ports, load_balancer, objects
from testbed.lb_controller.annotations import of_ingress
from testbed.lb_controller.inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    Group,
    Member,
    Version,
)
from testbed.lb_controller.listen_ports import HTTP, HTTPS, ListenPort
from testbed.lb_controller.rules import Rulebook
from testbed.lb_controller.stack import Action, FixedResponse, Listener, ListenerRule, Redirect, Stack
from testbed.lb_controller.target_groups import Surroundings

TAG_PREFIX = "ingress.k8s.aws"
NOT_FOUND = Action(
    type="fixed-response", fixed_response=FixedResponse(status_code="404", content_type="text/plain")
)


def build_ingress_group(group: Group, cluster: ClusterState, options: ControllerOptions) -> Stack:
    """What is wanted for a group; without members an empty stack, so that everything is deleted.

    Raises:
        BuildError: one member is invalid or contradicts another; the whole group stays as it is.
    """
    empty = Stack(id=str(group.id), cluster_name=options.cluster_name, tag_prefix=TAG_PREFIX)
    # The guard came in August 2021, after v2.2.
    for ingress in group.inactive if options.version is not Version.V2_1 else ():
        if load_balancer.has_deletion_protection(ingress):
            name = objects.name(ingress)
            raise BuildError(f"deletion_protection is enabled, cannot delete the ingress: {name}")
    if not group.members:
        return empty
    members_of, ports = _ports(group, cluster, options)
    frontend = load_balancer.build(group, ports, cluster, options)
    knows_redirect = options.version is not Version.V2_1  # it came with v2.2
    redirect = ssl_redirect(group.members, ports) if knows_redirect else None
    balancer = frontend.load_balancer
    book = Rulebook(
        cluster,
        Surroundings(
            group=group.id,
            options=options,
            is_dualstack=balancer.ip_address_type == load_balancer.DUALSTACK,
            backend_security_group=frontend.backend_security_group,
        ),
    )
    listeners: list[Listener] = []
    rules: list[ListenerRule] = []
    for number, port in sorted(ports.items()):
        is_redirected = redirect if port.protocol == HTTP else None
        default = (is_redirected,) if is_redirected else _default_actions(book, port, members_of[number])
        listeners.append(
            Listener(
                port=number,
                protocol=port.protocol,
                default_actions=default,
                certificates=port.certificates,
                ssl_policy=port.ssl_policy,
                mutual_authentication=port.mutual_authentication,
                attributes=listener_attributes(members_of[number], number, port.protocol),
                tags=load_balancer.group_tags(members_of[number], options),
            )
        )
        if not is_redirected:
            rules += book.rules(number, port.protocol, members_of[number])
    return replace(
        empty,
        load_balancer=balancer,
        security_groups=(frontend.security_group,) if frontend.security_group else (),
        listeners=tuple(listeners),
        rules=tuple(rules),
        target_groups=tuple(book.target_groups.values()),
        bindings=tuple(book.bindings.values()),
        web_acl_arn=web_acl_arn(group.members),
        covered_rules=tuple(book.covered_rules),
    )


def ssl_redirect(members: Sequence[Member], ports: dict[int, ListenPort]) -> Action | None:
    """The redirect of all HTTP listeners to one HTTPS port, if a member or its class asks for it.

    Raises:
        BuildError: members differ, or that port is no HTTPS listener of the group.
    """
    explicit: set[int] = set()
    for member in members:
        of_class = objects.spec(member.class_params).get("sslRedirectPort")
        if of_class:
            explicit.add(gotext.integer(str(of_class), bits=32))
            continue
        try:
            port = of_ingress(member.ingress).integer("ssl-redirect", bits=32)
        except BuildError as error:
            raise BuildError(f"ingress: {objects.key(member.ingress)}: {error}") from None
        if port is not None:
            explicit.add(port)
    if not explicit:
        return None
    if len(explicit) > 1:
        raise BuildError(f"conflicting sslRedirect port: {gotext.bracketed(sorted(explicit))}")
    port = explicit.pop()
    if port not in ports:
        raise BuildError(f"listener does not exist for SSLRedirect port: {port}")
    if ports[port].protocol != HTTPS:
        raise BuildError(f"listener protocol non-SSL for SSLRedirect port: {port}")
    return redirect_to(port)


def redirect_to(port: int) -> Action:
    """Permanent redirect to HTTPS on a port."""
    return Action(type="redirect", redirect=Redirect(port=str(port), protocol=HTTPS, status_code="HTTP_301"))


def listener_attributes(members: Sequence[Member], port: int, protocol: str) -> dict[str, str]:
    """`listener-attributes.<PROTOCOL>-<port>` of class and annotations, merged by key.

    Raises:
        BuildError: it is invalid, or members give a key different values.
    """
    of_class = {
        entry["key"]: entry["value"]
        for listener in objects.spec(members[0].class_params).get("listeners") or ()
        if (listener.get("protocol"), listener.get("port")) == (protocol, port)
        for entry in listener.get("listenerAttributes") or ()
    }
    suffix = f"listener-attributes.{protocol}-{port}"
    lists = [of_ingress(member.ingress).mapping(suffix) or {} for member in members]
    return load_balancer.merged_by_key(lists, of_class, "listener attributes")


def web_acl_arn(members: Sequence[Member]) -> str | None:
    """`wafv2-acl-arn` of class or annotation; `none` asks for none.

    Raises:
        BuildError: members differ.
    """
    explicit = set()
    for member in members:
        of_class = objects.spec(member.class_params).get("wafv2AclArn")
        arn = of_class or of_ingress(member.ingress).text("wafv2-acl-arn")
        if arn is not None:
            explicit.add(arn)
    if len(explicit) > 1:
        raise BuildError(f"conflicting WAFv2 WebACL ARNs: {gotext.bracketed(sorted(explicit))}")
    return next(iter(explicit), None)


def _ports(
    group: Group, cluster: ClusterState, options: ControllerOptions
) -> tuple[dict[int, list[Member]], dict[int, ListenPort]]:
    """Which members listen on which ports, and what they agreed on for each."""
    members_of: dict[int, list[Member]] = {}
    wanted: dict[int, list[tuple[str, ListenPort]]] = {}
    for member in group.members:
        key = objects.key(member.ingress)
        try:
            ports = listen_ports.listen_ports(member, cluster)
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
    with_default = [member for member in members if objects.spec(member.ingress).get("defaultBackend")]
    if not with_default:
        return (NOT_FOUND,)
    if len(with_default) > 1:
        keys = gotext.bracketed(objects.key(member.ingress) for member in with_default)
        raise BuildError(f"multiple ingress defined default backend: {keys}")
    (member,) = with_default
    backend = book.backend(member.ingress, objects.spec(member.ingress)["defaultBackend"])
    return book.actions(member, backend, port.protocol)
