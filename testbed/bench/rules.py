"""What many listener rules cost: the latency of the last of 100 rules beside that of the last of 5."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from testbed.network import Network
from testbed.runtime import cluster
from testbed.traffic.bench import one_at_a_time

PLAIN_PORT = 8080
"""Of the target Envoys' plain listener, by default."""
FEW, MANY = 5, 100
"""100 is the quota of an ALB (ALB guide, "Quotas")."""
PATH = "/measurements/foot-1"
TURNS = 3
"""Each is measured so often, in turn, and the best counts: what disturbs the machine disturbs both."""

Addresses = Callable[[str], Any]
"""The addresses of a balancer in service by its DNS name."""


def build(elbv2: Any, certificate: str, vpc: str, subnets: list[str], network: Network, rules: int) -> str:
    """Make an ALB whose last rule of so many forwards `PATH`; its DNS name.

    Args:
        elbv2: client of the AWS endpoint.
        certificate: ARN.
        vpc, subnets: ids.
        network: for the targets' addresses.
        rules: how many the listener gets.
    """
    group = elbv2.create_target_group(
        Name=f"rules-{rules}",
        Protocol="HTTP",
        Port=PLAIN_PORT,
        VpcId=vpc,
        TargetType="ip",
        HealthCheckPath="/healthz",
    )["TargetGroups"][0]["TargetGroupArn"]
    targets = [{"Id": network.envoy_pod(index)} for index in range(cluster.PODS)]
    elbv2.register_targets(TargetGroupArn=group, Targets=targets)
    made = elbv2.create_load_balancer(Name=f"rules-{rules}", Subnets=subnets)["LoadBalancers"][0]
    nobody = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    listener = elbv2.create_listener(
        LoadBalancerArn=made["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": certificate}],
        DefaultActions=[nobody],
    )["Listeners"][0]["ListenerArn"]
    for number in range(1, rules + 1):
        last = number == rules
        elbv2.create_rule(
            ListenerArn=listener,
            Priority=number,
            Conditions=[{"Field": "path-pattern", "Values": [PATH if last else f"/nothing-{number}/*"]}],
            Actions=[{"Type": "forward", "TargetGroupArn": group} if last else nobody],
        )
    return str(made["DNSName"])


def latencies(addresses: tuple[str, str], host: str, port: int, seconds: float) -> tuple[float, float] | None:
    """Mean wall seconds of a request at either address, in a closed loop of one; None if none can be told."""
    best = [float("inf"), float("inf")]
    for _ in range(TURNS):
        for index, address in enumerate(addresses):
            rate = one_at_a_time(address, port, f"https://{host}:{port}{PATH}", seconds)
            if not rate:
                return None
            best[index] = min(best[index], 1 / rate)
    return best[0], best[1]
