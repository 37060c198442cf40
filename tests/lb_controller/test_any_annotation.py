"""Whatever people write into annotations, the model is built or refused with a text; nothing else happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.lb_controller.core import stack_json
from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions
from testbed.lb_controller.core.stack import Stack
from testbed.lb_controller.ingress.alb_stack import build_ingress_group
from testbed.lb_controller.service import nlb_stack
from tests.lb_controller.examples import cluster, group, ingress, path, service

OF_INGRESSES = (
    *("actions.web", "auth-idp-cognito", "auth-idp-oidc", "auth-session-timeout", "auth-type"),
    *(
        "backend-protocol",
        "backend-protocol-version",
        "certificate-arn",
        "conditions.web",
        "enable-frontend-nlb",
    ),
    *("healthcheck-interval-seconds", "healthcheck-path", "healthcheck-port", "healthcheck-protocol"),
    *("inbound-cidrs", "ip-address-type", "jwt-validation", "listener-attributes.HTTP-80", "listen-ports"),
    *("load-balancer-attributes", "load-balancer-name", "manage-backend-security-group-rules"),
    *("minimum-load-balancer-capacity", "mutual-authentication", "scheme", "security-groups"),
    *("security-group-prefix-lists", "ssl-policy", "ssl-redirect", "subnets", "success-codes", "tags"),
    *("target-group-attributes", "target-node-labels", "target-type", "transforms.web"),
    *("use-regex-path-match", "customer-owned-ipv4-pool", "target-control-port.web.80"),
    *("frontend-nlb-scheme", "frontend-nlb-listener-port-mapping", "frontend-nlb-healthcheck-port"),
)
OF_SERVICES = (
    *("additional-resource-tags", "alpn-policy", "attributes", "backend-protocol", "eip-allocations"),
    *("healthcheck-interval", "healthcheck-path", "healthcheck-port", "healthcheck-protocol", "internal"),
    *("ip-address-type", "name", "nlb-target-type", "private-ipv4-addresses", "proxy-protocol", "scheme"),
    *("listener-attributes.TCP-80", "minimum-load-balancer-capacity", "multi-cluster-target-group"),
    *(
        "security-groups",
        "ssl-cert",
        "ssl-ports",
        "subnets",
        "target-group-attributes",
        "source-nat-ipv6-prefixes",
    ),
    *("target-node-labels", "security-group-prefix-lists", "enable-tcp-udp-listener", "ipv6-addresses"),
    *("quic-enabled-ports", "enable-icmp-for-path-mtu-discovery", "disable-nlb-sg"),
)
KEYS = st.sampled_from(
    [
        *("type", "Type", "forwardConfig", "targetGroups", "serviceName", "servicePort", "weight", "field"),
        *("hostHeaderConfig", "values", "port", "mode", "HTTP", "HTTPS", "redirectConfig", "statusCode"),
        *("targetGroupStickinessConfig", "httpHeaderConfig", "queryStringConfig", "key", "value", "issuer"),
        *("fixedResponseConfig", "targetGroupARN", "UserPoolArn", "secretName", "additionalClaims"),
    ]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 70000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["forward", "redirect", "fixed-response", "host-header", "web", "80", "use-annotation"]),
    st.text(max_size=4),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=8
)
TEXTS = st.one_of(
    VALUES.map(json.dumps),
    st.text(max_size=12),
    st.sampled_from(
        [
            *("", ",", "=", "a=b", "a=b,c", "true", "0", "-1", "443", "ip", "instance", "internal", "oidc"),
            *("cognito", "GRPC", "HTTPS", "TLS", "udp", "traffic-port", "200-299", "dualstack", "http"),
            *("subnet-a,subnet-c", "10.0.0.0/8", "CapacityUnits=x", "idle_timeout.timeout_seconds=60"),
        ]
    ),
)


def is_built_or_refused(build: Callable[[], Stack]) -> None:
    refusal, stack = None, None
    try:
        stack = build()
    except BuildError as error:
        refusal = str(error)
    assert refusal or (stack and json.dumps(stack_json.to_json(stack)))


@given(
    st.dictionaries(st.sampled_from(OF_INGRESSES), TEXTS, max_size=4),
    st.sampled_from(list(LB_CONTROLLER_RELEASES.values())),
)
@example(
    {"mutual-authentication": '[{"port": "443", "mode": "off"}]', "listen-ports": '[{"HTTPS":443}]'},
    LB_CONTROLLER_RELEASES.newest,
)
@example({"mutual-authentication": "5"}, LB_CONTROLLER_RELEASES.newest)
@example({"listen-ports": "[1]"}, LB_CONTROLLER_RELEASES.oldest)
def test_an_ingress_is_built_or_refused(annotations: dict[str, str], release: Release) -> None:
    item = ingress("a", path("/", port="use-annotation"), path("/b"), host="example.com", **annotations)
    known = cluster(service(kind="NodePort"))

    is_built_or_refused(lambda: build_ingress_group(group(item), known, ControllerOptions(release=release)))


@given(
    st.dictionaries(st.sampled_from(OF_SERVICES), TEXTS, max_size=4),
    st.none() | TEXTS,
    st.sampled_from(list(LB_CONTROLLER_RELEASES.values())),
)
def test_a_service_is_built_or_refused(
    annotations: dict[str, str], action: str | None, release: Release
) -> None:
    item = service(kind="LoadBalancer", type="nlb-ip", **annotations)
    if action is not None:
        item["metadata"]["annotations"]["service.beta.kubernetes.io/actions.TCP-80"] = action

    is_built_or_refused(
        lambda: nlb_stack.build_service(item, cluster(item), ControllerOptions(release=release))
    )
