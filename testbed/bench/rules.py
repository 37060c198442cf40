"""What listener rules cost: how late a changed one is obeyed, and the last of 100 beside the last of 5."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from testbed.network import Network
from testbed.runtime import cluster
from testbed.settings import PATIENCE
from testbed.traffic.bench import one_at_a_time

PLAIN_PORT = 8080
"""Of the target Envoys' plain listener, by default."""
FEW, MANY = 5, 100
"""100 is the quota of an ALB (ALB guide, "Quotas")."""
PATH = "/measurements/foot-1"
CHANGED = "/nothing-1/at-all"
"""A path of the first rule, which is changed while it is asked: the quota leaves no room for another."""
CHANGES = 10
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


def seconds_until_obeyed(elbv2: Any, name: str, url: str, host: str, authority: Path) -> list[float]:
    """Wall seconds from each of some changes of a rule, once the API has taken it, until the ALB obeys.

    Args:
        elbv2: client of the AWS endpoint.
        name: DNS name of the ALB, made by `build`.
        url: of its address and port.
        host: to ask it for.
        authority: file of the certificate authority.

    Raises:
        OSError: a change was not obeyed at all.
    """
    balancers = elbv2.describe_load_balancers()["LoadBalancers"]
    (arn,) = (one["LoadBalancerArn"] for one in balancers if one["DNSName"] == name)
    listener = elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"][0]["ListenerArn"]
    rules = elbv2.describe_rules(ListenerArn=listener)["Rules"]
    (rule,) = (one["RuleArn"] for one in rules if one["Priority"] == "1")
    with httpx.Client(verify=ssl.create_default_context(cafile=authority), headers={"host": host}) as client:

        def body() -> str:
            return client.get(f"{url}{CHANGED}", extensions={"sni_hostname": host}).text

        return [_until_obeyed(elbv2, rule, turn, body) for turn in range(1, CHANGES + 1)]


def _answer(turn: int) -> dict[str, Any]:
    told = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": str(turn)}
    return {"Type": "fixed-response", "FixedResponseConfig": told}


def _until_obeyed(elbv2: Any, rule: str, turn: int, body: Callable[[], str]) -> float:
    elbv2.modify_rule(RuleArn=rule, Actions=[_answer(turn)])
    began, pause = time.monotonic(), threading.Event()
    while body() != str(turn):
        if time.monotonic() - began > PATIENCE.condition:
            raise TimeoutError(f"a changed rule was not obeyed within {PATIENCE.condition:g} s")
        pause.wait(PATIENCE.poll)
    return time.monotonic() - began
