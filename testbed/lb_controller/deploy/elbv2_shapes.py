"""Converts values of the stack to shapes of the ELBv2 API, and back.

`request_*` makes what boto3 sends, `read_*` the value of what it describes. Both directions end in the same
normal form (`normal_actions`), because the API fills in defaults: weight 1, `#{host}` and the like.

```
Action(forward=…, Ref("TargetGroup", id))  ── resolve ──►  {"Type": "forward", "ForwardConfig": {…arn…}}
                                           ◄── read ────
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from testbed.lb_controller.core.stack import (
    TRAFFIC_PORT,
    Action,
    Authenticate,
    Condition,
    FixedResponse,
    Forward,
    HealthCheck,
    Listener,
    LoadBalancer,
    Matcher,
    QueryPair,
    Redirect,
    Reference,
    Rewrite,
    Stickiness,
    SubnetMapping,
    TargetGroup,
    Transform,
    WeightedTargetGroup,
)

Resolve = Callable[[Reference], str]
"""Returns the ARN of a reference; raises KeyError if the resource does not exist yet."""

_CONDITION_CONFIGS = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
_AUTHENTICATE_CONFIGS = {
    "authenticate-cognito": "AuthenticateCognitoConfig",
    "authenticate-oidc": "AuthenticateOidcConfig",
    "jwt-validation": "JwtValidationConfig",
}
_TRANSFORM_CONFIGS = {
    "host-header-rewrite": "HostHeaderRewriteConfig",
    "url-rewrite": "UrlRewriteConfig",
}
_REDIRECT_DEFAULTS = {
    "protocol": "#{protocol}",
    "host": "#{host}",
    "port": "#{port}",
    "path": "/#{path}",
    "query": "#{query}",
}
IPV4 = "ipv4"
_NEVER_DESCRIBED = {"ClientSecret", "UseExistingClientSecret"}  # so a comparison must leave them out


def tags(values: Mapping[str, str]) -> list[Any]:
    """Tags or attributes as the API lists them."""
    return [{"Key": key, "Value": value} for key, value in sorted(values.items())]


def read_tags(items: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """A list of tags or attributes as a mapping."""
    return {item["Key"]: str(item.get("Value", "")) for item in items}


# --- actions ---------------------------------------------------------------------------------------


def request_actions(actions: Sequence[Action], resolve: Resolve) -> list[dict[str, Any]]:
    """Actions as CreateRule and CreateListener take them, in the order in which they run."""
    return [
        {**_request_action(action, resolve), "Order": order} for order, action in enumerate(actions, start=1)
    ]


def _request_action(action: Action, resolve: Resolve) -> dict[str, Any]:
    shape: dict[str, Any] = {"Type": action.type}
    if action.forward:
        shape["ForwardConfig"] = _request_forward(action.forward, resolve)
    if action.redirect:
        one = action.redirect
        shape["RedirectConfig"] = _without_none(
            StatusCode=one.status_code,
            Protocol=one.protocol,
            Host=one.host,
            Port=one.port,
            Path=one.path,
            Query=one.query,
        )
    if action.fixed_response:
        response = action.fixed_response
        shape["FixedResponseConfig"] = _without_none(
            StatusCode=response.status_code,
            ContentType=response.content_type,
            MessageBody=response.message_body,
        )
    if action.authenticate:
        shape[_AUTHENTICATE_CONFIGS[action.type]] = dict(action.authenticate.config)
    return shape


def _request_forward(forward: Forward, resolve: Resolve) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "TargetGroups": [
            _without_none(TargetGroupArn=resolve(one.target_group), Weight=one.weight)
            for one in forward.target_groups
        ]
    }
    if forward.stickiness:
        shape["TargetGroupStickinessConfig"] = _without_none(
            Enabled=forward.stickiness.enabled, DurationSeconds=forward.stickiness.duration_seconds
        )
    return shape


def read_actions(shapes: Iterable[Mapping[str, Any]]) -> tuple[Action, ...]:
    """Actions in normal form, in the order in which they run."""
    ordered = sorted(shapes, key=lambda shape: int(shape.get("Order", 0)))
    return normal_actions(map(_read_action, ordered), _as_it_is)


def _read_action(shape: Mapping[str, Any]) -> Action:
    kind = shape["Type"]
    if kind == "forward":
        return Action(type=kind, forward=_read_forward(shape))
    if kind == "redirect":
        config = shape["RedirectConfig"]
        parts = {name: config.get(name.capitalize()) for name in _REDIRECT_DEFAULTS}
        return Action(type=kind, redirect=Redirect(status_code=config["StatusCode"], **parts))
    if kind == "fixed-response":
        config = shape["FixedResponseConfig"]
        response = FixedResponse(
            status_code=config["StatusCode"],
            content_type=config.get("ContentType"),
            message_body=config.get("MessageBody"),
        )
        return Action(type=kind, fixed_response=response)
    return Action(type=kind, authenticate=Authenticate(config=shape.get(_AUTHENTICATE_CONFIGS[kind], {})))


def _read_forward(shape: Mapping[str, Any]) -> Forward:
    """A forward to one group is described as `TargetGroupArn`, as `ForwardConfig`, or both."""
    config = shape.get("ForwardConfig") or {"TargetGroups": [{"TargetGroupArn": shape["TargetGroupArn"]}]}
    stickiness = config.get("TargetGroupStickinessConfig") or {}
    return Forward(
        target_groups=tuple(
            WeightedTargetGroup(target_group=one["TargetGroupArn"], weight=one.get("Weight"))
            for one in config.get("TargetGroups", ())
        ),
        stickiness=Stickiness(
            enabled=stickiness.get("Enabled"), duration_seconds=stickiness.get("DurationSeconds")
        ),
    )


def normal_actions(actions: Iterable[Action], resolve: Resolve) -> tuple[Action, ...]:
    """Actions with ARNs for references and with the defaults that the API would fill in."""
    return tuple(_normal_action(action, resolve) for action in actions)


def _normal_action(action: Action, resolve: Resolve) -> Action:
    if action.forward:
        groups = tuple(
            WeightedTargetGroup(
                target_group=resolve(one.target_group), weight=1 if one.weight is None else one.weight
            )
            for one in action.forward.target_groups
        )
        stickiness = action.forward.stickiness
        if stickiness and not stickiness.enabled:
            stickiness = None
        return replace(action, forward=Forward(target_groups=groups, stickiness=stickiness))
    if action.redirect:
        given = {name: getattr(action.redirect, name) or text for name, text in _REDIRECT_DEFAULTS.items()}
        return replace(action, redirect=Redirect(status_code=action.redirect.status_code, **given))
    if action.fixed_response:
        response = action.fixed_response
        return replace(
            action,
            fixed_response=replace(
                response,
                content_type=response.content_type or None,
                message_body=response.message_body or None,
            ),
        )
    if action.authenticate:
        config = action.authenticate.config
        described = {key: item for key, item in config.items() if key not in _NEVER_DESCRIBED}
        return replace(action, authenticate=Authenticate(config=described))
    return action


# --- conditions and transforms -----------------------------------------------------------------------


def request_conditions(conditions: Iterable[Condition]) -> list[dict[str, Any]]:
    """Conditions as CreateRule takes them, always in the `…Config` form."""
    return [
        {"Field": condition.field, _CONDITION_CONFIGS[condition.field]: _condition_config(condition)}
        for condition in conditions
    ]


def _condition_config(condition: Condition) -> dict[str, Any]:
    if condition.query:
        pairs = [_without_none(Key=pair.key, Value=pair.value) for pair in condition.query]
        return {"Values": pairs}
    config: dict[str, Any] = {}
    if condition.header_name is not None:
        config["HttpHeaderName"] = condition.header_name
    if condition.regex_values:
        config["RegexValues"] = list(condition.regex_values)
    else:
        config["Values"] = list(condition.values)
    return config


def read_conditions(shapes: Iterable[Mapping[str, Any]]) -> tuple[Condition, ...]:
    """Conditions as values; the old form `Values` and the `…Config` form read the same."""
    return tuple(map(_read_condition, shapes))


def _read_condition(shape: Mapping[str, Any]) -> Condition:
    field = shape["Field"]
    config = shape.get(_CONDITION_CONFIGS[field]) or {"Values": shape.get("Values", [])}
    if field == "query-string":
        pairs = (QueryPair(key=pair.get("Key"), value=pair["Value"]) for pair in config["Values"])
        return Condition(field=field, query=tuple(pairs))
    return Condition(
        field=field,
        values=tuple(config.get("Values", ())),
        regex_values=tuple(config.get("RegexValues", ())),
        header_name=config.get("HttpHeaderName"),
    )


def normal_conditions(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """Conditions in a fixed order, because their order has no meaning."""
    return tuple(sorted(conditions, key=repr))


def request_transforms(transforms: Iterable[Transform]) -> list[dict[str, Any]]:
    """Transforms as CreateRule takes them."""
    return [
        {
            "Type": one.type,
            _TRANSFORM_CONFIGS[one.type]: {
                "Rewrites": [{"Regex": item.regex, "Replace": item.replace} for item in one.rewrites]
            },
        }
        for one in transforms
    ]


def read_transforms(shapes: Iterable[Mapping[str, Any]]) -> tuple[Transform, ...]:
    """Transforms as values."""
    return tuple(
        Transform(
            type=shape["Type"],
            rewrites=tuple(
                Rewrite(regex=item["Regex"], replace=item["Replace"])
                for item in shape[_TRANSFORM_CONFIGS[shape["Type"]]]["Rewrites"]
            ),
        )
        for shape in shapes
    )


# --- target groups -----------------------------------------------------------------------------------


def request_health_check(check: HealthCheck) -> dict[str, Any]:
    """The health check fields of CreateTargetGroup and ModifyTargetGroup."""
    return _without_none(
        HealthCheckEnabled=True,
        HealthCheckPort=str(check.port),
        HealthCheckProtocol=check.protocol,
        HealthCheckPath=check.path,
        HealthCheckIntervalSeconds=check.interval_seconds,
        HealthCheckTimeoutSeconds=check.timeout_seconds,
        HealthyThresholdCount=check.healthy_threshold,
        UnhealthyThresholdCount=check.unhealthy_threshold,
        Matcher=_without_none(HttpCode=check.matcher.http_code, GrpcCode=check.matcher.grpc_code)
        if check.matcher
        else None,
    )


def request_target_group(group: TargetGroup, vpc_id: str) -> dict[str, Any]:
    """CreateTargetGroup without its tags."""
    return _without_none(
        Name=group.name,
        Protocol=group.protocol,
        ProtocolVersion=group.protocol_version,
        Port=group.port,
        VpcId=vpc_id,
        TargetType=group.target_type,
        IpAddressType=None if group.ip_address_type == IPV4 else group.ip_address_type,
        TargetControlPort=group.target_control_port,
        **request_health_check(group.health_check),
    )


def read_health_check(shape: Mapping[str, Any]) -> HealthCheck:
    """The health check of a described target group."""
    port = str(shape.get("HealthCheckPort") or TRAFFIC_PORT)
    matcher = shape.get("Matcher")
    return HealthCheck(
        port=int(port) if port.isdigit() else port,
        protocol=shape["HealthCheckProtocol"],
        path=shape.get("HealthCheckPath"),
        interval_seconds=int(shape["HealthCheckIntervalSeconds"]),
        timeout_seconds=int(shape["HealthCheckTimeoutSeconds"]),
        healthy_threshold=int(shape["HealthyThresholdCount"]),
        unhealthy_threshold=int(shape["UnhealthyThresholdCount"]),
        matcher=Matcher(http_code=matcher.get("HttpCode"), grpc_code=matcher.get("GrpcCode"))
        if matcher
        else None,
    )


# --- load balancers and listeners ----------------------------------------------------------------------


def request_load_balancer(balancer: LoadBalancer, security_groups: Sequence[str] = ()) -> dict[str, Any]:
    """CreateLoadBalancer without tags."""
    return _without_none(
        Name=balancer.name,
        Type=balancer.type,
        Scheme=balancer.scheme,
        IpAddressType=balancer.ip_address_type,
        SubnetMappings=request_subnets(balancer.subnet_mappings),
        SecurityGroups=[*security_groups] or None,
        CustomerOwnedIpv4Pool=balancer.customer_owned_ipv4_pool,
        EnablePrefixForIpv6SourceNat=balancer.enable_prefix_for_ipv6_source_nat,
    )


def request_subnets(mappings: Iterable[SubnetMapping]) -> list[Any]:
    """Subnets as CreateLoadBalancer and SetSubnets take them."""
    return [
        _without_none(
            SubnetId=subnet.subnet_id,
            AllocationId=subnet.allocation_id,
            PrivateIPv4Address=subnet.private_ipv4_address,
            IPv6Address=subnet.ipv6_address,
            SourceNatIpv6Prefix=subnet.source_nat_ipv6_prefix,
        )
        for subnet in mappings
    ]


def request_set_subnets(balancer: LoadBalancer) -> dict[str, Any]:
    """SetSubnets without its load balancer."""
    return _without_none(
        SubnetMappings=request_subnets(balancer.subnet_mappings),
        EnablePrefixForIpv6SourceNat=balancer.enable_prefix_for_ipv6_source_nat,
    )


def request_listener(listener: Listener, resolve: Resolve) -> dict[str, Any]:
    """CreateListener without load balancer and tags; certificates after the first are added later."""
    return _without_none(
        Port=listener.port,
        Protocol=listener.protocol,
        SslPolicy=listener.ssl_policy,
        Certificates=[{"CertificateArn": listener.certificates[0]}] if listener.certificates else None,
        AlpnPolicy=[listener.alpn_policy] if listener.alpn_policy else None,
        MutualAuthentication=_request_mutual_authentication(listener),
        DefaultActions=request_actions(listener.default_actions, resolve),
    )


def _request_mutual_authentication(listener: Listener) -> dict[str, Any] | None:
    wanted = listener.mutual_authentication
    if wanted is None:
        return None
    return _without_none(
        Mode=wanted.mode,
        TrustStoreArn=wanted.trust_store_arn or None,
        IgnoreClientCertificateExpiry=wanted.ignore_client_certificate_expiry,
        AdvertiseTrustStoreCaNames=wanted.advertise_trust_store_ca_names,
    )


def _as_it_is(reference: Reference) -> str:
    assert isinstance(reference, str), "what the API describes holds ARNs only"
    return reference


def _without_none(**fields: Any) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}
