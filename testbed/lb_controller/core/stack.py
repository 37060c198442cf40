"""The AWS resources that the controller wants for one Ingress group or one Service, as plain values.

A `Stack` holds all of them; `Ref` points to another resource of the same stack, whose ARN or id is only
known once it exists:

```
Stack ─┬─ security_groups    id "ManagedLBSecurityGroup"
       ├─ load_balancer      id "LoadBalancer"; None: delete everything that the stack had
       ├─ listeners          id "<port>"
       │    └─ rules         id "<port>:<priority>"
       ├─ target_groups      id "<namespace>/<ingress>-<service>:<port>" or "<namespace>/<service>:<port>"
       ├─ bindings           one per target group: the Service whose pods or nodes are its targets
       └─ frontend_nlb       a second balancer, in front of the first
```

Tuples are in the order in which the controller makes the resources. Mappings of attributes and tags hold
only what the controller sets; AWS fills in the rest. Source of the shape: pkg/model/{elbv2,ec2} of the AWS
Load Balancer Controller, and `expect` of the conformance cases model-e2e and nlb-service-e2e (see
`stack_json`).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

LOAD_BALANCER_ID = "LoadBalancer"
FRONTEND_NLB_ID = "FrontendNlb"
MANAGED_SECURITY_GROUP_ID = "ManagedLBSecurityGroup"
TRAFFIC_PORT = "traffic-port"
HTTP1 = "HTTP1"
HTTP2 = "HTTP2"
GRPC = "GRPC"
"""The protocol versions of a target group behind an ALB."""


class Kind(enum.StrEnum):
    """The kinds of resources that a `Ref` may point to."""

    LOAD_BALANCER = "LoadBalancer"
    SECURITY_GROUP = "SecurityGroup"
    TARGET_GROUP = "TargetGroup"


@dataclass(frozen=True, slots=True)
class Ref:
    """The ARN (for a security group the id) of another resource of the stack, once it exists."""

    kind: Kind
    id: str


Reference = Ref | str
"""A resource of this stack, or the ARN or id of a resource that exists in AWS already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubnetMapping:
    """One zone of a load balancer; the addresses are for NLBs only."""

    subnet_id: str
    allocation_id: str | None = None
    private_ipv4_address: str | None = None
    ipv6_address: str | None = None
    source_nat_ipv6_prefix: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancer:
    """The load balancer of the stack, type `application` or `network`."""

    name: str
    type: str
    scheme: str
    ip_address_type: str = "ipv4"
    subnet_mappings: tuple[SubnetMapping, ...] = ()
    security_groups: tuple[Reference, ...] = ()
    customer_owned_ipv4_pool: str | None = None
    ipv4_ipam_pool_id: str | None = None
    minimum_capacity: Mapping[str, int] = field(default_factory=dict)
    security_groups_inbound_rules_on_private_link: str | None = None
    enable_prefix_for_ipv6_source_nat: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class IpPermission:
    """One inbound rule of a security group; exactly one of the three sources is set."""

    ip_protocol: str
    from_port: int
    to_port: int
    cidr: str | None = None
    cidr_ipv6: str | None = None
    prefix_list: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroup:
    """The frontend security group that the controller makes when the user names none."""

    id: str
    group_name: str
    description: str
    ingress: tuple[IpPermission, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedResponse:
    """A response of the load balancer itself; `status_code` is text as in the API."""

    status_code: str
    content_type: str | None = None
    message_body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """A 301 or 302; the parts may hold `#{protocol}`, `#{host}`, `#{port}`, `#{path}`, `#{query}`."""

    status_code: str
    protocol: str | None = None
    host: str | None = None
    port: str | None = None
    path: str | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedTargetGroup:
    """One target group of a forward action; `weight` None leaves it to the API (1)."""

    target_group: Reference
    weight: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stickiness:
    """Stickiness: a client stays on the target group that it got first."""

    enabled: bool | None = None
    duration_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """A forward to one of the target groups, chosen by weight."""

    target_groups: tuple[WeightedTargetGroup, ...]
    stickiness: Stickiness | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate:
    """`authenticate-cognito` or `authenticate-oidc`, with the fields of the API by their API names."""

    config: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action of a rule. `type` is the API's; the member of that type is set, the others are None."""

    type: str
    forward: Forward | None = None
    redirect: Redirect | None = None
    fixed_response: FixedResponse | None = None
    authenticate: Authenticate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryPair:
    """A pair of a query-string condition; without key, any key may have the value."""

    value: str
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition of a rule; its values are alternatives.

    `field` is the API's: host-header, path-pattern, http-header, http-request-method, query-string or
    source-ip. `regex_values` (host and path, newest profile) replace `values`; `header_name` is
    set with http-header, `query` with query-string.
    """

    field: str
    values: tuple[str, ...] = ()
    regex_values: tuple[str, ...] = ()
    header_name: str | None = None
    query: tuple[QueryPair, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """A rewrite of host or path: `replace` takes the place of each match of `regex`."""

    regex: str
    replace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """A `host-header-rewrite` or `url-rewrite` of the request before it is forwarded."""

    type: str
    rewrites: tuple[Rewrite, ...]


@dataclass(frozen=True, slots=True)
class RuleSource:
    """The path of an Ingress that a rule was made of: `spec.rules[rule].http.paths[path]`."""

    namespace: str
    name: str
    rule: int
    path: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerRule:
    """A rule of the listener on `listener_port`; the smallest priority is tried first.

    `source` is for messages only and does not count when rules are compared.
    """

    listener_port: int
    priority: int
    conditions: tuple[Condition, ...]
    actions: tuple[Action, ...]
    transforms: tuple[Transform, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    source: RuleSource | None = field(default=None, compare=False)

    @property
    def id(self) -> str:
        """The resource id within the stack."""
        return f"{self.listener_port}:{self.priority}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredRule:
    """A rule that a listener does not get, because the redirect of priority `by` takes all its requests."""

    listener_port: int
    conditions: tuple[Condition, ...]
    source: RuleSource
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MutualAuthentication:
    """Client certificates on an HTTPS listener: mode off, passthrough or verify."""

    mode: str
    trust_store_arn: str = ""
    ignore_client_certificate_expiry: bool | None = None
    advertise_trust_store_ca_names: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A listener on one port. The first certificate is the default one, the others are chosen by SNI."""

    port: int
    protocol: str
    default_actions: tuple[Action, ...]
    certificates: tuple[str, ...] = ()
    ssl_policy: str | None = None
    alpn_policy: str | None = None
    mutual_authentication: MutualAuthentication | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The resource id within the stack."""
        return str(self.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """The codes that a healthy target answers: HTTP statuses or, of a GRPC group, grpc-status codes."""

    http_code: str | None = None
    grpc_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """The active health check of a target group; `port` is a number or `traffic-port`, times are seconds."""

    port: int | str
    protocol: str
    interval_seconds: int
    timeout_seconds: int
    healthy_threshold: int
    unhealthy_threshold: int
    path: str | None = None
    matcher: Matcher | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup:
    """A group of targets. `protocol_version` is None for NLBs; `attributes` holds only what was set."""

    id: str
    name: str
    target_type: str
    port: int
    protocol: str
    health_check: HealthCheck
    protocol_version: str | None = None
    ip_address_type: str = "ipv4"
    target_control_port: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkingRule:
    """The CIDRs or security groups that may reach the targets, at ports (None: all of the protocol)."""

    ports: tuple[tuple[str, int | str | None], ...]
    cidrs: tuple[str, ...] = ()
    security_groups: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroupBinding:
    """A Service port whose endpoints are the targets: `service_port` of `namespace/service_name`.

    `target_type` ip registers pod IPs with the port that the endpoints have; instance registers the nodes
    that match `node_selector` (a Kubernetes LabelSelector) with the Service's nodePort.
    """

    id: str
    name: str
    namespace: str
    service_name: str
    service_port: int | str
    target_group: Ref
    target_type: str
    target_group_protocol: str | None = None
    ip_address_type: str = "ipv4"
    vpc_id: str = ""
    networking: tuple[NetworkingRule, ...] = ()
    node_selector: Mapping[str, object] | None = None
    multi_cluster: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontendPort:
    """A TCP port of a frontend NLB. Its target group has one target: the ALB, at `target_port`."""

    listener: Listener
    target_group: TargetGroup
    target_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontendNlb:
    """An NLB in front of the stack's ALB, with listeners and target groups of its own.

    The ids of the three kinds of resources are `FrontendNlb`, `FrontendNlb-ls-TCP-<port>` and
    `FrontendNlb-tg-TCP-<port>`.
    """

    load_balancer: LoadBalancer
    ports: tuple[FrontendPort, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """All resources of a group or Service.

    Attributes:
        id: `<group>` or `<namespace>/<name>`.
        cluster_name: part of the tracking tags and of all names.
        tag_prefix: `ingress.k8s.aws` or `service.k8s.aws`.
        web_acl: the WAFv2 web ACL of the annotations, by ARN or by name; not emulated.
        frontend_nlb: the NLB in front of an ALB; not emulated.
        covered_rules: for messages only, as they are not wanted in AWS.
    """

    id: str
    cluster_name: str
    tag_prefix: str
    load_balancer: LoadBalancer | None = None
    security_groups: tuple[SecurityGroup, ...] = ()
    listeners: tuple[Listener, ...] = ()
    rules: tuple[ListenerRule, ...] = ()
    target_groups: tuple[TargetGroup, ...] = ()
    bindings: tuple[TargetGroupBinding, ...] = ()
    web_acl: str | None = None
    frontend_nlb: FrontendNlb | None = None
    covered_rules: tuple[CoveredRule, ...] = field(default=(), compare=False)

    def stack_tags(self) -> dict[str, str]:
        """The tags by which the controller finds all resources of this stack (pkg/deploy/tracking)."""
        return {"elbv2.k8s.aws/cluster": self.cluster_name, f"{self.tag_prefix}/stack": self.id}

    def tracking_tags(self, resource_id: str) -> dict[str, str]:
        """The tracking tags of one resource, without its own tags."""
        return {**self.stack_tags(), f"{self.tag_prefix}/resource": resource_id}

    def uses_security_group(self, reference: Reference) -> bool:
        """True if the load balancer is in a security group, or targets admit it."""
        of_balancer = self.load_balancer.security_groups if self.load_balancer else ()
        of_targets = (rule.security_groups for binding in self.bindings for rule in binding.networking)
        return reference in of_balancer or any(reference in groups for groups in of_targets)
