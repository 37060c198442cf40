"""A stack as JSON, in the shape of `expect` in the conformance cases model-e2e and nlb-service-e2e.

Fields without a value are left out; `{"ref": "Kind/id"}` points to another resource of the stack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from testbed.lb_controller.core.stack import (
    LOAD_BALANCER_ID,
    Action,
    Condition,
    Forward,
    FrontendNlb,
    HealthCheck,
    IpPermission,
    Kind,
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
_MODEL_NAMES = {
    "userPoolArn": "userPoolARN",
    "userPoolClientId": "userPoolClientID",
    "clientId": "clientID",
}
_AUTHENTICATE_CONFIGS = {
    "authenticate-cognito": "authenticateCognitoConfig",
    "authenticate-oidc": "authenticateOIDCConfig",
    "jwt-validation": "jwtValidationConfig",
}


def to_json(stack: Stack) -> Json:
    """A stack as JSON."""
    balancer = stack.load_balancer
    return {
        "stackID": stack.id,
        **_set(loadBalancer=balancer and load_balancer(balancer)),
        **_set(securityGroups={group.id: security_group(group) for group in stack.security_groups}),
        "listeners": [listener(item) for item in stack.listeners],
        **_set(rules=[rule(item) for item in stack.rules]),
        "targetGroups": [target_group(item) for item in stack.target_groups],
        "targetGroupBindings": [binding(item) for item in stack.bindings],
        **_set(frontendNlb=stack.frontend_nlb and frontend_nlb(stack.frontend_nlb)),
    }


def load_balancer(balancer: LoadBalancer) -> Json:
    """A load balancer as JSON."""
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
        minimumLoadBalancerCapacity=_capacity(balancer.minimum_capacity),
        securityGroupsInboundRulesOnPrivateLink=balancer.security_groups_inbound_rules_on_private_link,
        enablePrefixForIpv6SourceNat=balancer.enable_prefix_for_ipv6_source_nat,
        loadBalancerAttributes=_attributes(balancer.attributes),
        tags=dict(balancer.tags),
    )


def frontend_nlb(item: FrontendNlb) -> Json:
    """A frontend NLB as JSON; the one target of each of its target groups is the stack's ALB."""
    alb = reference(Ref(Kind.LOAD_BALANCER, LOAD_BALANCER_ID))
    return {
        "loadBalancer": load_balancer(item.load_balancer),
        "listeners": [listener(port.listener) for port in item.ports],
        "targetGroups": [target_group(port.target_group) for port in item.ports],
        "targets": [
            {
                "targetGroupARN": reference(Ref(Kind.TARGET_GROUP, port.target_group.id)),
                "targetARN": alb,
                "targetPort": port.target_port,
            }
            for port in item.ports
        ],
    }


def security_group(group: SecurityGroup) -> Json:
    """A security group as JSON."""
    return _set(
        groupName=group.group_name,
        description=group.description,
        ingress=[_permission(item) for item in group.ingress],
        tags=dict(group.tags),
    )


def listener(item: Listener) -> Json:
    """A listener as JSON."""
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
    """A listener rule as JSON."""
    return _set(
        listenerPort=item.listener_port,
        priority=item.priority,
        conditions=[condition(part) for part in item.conditions],
        actions=[action(part) for part in item.actions],
        transforms=[transform(part) for part in item.transforms],
        tags=dict(item.tags),
    )


def condition(item: Condition) -> Json:
    """A condition of a rule as JSON."""
    pairs = [_set(key=pair.key, value=pair.value) for pair in item.query]
    return _set(
        field=item.field,
        httpHeaderName=item.header_name,
        values=pairs or list(item.values),
        regexValues=list(item.regex_values),
    )


def action(item: Action) -> Json:
    """An action of a rule or listener as JSON."""
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
            {_AUTHENTICATE_CONFIGS[item.type]: _authentication(item.authenticate.config)}
            if item.authenticate
            else {}
        ),
    )


def transform(item: Transform) -> Json:
    """A transform of a rule as JSON."""
    rewrites = [{"regex": rewrite.regex, "replace": rewrite.replace} for rewrite in item.rewrites]
    return {"type": item.type, _TRANSFORM_CONFIGS[item.type]: {"rewrites": rewrites}}


def target_group(group: TargetGroup) -> Json:
    """A target group as JSON."""
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
    """The health check of a target group as JSON."""
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
    """A TargetGroupBinding as JSON."""
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
    """The sources that may reach the targets as JSON; None if the controller leaves them alone."""
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


def _authentication(config: Mapping[str, Any]) -> Json:
    """The fields by the names that the controller's model gives to those of ELBv2."""
    # A plan is printed and kept in CI logs; the secret of the OIDC client must not be in it.
    known = {_model_name(key): value for key, value in config.items() if key != "ClientSecret"}
    claims = known.get("additionalClaims")
    if claims:
        known["additionalClaims"] = [
            {_model_name(key): value for key, value in claim.items()} for claim in claims
        ]
    return known


def _model_name(name: str) -> str:
    lowered = f"{name[:1].lower()}{name[1:]}"
    return _MODEL_NAMES.get(lowered, lowered)


def _capacity(units: Mapping[str, int]) -> Json:
    return {f"{key[:1].lower()}{key[1:]}": value for key, value in units.items()}


def _attributes(attributes: Mapping[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in sorted(attributes.items())]


def _set(**fields: Any) -> Json:
    return {key: value for key, value in fields.items() if value not in (None, [], {})}
