"""What one release of the AWS Load Balancer Controller does and another does not, as dated facts.

Code asks `release.has(Fact.X)` and never compares version numbers. A fact that is only an annotation or a
feature gate has no row here.

Sources: the controller's issues and pull requests by number (#), its documentation, its code at a tag, and
recordings of the real controller v2.8.3, v2.13.4 and v3.5.0.
"""

from __future__ import annotations

from testbed import dated_releases
from testbed.dated_releases import Dates, Release


class Fact(dated_releases.Fact):
    """A behaviour, by what the controller does where the fact holds."""

    PATH_TYPES = Dates("v2.2.0", source="code of v2.1.0 and v2.2.0: before, every path is used as written")
    PATHS_SORTED_BY_TYPE = Dates("v2.4.3", source="#2409; its release by #3413 and #2903")
    CLASS_PARAMETERS = Dates("v2.2.0", source="IngressClassParams: first in the code of v2.2.0")
    INGRESS_WEBHOOK = Dates("v2.2.0", source="code of v2.2.0: webhooks/networking/ingress_validator.go")
    MISSING_BACKENDS_TOLERATED = Dates("v2.2.0", source="code: a fixed 503 since v2.2.0, before an error")
    CERTIFICATES_IN_ORDER = Dates("v2.2.0", source="#1836, #1863: before, a sorted set")
    DEFAULT_CERTIFICATE_FOR_SNI = Dates("v2.13.0", source="#3070, #4113; recorded: v2.8.3 lists it once")
    POSITIVE_UNIQUE_ORDERS = Dates(until="v2.5.0", source="code up to v2.4: group.order from 1, no two equal")
    PROTECTED_GROUP_STAYS = Dates("v2.3.0", source="#2172, merged after v2.2.4 was branched off")
    BACKEND_SECURITY_GROUP = Dates("v2.3.0", source="#2118, #2319: one security group for all targets")
    TARGET_PORTS_RESTRICTED = Dates("v2.3.0", source="#2236: before, all TCP ports of the targets")
    EMPTY_PORT_REFUSED = Dates(
        "v2.13.0",
        source="#4238 complains of v2.13; recorded: v2.8.3 builds a target group of port 0, v2.13.4 does not",
    )
    EMPTY_PORT_EXPLAINED = Dates("v2.13.4", source="#4243: the text names the types of Service")
    BINDING_HAS_PROTOCOL = Dates(
        "v2.15.0",
        source="recorded: targetGroupProtocol at v3.5.0, not at v2.13.4; QUIC, which needs it, is of v2.15.0",
    )
    DUALSTACK_NEEDS_IPV6_SUBNETS = Dates("v3.5.0", source="release notes of v3.5.0; recorded")
    NUMBERS_OF_32_BITS = Dates("v2.9.0", source="AWS SDK for Go v2; recorded: int64 at v2.8.3, then int32")
    PORTS_IN_INGRESS_STATUS = Dates(
        "v2.13.0", source="#4126, which compares them; recorded at v3.5.0, without a protocol"
    )

    TYPE_EXTERNAL = Dates("v2.2.0", source="documentation of Services: aws-load-balancer-type external")
    NLB_INTERNAL_BY_DEFAULT = Dates("v2.2.0", source="documentation of Services: annotation scheme, internal")
    ALPN_BEFORE_PLAIN_TARGETS = Dates("v2.3.0", source="#2145: v2.1 and v2.2 demand TLS targets")
    LOAD_BALANCER_CLASS = Dates("v2.4.0", source="documentation of Services: spec.loadBalancerClass")
    SERVICE_WEBHOOK = Dates("v2.5.0", source="webhooks/core/service_mutator.go; on by the chart's default")
    SOURCE_NAT_PREFIX = Dates("v2.10.0", source="annotation enable-prefix-for-ipv6-source-nat; recordings")

    ERRORS_OF_SDK_V2 = Dates("v2.9.0", source="AWS SDK for Go v2 since v2.9.0")
    RULES_WITHOUT_GAP = Dates("v2.12.0", source="#4039: before, rules are matched by priority alone")
    TRANSFORMS = Dates(
        "v2.14.1", source="annotation transforms.*: first in v2.14.1; recorded ModifyRule of v3.5.0"
    )
    DEFAULT_CERTIFICATE_LISTED = Dates(
        "v3.3.0", source="recorded AddListenerCertificates of v3.5.0; dated as certificates in the model"
    )

    FRONTEND_NLB_TAGS = Dates("v2.14.0", source="annotation frontend-nlb-tags; recorded: v2.13.4 sets none")
    FRONTEND_NLB_OWN_SUBNETS = Dates(
        "v2.14.0",
        source="recorded: v2.13.4 puts an internal NLB into the public subnets of its ALB, v3.5.0 into "
        "private ones; the release of the change is not known",
    )
    ICMP_FRAGMENTATION_NEEDED = Dates(
        "v2.14.0",
        source="recorded: v2.13.4 admits ICMP type 2 code 3, v3.5.0 type 3 code 4; the release of the change "
        "is not known",
    )

    GATEWAYS_OF_LAYER_4 = Dates("v2.13.3", source="TCPRoute, UDPRoute and TLSRoute by an NLB")
    GATEWAYS_OF_LAYER_7 = Dates("v2.14.0", source="HTTPRoute and GRPCRoute by an ALB")

    GATEWAY_KINDS_OF_V1 = Dates(
        "v3.5.0", source="release notes: gateway.k8s.aws/v1, and TCPRoute and UDPRoute of Gateway API v1.6"
    )

    # Fields of IngressClassParams. The first release of those that v2.8.3 reads is general knowledge. Where
    # two recordings part the releases, the first release after the older one is taken.
    CLASS_ATTRIBUTES = Dates("v2.4.2", source="loadBalancerAttributes: recorded, v2.8.3 reads it")
    CLASS_INBOUND_CIDRS = Dates("v2.5.0", source="inboundCIDRs: recorded, v2.8.3 reads it")
    CLASS_SSL_POLICY = Dates("v2.5.0", source="sslPolicy: general knowledge, not recorded")
    CLASS_SUBNETS = Dates("v2.5.0", source="subnets: general knowledge, not recorded")
    CLASS_CERTIFICATES = Dates("v2.8.0", source="certificateArn: recorded, v2.8.3 reads it")
    CLASS_PREFIX_LISTS = Dates("v2.8.0", source="with annotation security-group-prefix-lists; not recorded")
    CLASS_TARGET_TYPE = Dates("v2.9.0", source="targetType: recorded, v2.8.3 ignores it, v2.13.4 reads it")
    CLASS_ALB_NAME = Dates("v2.9.0", source="loadBalancerName: not recorded; taken as targetType")
    CLASS_LISTENERS = Dates("v2.9.0", source="with annotation listener-attributes; not recorded")
    CLASS_CAPACITY = Dates("v2.11.0", source="with annotation minimum-load-balancer-capacity; not recorded")
    CLASS_IPAM = Dates("v2.12.0", source="with annotation ipam-ipv4-pool-id; not recorded")
    CLASS_WEB_ACL = Dates("v2.13.0", source="wafv2AclArn: general knowledge, not recorded")
    CLASS_WEB_ACL_NAME = Dates("v2.14.0", source="with annotation wafv2-acl-name; not recorded")
    CLASS_SSL_REDIRECT = Dates(
        "v2.14.0", source="sslRedirectPort: recorded, v2.13.4 ignores it, v3.5.0 reads it"
    )


def integer_bits(release: Release) -> int:
    """The size of the integers that annotations are parsed as, which shows in messages."""
    return 32 if release.has(Fact.NUMBERS_OF_32_BITS) else 64
