"""What a dated fact of the controller means to a person: what it does where the fact holds, and where not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from testbed.lb_controller.core import class_params
from testbed.lb_controller.core.facts import Fact


class Sentence(NamedTuple):
    """Two clauses about the controller, each with its own subject, or with that of the first."""

    holds: str
    otherwise: str


_SENTENCES: Mapping[Fact, Sentence] = {
    Fact.PATH_TYPES: Sentence("a path matches by its pathType", "every path is used as written"),
    Fact.PATHS_SORTED_BY_TYPE: Sentence(
        "within a host, Exact paths come first, then Prefix paths, the longest first, then the others",
        "paths are matched in the order of the Ingress",
    ),
    Fact.INGRESS_WEBHOOK: Sentence(
        "a webhook refuses an Ingress with a wrong class or group when it is applied",
        "a wrong class or group shows only as an event",
    ),
    Fact.MISSING_BACKENDS_TOLERATED: Sentence(
        "a rule whose Service is missing answers 503", "a missing Service stops the whole Ingress group"
    ),
    Fact.CERTIFICATES_IN_ORDER: Sentence(
        "the first certificate that a group names is the listener's default",
        "certificates are sorted by their ARN, and the first is the default",
    ),
    Fact.DEFAULT_CERTIFICATE_FOR_SNI: Sentence(
        "a default certificate that is named twice is also among those for SNI", "it is listed once"
    ),
    Fact.POSITIVE_UNIQUE_ORDERS: Sentence(
        "group.order is a number from 1 to 1000 that no other Ingress of the group has",
        "group.order is a number from -1000 to 1000, and two Ingresses may have the same",
    ),
    Fact.PROTECTED_GROUP_STAYS: Sentence(
        "an ALB with deletion_protection stays when its last Ingress goes, and an event says so",
        "the controller tries to delete it",
    ),
    Fact.BACKEND_SECURITY_GROUP: Sentence(
        "all load balancers share one security group, which the nodes and pods admit",
        "the nodes and pods admit the security group of each load balancer",
    ),
    Fact.TARGET_PORTS_RESTRICTED: Sentence(
        "nodes and pods admit only the ports of targets and health checks", "they admit all TCP ports"
    ),
    Fact.EMPTY_PORT_REFUSED: Sentence(
        "instance targets of a Service without node ports are refused by the controller, with an event",
        "a target group of port 0 is asked for, which AWS refuses",
    ),
    Fact.EMPTY_PORT_EXPLAINED: Sentence(
        "that event names the types of Service that have node ports",
        "it says only that a port is empty",
    ),
    Fact.BINDING_HAS_PROTOCOL: Sentence(
        "a TargetGroupBinding has targetGroupProtocol", "a TargetGroupBinding has no protocol"
    ),
    Fact.DUALSTACK_NEEDS_IPV6_SUBNETS: Sentence(
        "a dualstack load balancer takes only subnets with IPv6, and is refused if there are none",
        "subnets are taken whether they have IPv6 or not",
    ),
    Fact.NUMBERS_OF_32_BITS: Sentence(
        "a number in an annotation has at most 32 bits", "it may have up to 64 bits"
    ),
    Fact.PORTS_IN_INGRESS_STATUS: Sentence(
        "the status of an Ingress lists the ports of its listeners", "it has the hostname only"
    ),
    Fact.TYPE_EXTERNAL: Sentence(
        "aws-load-balancer-type: external gives a Service to this controller",
        "only aws-load-balancer-type: nlb-ip does",
    ),
    Fact.NLB_INTERNAL_BY_DEFAULT: Sentence(
        "an NLB without the scheme annotation is internal", "an NLB without an annotation is internet-facing"
    ),
    Fact.ALPN_BEFORE_PLAIN_TARGETS: Sentence(
        "a TLS listener with an ALPN policy may have TCP targets", "an ALPN policy needs TLS targets"
    ),
    Fact.LOAD_BALANCER_CLASS: Sentence(
        "spec.loadBalancerClass decides whether a Service is this controller's", "it does not count"
    ),
    Fact.SERVICE_WEBHOOK: Sentence(
        "a webhook gives each new Service of type LoadBalancer the class service.k8s.aws/nlb",
        "a Service without class and annotations is the cloud provider's",
    ),
    Fact.SOURCE_NAT_PREFIX: Sentence(
        "an NLB says whether IPv6 source addresses are translated", "it does not say so"
    ),
    Fact.ERRORS_OF_SDK_V2: Sentence(
        "events quote AWS errors with operation and request", "events quote AWS errors by their code"
    ),
    Fact.RULES_WITHOUT_GAP: Sentence(
        "rules that move change their priority, so no request meets a gap",
        "a rule that is inserted rewrites all rules behind it, one by one",
    ),
    Fact.TRANSFORMS: Sentence("the transforms.* annotations rewrite host and URL", "they do not count"),
    Fact.DEFAULT_CERTIFICATE_LISTED: Sentence(
        "the default certificate of a listener is also added to its list for SNI", "it is not in the list"
    ),
    Fact.FRONTEND_NLB_TAGS: Sentence("a frontend NLB has the tags of its group", "it has none"),
    Fact.FRONTEND_NLB_OWN_SUBNETS: Sentence(
        "a frontend NLB takes subnets of its own scheme", "it takes those of its ALB"
    ),
    Fact.ICMP_FRAGMENTATION_NEEDED: Sentence(
        "path MTU discovery admits ICMP type 3 code 4", "it admits ICMP type 2 code 3"
    ),
    Fact.GATEWAYS_OF_LAYER_4: Sentence(
        "Gateways with TCPRoute, UDPRoute or TLSRoute get an NLB", "these Gateways are not read"
    ),
    Fact.GATEWAYS_OF_LAYER_7: Sentence(
        "Gateways with HTTPRoute or GRPCRoute get an ALB", "these Gateways are not read"
    ),
    Fact.GATEWAY_KINDS_OF_V1: Sentence(
        "the kinds of gateway.k8s.aws, TCPRoute and UDPRoute are read in v1",
        "they are read in v1beta1, TCPRoute and UDPRoute in v1alpha2",
    ),
}


def sentence_of(fact: Fact) -> Sentence | None:
    """Return what a fact means; of a field of IngressClassParams, that it counts; None if it is not said."""
    fields = [name for name, read_since in class_params.FIELDS.items() if read_since is fact]
    if not fields:
        return _SENTENCES.get(fact)
    names = ", ".join(dict.fromkeys(name[0].lower() + name[1:] for name in fields))
    if len(fields) > 1:
        return Sentence(f"{names} of IngressClassParams count", "they do not count")
    return Sentence(f"{names} of IngressClassParams counts", "it does not count")
