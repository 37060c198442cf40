"""A stack as JSON, in the shape of `expect` in the conformance cases model-e2e and nlb-service-e2e.

What a resource does not set is left out; `{"ref": "Kind/id"}` points to another resource of the stack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from testbed.lb_controller.stack import (
    Action,
    Condition,
    Forward,
    HealthCheck,
    IpPermission,
    Listener,
    ListenerRule,
    LoadBalancer,
    MutualAuthentication,
    NetworkingRule,
    Redirect,
    Ref,
    Reference,
    SecurityGroup,
    Stack,
    TargetGroup,
    TargetGroupBinding,
    Transform,
)

Json = dict[str, Any]

_TRANSFORM_CONFIGS = {"host-header-rewrite": "hostHeaderRewriteConfig", "url-rewrite": "urlRewriteConfig"}
_AUTHENTICATE_CONFIGS = {
    "authenticate-cognito": "authenticateCognitoConfig",
    "authenticate-oidc": "authenticateOIDCConfig",
    "jwt-validation": "jwtValidationConfig",
}


def to_json(stack: Stack) -> Json:
    """The whole stack."""
    balancer = stack.load_balancer
    return {
        "stackID": stack.id,
        **_set(loadBalancer=balancer and load_balancer(balancer)),
        **_set(securityGroups={group.id: security_group(group) for group in stack.security_groups}),
        "listeners": [listener(item) for item in stack.listeners],
        **_set(rules=[rule(item) for item in stack.rules]),
        "targetGroups": [target_group(item) for item in stack.target_groups],
        "targetGroupBindings": [binding(item) for item in stack.bindings],
    }


def load_balancer(balancer: LoadBalancer) -> Json:
    """Load balancer."""
    return _set(
        name=balancer.name,
        type=balancer.type,
        scheme=balancer.scheme,
        ipAddressType=balancer.ip_address_type,
        subnetMapping=[
            _set(
                subnetID=mapping.subnet_id,
                allocationID=mapping.allocation_id,
                privateIPv4Address=mapping.private_ipv4_address,
                ipv6Address=mapping.ipv6_address,
                sourceNatIpv6Prefix=mapping.source_nat_ipv6_prefix,
            )
            for mapping in balancer.subnet_mappings
        ],
        securityGroups=[reference(item) for item in balancer.security_groups],
        customerOwnedIPv4Pool=balancer.customer_owned_ipv4_pool,
        ipv4IPAMPool=balancer.ipv4_ipam_pool_id,
        minimumLoadBalancerCapacity=dict(balancer.minimum_capacity),
        securityGroupsInboundRulesOnPrivateLink=balancer.security_groups_inbound_rules_on_private_link,
        enablePrefixForIpv6SourceNat=balancer.enable_prefix_for_ipv6_source_nat,
        loadBalancerAttributes=_attributes(balancer.attributes),
        tags=dict(balancer.tags),
    )


def security_group(group: SecurityGroup) -> Json:
    """Security group."""
    return _set(
        groupName=group.group_name,
        description=group.description,
        ingress=[_permission(item) for item in group.ingress],
        tags=dict(group.tags),
    )


def listener(item: Listener) -> Json:
    """Listener."""
    return _set(
        port=item.port,
        protocol=item.protocol,
        defaultActions=[action(part) for part in item.default_actions],
        certificates=[{"certificateARN": arn} for arn in item.certificates],
        sslPolicy=item.ssl_policy,
        alpnPolicy=[item.alpn_policy] if item.alpn_policy else None,
        mutualAuthentication=item.mutual_authentication and _mutual(item.mutual_authentication),
        listenerAttributes=_attributes(item.attributes),
        tags=dict(item.tags),
    )


def rule(item: ListenerRule) -> Json:
    """Listener rule."""
    return _set(
        listenerPort=item.listener_port,
        priority=item.priority,
        conditions=[condition(part) for part in item.conditions],
        actions=[action(part) for part in item.actions],
        transforms=[transform(part) for part in item.transforms],
        tags=dict(item.tags),
    )


def condition(item: Condition) -> Json:
    """Condition of a rule."""
    pairs = [_set(key=pair.key, value=pair.value) for pair in item.query]
    return _set(
        field=item.field,
        httpHeaderName=item.header_name,
        values=pairs or list(item.values),
        regexValues=list(item.regex_values),
    )


def action(item: Action) -> Json:
    """Action of a rule or listener."""
    response = item.fixed_response
    return _set(
        type=item.type,
        forwardConfig=item.forward and _forward(item.forward),
        redirectConfig=item.redirect and _redirect(item.redirect),
        fixedResponseConfig=response
        and _set(
            contentType=response.content_type,
            statusCode=response.status_code,
            messageBody=response.message_body,
        ),
        **(
            {_AUTHENTICATE_CONFIGS[item.type]: _without_secret(item.authenticate.config)}
            if item.authenticate
            else {}
        ),
    )


def transform(item: Transform) -> Json:
    """Transform of a rule."""
    rewrites = [{"regex": rewrite.regex, "replace": rewrite.replace} for rewrite in item.rewrites]
    return {"type": item.type, _TRANSFORM_CONFIGS[item.type]: {"rewrites": rewrites}}


def target_group(group: TargetGroup) -> Json:
    """Target group."""
    return _set(
        id=group.id,
        name=group.name,
        targetType=group.target_type,
        ipAddressType=group.ip_address_type,
        port=group.port,
        protocol=group.protocol,
        protocolVersion=group.protocol_version,
        targetControlPort=group.target_control_port,
        healthCheckConfig=health_check(group.health_check),
        targetGroupAttributes=_attributes(group.attributes),
        tags=dict(group.tags),
    )


def health_check(check: HealthCheck) -> Json:
    """Health check of a target group."""
    return _set(
        port=check.port,
        protocol=check.protocol,
        path=check.path,
        matcher=check.matcher and _set(httpCode=check.matcher.http_code, grpcCode=check.matcher.grpc_code),
        intervalSeconds=check.interval_seconds,
        timeoutSeconds=check.timeout_seconds,
        healthyThresholdCount=check.healthy_threshold,
        unhealthyThresholdCount=check.unhealthy_threshold,
    )


def binding(item: TargetGroupBinding) -> Json:
    """TargetGroupBinding."""
    return {
        "id": item.id,
        "metadata": {"name": item.name, "namespace": item.namespace},
        "spec": _set(
            targetGroupARN=reference(item.target_group),
            targetGroupProtocol=item.target_group_protocol,
            targetType=item.target_type,
            vpcID=item.vpc_id,
            ipAddressType=item.ip_address_type,
            serviceRef={"name": item.service_name, "port": item.service_port},
            networking=networking(item.networking),
            nodeSelector=item.node_selector,
            multiClusterTargetGroup=item.multi_cluster or None,
        ),
    }


def networking(rules: Sequence[NetworkingRule]) -> Json | None:
    """Who may reach the targets; None where the controller leaves that alone."""
    return {"ingress": [_networking_rule(item) for item in rules]} if rules else None


def reference(item: Reference) -> Json | str:
    """A reference to another resource, or the ARN or id itself."""
    return {"ref": f"{item.kind}/{item.id}"} if isinstance(item, Ref) else item


def _forward(forward: Forward) -> Json:
    sticky = forward.stickiness
    return _set(
        targetGroups=[
            _set(targetGroupARN=reference(item.target_group), weight=item.weight)
            for item in forward.target_groups
        ],
        targetGroupStickinessConfig=sticky
        and _set(enabled=sticky.enabled, durationSeconds=sticky.duration_seconds),
    )


def _redirect(redirect: Redirect) -> Json:
    return _set(
        host=redirect.host,
        path=redirect.path,
        port=redirect.port,
        protocol=redirect.protocol,
        query=redirect.query,
        statusCode=redirect.status_code,
    )


def _mutual(mutual: MutualAuthentication) -> Json:
    return {
        "mode": mutual.mode,
        "trustStoreArn": mutual.trust_store_arn,
        **_set(
            ignoreClientCertificateExpiry=mutual.ignore_client_certificate_expiry,
            advertiseTrustStoreCaNames=mutual.advertise_trust_store_ca_names,
        ),
    }


def _permission(item: IpPermission) -> Json:
    return _set(
        ipProtocol=item.ip_protocol,
        fromPort=item.from_port,
        toPort=item.to_port,
        ipRanges=[{"cidrIP": item.cidr}] if item.cidr else None,
        ipv6Ranges=[{"cidrIPv6": item.cidr_ipv6}] if item.cidr_ipv6 else None,
        prefixLists=[{"listID": item.prefix_list}] if item.prefix_list else None,
    )


def _networking_rule(item: NetworkingRule) -> Json:
    sources: list[Json] = [{"ipBlock": {"cidr": cidr}} for cidr in item.cidrs]
    sources += [{"securityGroup": {"groupID": reference(group)}} for group in item.security_groups]
    return {
        "from": sources,
        "ports": [{"port": port, "protocol": protocol} for protocol, port in item.ports],
    }


def _without_secret(config: Mapping[str, object]) -> Json:
    return {key: value for key, value in config.items() if key != "ClientSecret"}


def _attributes(attributes: Mapping[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in sorted(attributes.items())]


def _set(**fields: Any) -> Json:
    return {key: value for key, value in fields.items() if value not in (None, [], {})}
