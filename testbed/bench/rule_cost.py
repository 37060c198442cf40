"""Measures the cost of listener rules: the delay of a change, and the last of 100 beside the last of 5."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from testbed.bench.h2load import one_at_a_time
from testbed.network import Network
from testbed.runtime.components import cluster_objects
from testbed.settings import PATIENCE

PLAIN_PORT = 8080
"""Default port of the target Envoys' plain listener."""
FEW, MANY = 5, 100
"""100 is the quota of an ALB (ALB guide, "Quotas")."""
PATH = "/measurements/foot-1"
CHANGED = "/nothing-1/at-all"
"""A path of the first rule. The changes go to that rule, because the quota leaves no room for another."""
CHANGES = 10
TURNS = 3
"""Measurements of each ALB. They take turns and the best counts, so that a busy machine disturbs both."""


def build(elbv2: Any, certificate: str, vpc: str, subnets: list[str], network: Network, rules: int) -> str:
    """Create an ALB whose last rule forwards `PATH`, and return its DNS name.

    Args:
        elbv2: client of the AWS endpoint.
        certificate: ARN of the certificate.
        vpc, subnets: ids of VPC and subnets.
        network: gives the addresses of the targets.
        rules: number of rules of the listener.
    """
    group = elbv2.create_target_group(
        Name=f"rules-{rules}",
        Protocol="HTTP",
        Port=PLAIN_PORT,
        VpcId=vpc,
        TargetType="ip",
        HealthCheckPath="/healthz",
    )["TargetGroups"][0]["TargetGroupArn"]
    targets = [{"Id": network.envoy_pod(index)} for index in range(cluster_objects.PODS)]
    elbv2.register_targets(TargetGroupArn=group, Targets=targets)
    balancer = elbv2.create_load_balancer(Name=f"rules-{rules}", Subnets=subnets)["LoadBalancers"][0]
    not_found = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": certificate}],
        DefaultActions=[not_found],
    )["Listeners"][0]["ListenerArn"]
    for number in range(1, rules + 1):
        last = number == rules
        elbv2.create_rule(
            ListenerArn=listener,
            Priority=number,
            Conditions=[{"Field": "path-pattern", "Values": [PATH if last else f"/nothing-{number}/*"]}],
            Actions=[{"Type": "forward", "TargetGroupArn": group} if last else not_found],
        )
    return str(balancer["DNSName"])


def latencies(addresses: tuple[str, str], host: str, port: int, seconds: float) -> tuple[float, float] | None:
    """Return the mean wall seconds of a request at either address in a closed loop of one.

    None if h2load is not installed, or if some answers failed.
    """
    best = [float("inf"), float("inf")]
    for _ in range(TURNS):
        for index, address in enumerate(addresses):
            rate = one_at_a_time(address, port, f"https://{host}:{port}{PATH}", seconds)
            if not rate:
                return None
            best[index] = min(best[index], 1 / rate)
    return best[0], best[1]


def seconds_until_obeyed(elbv2: Any, name: str, url: str, host: str, authority: Path) -> list[float]:
    """Change a rule several times; return the wall seconds from each API answer until the ALB obeys.

    Args:
        elbv2: client of the AWS endpoint.
        name: DNS name of the ALB, which `build` created.
        url: URL of its address and port.
        host: host of the requests.
        authority: file of the certificate authority.

    Raises:
        OSError: the ALB did not obey a change at all.
    """
    balancers = elbv2.describe_load_balancers()["LoadBalancers"]
    (arn,) = (item["LoadBalancerArn"] for item in balancers if item["DNSName"] == name)
    listener = elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"][0]["ListenerArn"]
    rules = elbv2.describe_rules(ListenerArn=listener)["Rules"]
    (rule,) = (item["RuleArn"] for item in rules if item["Priority"] == "1")
    with httpx.Client(verify=ssl.create_default_context(cafile=authority), headers={"host": host}) as client:

        def body() -> str:
            return client.get(f"{url}{CHANGED}", extensions={"sni_hostname": host}).text

        return [_until_obeyed(elbv2, rule, turn, body) for turn in range(1, CHANGES + 1)]


def _answer(turn: int) -> dict[str, Any]:
    config = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": str(turn)}
    return {"Type": "fixed-response", "FixedResponseConfig": config}


def _until_obeyed(elbv2: Any, rule: str, turn: int, body: Callable[[], str]) -> float:
    elbv2.modify_rule(RuleArn=rule, Actions=[_answer(turn)])
    began, pause = time.monotonic(), threading.Event()
    while body() != str(turn):
        if time.monotonic() - began > PATIENCE.condition:
            raise TimeoutError(f"the ALB did not obey a changed rule within {PATIENCE.condition:g} s")
        pause.wait(PATIENCE.poll)
    return time.monotonic() - began
