"""Target groups as clusters of Envoy."""

from __future__ import annotations

from testbed.clock import Clock
from testbed.load_balancers.elbv2_state import HealthCheck, LoadBalancer, TargetGroup
from testbed.load_balancers.envoy_clusters import UNLIMITED, cluster

CHECK = HealthCheck("TCP", "traffic-port", "", "", 10, 10, 3, 3)
BALANCER = LoadBalancer("lb", "lb", "nlb", "lb", "active", ("a",))
GROUP = TargetGroup("arn:targetgroup/a/1", "TCP", "", "ip", CHECK)


def test_no_number_of_connections_or_requests_is_too_many_for_a_target_group() -> None:
    made = cluster(BALANCER, 0, "127.0.0.1", GROUP, Clock())
    (limits,) = made.circuit_breakers.thresholds
    assert UNLIMITED == limits.max_connections.value == limits.max_pending_requests.value
    assert UNLIMITED == limits.max_requests.value == limits.max_retries.value
