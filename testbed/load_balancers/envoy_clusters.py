"""Builds Envoy clusters from target groups (pure).

Each node of a balancer has a cluster for each target group, because it connects from its own address.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.extensions.load_balancing_policies.least_request.v3 import least_request_pb2
from envoy.extensions.transport_sockets.proxy_protocol.v3 import upstream_proxy_protocol_pb2
from envoy.extensions.transport_sockets.raw_buffer.v3 import raw_buffer_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from google.protobuf.struct_pb2 import Struct

from testbed.clock import Clock
from testbed.load_balancers.elbv2_state import LoadBalancer, TargetGroup, has_proxy_protocol
from testbed.load_balancers.eligible_targets import Endpoint
from testbed.load_balancers.envoy_messages import extension, packed, seconds
from testbed.settings import PATIENCE, PRODUCTION

HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
HEALTHY, DRAINING = "HEALTHY", "DRAINING"
MAX_RESPONSE_HEADERS_KIB = 32
"""All response headers together; beyond it the ALB answers 502 [ALB guide, "Quotas", troubleshooting]."""
MAX_RESPONSE_HEADERS = 10_000
"""AWS does not limit their number; by default Envoy refuses the 101st header."""
UNLIMITED = 2**32 - 1
"""The largest limit that Envoy accepts."""


def cluster_name(balancer: LoadBalancer, zone: int, group: TargetGroup) -> str:
    """Return the name of the cluster through which a node reaches a target group."""
    return f"{balancer.id}/{zone}/{group.id}"


def cluster(
    balancer: LoadBalancer, zone: int, address: str, group: TargetGroup, clock: Clock
) -> cluster_pb2.Cluster:
    """Return the cluster of one node of a balancer for a target group.

    Args:
        balancer: the balancer of the node.
        zone: index of the node's zone.
        address: the node's address, from which it connects to targets.
        group: the target group.
        clock: divides idle timeouts and slow start.
    """
    labels = Struct()
    labels.update({"arn": group.arn})
    fields: dict[str, Any] = {
        "name": cluster_name(balancer, zone, group),
        "type": "EDS",
        "eds_cluster_config": {"eds_config": {"ads": {}, "resource_api_version": "V3"}},
        "connect_timeout": seconds(PATIENCE.balancer_connect),
        "upstream_bind_config": {"source_address": {"address": address, "port_value": 0}},
        # An endpoint that discovery no longer names goes at once, whatever its health.
        "ignore_health_on_host_removal": True,
        # No panic mode: eligible_targets.py decides fail-open, so Envoy must use healthy endpoints only.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "metadata": {"filter_metadata": {"alb": labels}},
        "circuit_breakers": _no_limits(),
    }
    if balancer.type == "nlb":
        # The flow hash of an NLB includes ports and the TCP sequence number, so from outside it looks random.
        fields["lb_policy"] = "MAGLEV" if is_sticky_by_source(group) else "RANDOM"
    else:
        fields |= _policy(group, clock)
        fields["typed_extension_protocol_options"] = {HTTP_OPTIONS: packed(_options(balancer, group, clock))}
    if group.protocol in {"HTTPS", "TLS"}:
        fields["transport_socket"] = extension("envoy.transport_sockets.tls", _tls(group))
    if has_proxy_protocol(group):
        fields["transport_socket"] = _proxy_protocol(fields.get("transport_socket"))
    return cluster_pb2.Cluster(**fields)


def assignment(name: str, endpoints: Iterable[Endpoint]) -> endpoint_pb2.ClusterLoadAssignment:
    """Return the endpoints of a cluster."""
    members = [
        {
            "endpoint": {"address": {"socket_address": {"address": item.address, "port_value": item.port}}},
            "health_status": HEALTHY if item.open else DRAINING,
        }
        for item in endpoints
    ]
    return endpoint_pb2.ClusterLoadAssignment(cluster_name=name, endpoints=[{"lb_endpoints": members}])


def idle_timeout(balancer: LoadBalancer) -> float:
    """Return the idle timeout of an ALB's connections in production seconds."""
    return float(balancer.attributes.get("idle_timeout.timeout_seconds", PRODUCTION.alb_idle_timeout))


def is_sticky_by_source(group: TargetGroup) -> bool:
    """True if an NLB sends all connections of a client's address to one target [NLB guide]."""
    attributes = group.attributes
    return attributes.get("stickiness.enabled") == "true" and attributes.get("stickiness.type") == "source_ip"


def _no_limits() -> dict[str, Any]:
    """Lift Envoy's default of 1,024 connections and requests a cluster; AWS has no such limit."""
    limits = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
    return {"thresholds": [{name: {"value": UNLIMITED} for name in limits}]}


def _tls(group: TargetGroup) -> tls_pb2.UpstreamTlsContext:
    """TLS to targets: without validation [ALB guide], and without a server name, which no balancer sends.

    Source of the latter: envoyproxy/gateway#4520, istio/istio#31421. A target that chooses by the name closes
    the connection, and an ALB answers 502.
    """
    protocols = {"HTTP1": ["http/1.1"], "HTTP2": ["h2"], "GRPC": ["h2"]}.get(group.version, [])
    return tls_pb2.UpstreamTlsContext(common_tls_context={"alpn_protocols": protocols}, sni="")


def _proxy_protocol(inner: dict[str, Any] | None) -> dict[str, Any]:
    """Send version 2 in front of everything else on the connection [NLB guide, "Proxy protocol"]."""
    plain = extension("envoy.transport_sockets.raw_buffer", raw_buffer_pb2.RawBuffer())
    socket = upstream_proxy_protocol_pb2.ProxyProtocolUpstreamTransport(
        config={"version": "V2"}, transport_socket=inner or plain
    )
    return extension("envoy.transport_sockets.upstream_proxy_protocol", socket)


def _policy(group: TargetGroup, clock: Clock) -> dict[str, Any]:
    slow_start = float(group.attributes.get("slow_start.duration_seconds", 0))
    if group.attributes.get("load_balancing.algorithm.type") == "least_outstanding_requests":
        # By default Envoy compares two endpoints chosen at random, which need not include the least busy one.
        policy = least_request_pb2.LeastRequest(selection_method="FULL_SCAN")
        chosen = extension("envoy.load_balancing_policies.least_request", policy)
        return {"load_balancing_policy": {"policies": [{"typed_extension_config": chosen}]}}
    if slow_start:
        window = {"slow_start_config": {"slow_start_window": seconds(clock.scaled(slow_start))}}
        return {"lb_policy": "ROUND_ROBIN", "round_robin_lb_config": window}
    return {"lb_policy": "ROUND_ROBIN"}


def _options(balancer: LoadBalancer, group: TargetGroup, clock: Clock) -> Any:
    http2 = group.version in {"HTTP2", "GRPC"}
    return http_protocol_options_pb2.HttpProtocolOptions(
        common_http_protocol_options={
            "idle_timeout": seconds(clock.scaled(idle_timeout(balancer))),
            "max_headers_count": {"value": MAX_RESPONSE_HEADERS},
            "max_response_headers_kb": {"value": MAX_RESPONSE_HEADERS_KIB},
        },
        explicit_http_config={"http2_protocol_options": {}} if http2 else {"http_protocol_options": {}},
    )
