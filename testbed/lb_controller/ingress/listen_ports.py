"""The ports that an Ingress listens on, and the settings that the members of a group agree on.

The rules of an Ingress go only onto the ports that it declares itself: without `listen-ports` onto 443 if it
names a certificate, else onto 80 (pkg/ingress/model_build_listener.go, model_builder.go).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.kubernetes import object_fields
from testbed.lb_controller.core import certificate_discovery as certificates
from testbed.lb_controller.core import go_json, go_text
from testbed.lb_controller.core.annotations import of_ingress
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    Member,
)
from testbed.lb_controller.core.facts import Fact, integer_bits
from testbed.lb_controller.core.stack import Action, Listener, MutualAuthentication
from testbed.lb_controller.ingress import mutual_authentication

HTTP = "HTTP"
HTTPS = "HTTPS"
PORTS = range(1, 65536)

Setting = TypeVar("Setting")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenPort:
    """The settings of a port, of one Ingress or merged for its group; sets are sorted tuples."""

    protocol: str
    inbound_cidrs: tuple[str, ...] = ()
    inbound_cidrs_ipv6: tuple[str, ...] = ()
    prefix_lists: tuple[str, ...] = ()
    ssl_policy: str | None = None
    certificates: tuple[str, ...] = ()
    mutual_authentication: MutualAuthentication | None = None

    def listener(
        self,
        number: int,
        default_actions: tuple[Action, ...],
        attributes: Mapping[str, str],
        tags: Mapping[str, str],
    ) -> Listener:
        """The listener of the stack on this port."""
        return Listener(
            port=number,
            protocol=self.protocol,
            default_actions=default_actions,
            certificates=self.certificates,
            ssl_policy=self.ssl_policy,
            mutual_authentication=self.mutual_authentication,
            attributes=attributes,
            tags=tags,
        )


def listen_ports(
    member: Member, cluster: ClusterState, release: Release = LB_CONTROLLER_RELEASES.newest
) -> dict[int, ListenPort]:
    """The ports of one Ingress.

    Raises:
        BuildError: an annotation is invalid, or no certificate matches one of its hosts.
    """
    chosen = explicit_certificates(member)
    inbound_ipv4, inbound_ipv6 = _inbound_cidrs(member)
    mutual = mutual_authentication.of_member(member)
    protocols = declared_ports(member, release)
    if HTTPS in protocols.values() and not chosen:
        chosen = certificates.discover(hosts(member), cluster.certificates)
    plain = ListenPort(
        protocol=HTTP,
        inbound_cidrs=inbound_ipv4,
        inbound_cidrs_ipv6=inbound_ipv6,
        prefix_lists=_prefix_lists(member),
    )
    tls = replace(plain, protocol=HTTPS, certificates=chosen, ssl_policy=_ssl_policy(member))
    return {
        port: plain if protocol == HTTP else replace(tls, mutual_authentication=mutual.get(port))
        for port, protocol in protocols.items()
    }


def explicit_certificates(member: Member) -> tuple[str, ...]:
    """The certificates of the class, else of the annotation `certificate-arn`."""
    of_class = object_fields.spec(member.class_params).get("certificateArn")
    return tuple(of_class or of_ingress(member.ingress).items("certificate-arn") or ())


def merge(wanted: Sequence[tuple[str, ListenPort]], options: ControllerOptions) -> ListenPort:
    """Merge the settings of a port.

    Args:
        wanted: the `namespace/name` and the settings of each member, in group order.

    Raises:
        BuildError: members do not agree.
    """
    protocol = _agreed("protocol", wanted, lambda port: port.protocol, str)
    inbound = _agreed(
        "inbound-cidrs", wanted, _inbound, lambda cidrs: ", ".join(map(go_text.bracketed, cidrs))
    )
    prefix_lists = _agreed("inbound-prefix-lists", wanted, lambda port: port.prefix_lists, go_text.bracketed)
    ssl_policy = _agreed("sslPolicy", wanted, lambda port: port.ssl_policy, str)
    if not inbound and not prefix_lists:
        inbound = (("0.0.0.0/0",), ("::/0",))
    ipv4, ipv6 = inbound or ((), ())
    return ListenPort(
        protocol=protocol or HTTP,
        inbound_cidrs=ipv4,
        inbound_cidrs_ipv6=ipv6,
        prefix_lists=prefix_lists or (),
        ssl_policy=ssl_policy or (options.default_ssl_policy if protocol == HTTPS else None),
        certificates=_merged_certificates([port.certificates for _, port in wanted], options.release),
        mutual_authentication=_agreed(
            "mTLS Attributes",
            wanted,
            lambda port: port.mutual_authentication,
            lambda mode: f"&{{{mode.mode}}}",
        ),
    )


def _merged_certificates(lists: Iterable[Sequence[str]], release: Release) -> tuple[str, ...]:
    """The default certificate, then the others for SNI.

    The first certificate of the first member that has one is the default. Newer releases list it as an SNI
    certificate too if it is named twice; the first releases sort a set.
    """
    arns = [arn for certificates_of_member in lists for arn in certificates_of_member]
    if not release.has(Fact.CERTIFICATES_IN_ORDER):
        return tuple(sorted(set(arns)))
    if not release.has(Fact.DEFAULT_CERTIFICATE_FOR_SNI):
        return tuple(dict.fromkeys(arns))
    return (*arns[:1], *dict.fromkeys(arns[1:]))


def _agreed(
    what: str,
    wanted: Sequence[tuple[str, ListenPort]],
    setting: Callable[[ListenPort], Setting | None],
    printed: Callable[[Setting], str],
) -> Setting | None:
    """The value of the members that set it; None if no member does."""
    provider, agreed = "", None
    for key, port in wanted:
        value = setting(port)
        if not value:  # an empty list counts as not set, as in the controller
            continue
        if not agreed:
            provider, agreed = key, value
        elif value != agreed:
            raise BuildError(f"conflicting {what}, {provider}: {printed(agreed)} | {key}: {printed(value)}")
    return agreed


def _inbound(port: ListenPort) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    both = port.inbound_cidrs, port.inbound_cidrs_ipv6
    return both if any(both) else None


def declared_ports(member: Member, release: Release = LB_CONTROLLER_RELEASES.newest) -> dict[int, str]:
    """The protocols by port: `listen-ports`, else HTTPS 443 with a certificate, else HTTP 80.

    Raises:
        BuildError: the annotation is invalid.
    """
    found = of_ingress(member.ingress).text("listen-ports")
    if found is None:
        return {443: HTTPS} if explicit_certificates(member) else {80: HTTP}
    try:
        entries = go_json.read(go_text.from_json(found), [{"": int}], integer_bits(release))
    except BuildError as error:
        raise BuildError(f"failed to parse listen-ports configuration: `{found}`: {error}") from None
    if not entries:
        raise BuildError(f"empty listen-ports configuration: `{found}`")
    protocols: dict[int, str] = {}
    for entry in entries:
        for protocol, port in entry.items():
            if port not in PORTS:
                raise BuildError(f"listen port must be within [1, 65535]: {port}")
            if protocol not in (HTTP, HTTPS):
                raise BuildError(f"listen protocol must be within [{HTTP}, {HTTPS}]: {protocol}")
            protocols[port] = protocol
    return protocols


def _inbound_cidrs(member: Member) -> tuple[tuple[str, ...], tuple[str, ...]]:
    of_class = object_fields.spec(member.class_params).get("inboundCIDRs")
    cidrs = of_class or of_ingress(member.ingress).items("inbound-cidrs") or ()
    for cidr in cidrs:
        try:
            go_text.check_cidr(cidr)
        except BuildError as error:
            if of_class:
                where = f"invalid CIDR in IngressClassParams InboundCIDR {cidr}"
            else:
                where = f"invalid inbound-cidrs settings on Ingress: {object_fields.key(member.ingress)}"
            raise BuildError(f"{where}: {error}") from None
    return (
        tuple(sorted({cidr for cidr in cidrs if ":" not in cidr})),
        tuple(sorted({cidr for cidr in cidrs if ":" in cidr})),
    )


def _prefix_lists(member: Member) -> tuple[str, ...]:
    params = object_fields.spec(member.class_params)
    of_class = params.get("prefixListsIDs") or params.get("PrefixListsIDs")  # the CRD has both spellings
    ids = of_class or of_ingress(member.ingress).items("security-group-prefix-lists") or ()
    return tuple(sorted(set(ids)))


def _ssl_policy(member: Member) -> str | None:
    of_class = object_fields.spec(member.class_params).get("sslPolicy")
    return of_class or of_ingress(member.ingress).text("ssl-policy")


def hosts(member: Member) -> tuple[str, ...]:
    """The hosts of rules and `spec.tls`, sorted, for which certificates are looked up."""
    spec = object_fields.spec(member.ingress)
    found = {rule["host"] for rule in spec.get("rules") or () if rule.get("host")}
    found.update(host for tls in spec.get("tls") or () for host in tls.get("hosts") or ())
    return tuple(sorted(found))
