"""The recorded decisions of the real controller: replace or modify, status equality, readiness gates."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from testbed.lb_controller.controllers import load_balancer_status, readiness_gates
from testbed.lb_controller.core.stack import HealthCheck, LoadBalancer, Matcher, TargetGroup
from testbed.lb_controller.deploy import drift
from tests.conformance.lb_controller import cases as recorded

FOLDER = recorded.folder()
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no cases in {FOLDER}")


def cases(file: str) -> list[Any]:
    path = FOLDER / f"{file}.yaml"
    found = yaml.safe_load(path.read_text())["cases"] if path.exists() else []
    mark = pytest.mark.conformance
    return [pytest.param(case, marks=mark("aws-lb", path.name, case["id"]), id=case["id"]) for case in found]


@pytest.mark.parametrize("case", cases("deploy-drift"))
def test_deploy_drift(case: dict[str, Any]) -> None:
    given = case["given"]
    if "sdkTG" in given:
        decided = drift.target_group_needs_replacement(
            target_group(given["resTG"]["spec"]),
            described(given["sdkTG"]["targetGroup"]),
            advanced_health_checks=not given.get("disableAdvancedNLBHealthCheckConfig", False),
        )
    elif "sdkLB" in given:
        existing = described(given["sdkLB"]["loadBalancer"])
        decided = drift.load_balancer_needs_replacement(LoadBalancer(**given["resLB"]["spec"]), existing)
    else:
        decided = load_balancer_status.is_equal(given["statusA"], given["statusB"])
    assert decided is case["expect"]["value"]


@pytest.mark.parametrize("case", cases("readiness-gates"))
def test_readiness_gates(case: dict[str, Any]) -> None:
    given, condition = case["given"], case["given"].get("targetHealthCondType")
    if condition is None:
        pods = [{"status": {"conditions": endpoint["pod"]["conditions"]}} for endpoint in given["endpoints"]]
        decided = readiness_gates.needs_flip(pods, readiness_gates.condition_type("my-tgb"))
        assert decided is case["expect"]["value"]
        return
    pod = case["manifests"][0]
    health = given["targetHealth"]
    verdict = readiness_gates.judge(pod, condition, described(health) if health else None)
    assert verdict.probe_again is case["expect"]["value"]
    wanted = readiness_gates.condition_of(case["manifests"][1], condition)
    have = verdict.condition or readiness_gates.condition_of(pod, condition)
    assert have == wanted


def described(shape: dict[str, Any]) -> dict[str, Any]:
    """Keys as boto3 has them; what Go leaves at its zero value is missing in the case."""
    upper = {
        name[0].upper() + name[1:]: described(value) if isinstance(value, dict) else value
        for name, value in shape.items()
    }
    return {"TargetType": "", **upper}


def target_group(spec: dict[str, Any]) -> TargetGroup:
    check = spec.get("healthCheckConfig", {})
    matcher = check.get("matcher", {})
    return TargetGroup(
        id="tg",
        name=spec.get("name", ""),
        target_type=spec.get("targetType", ""),
        port=spec.get("port", 0),
        protocol=spec.get("protocol", ""),
        target_control_port=spec.get("targetControlPort"),
        health_check=HealthCheck(
            port=check.get("port", 0),
            protocol=check.get("protocol", ""),
            path=check.get("path"),
            interval_seconds=check.get("intervalSeconds", 0),
            timeout_seconds=check.get("timeoutSeconds", 0),
            healthy_threshold=check.get("healthyThresholdCount", 0),
            unhealthy_threshold=check.get("unhealthyThresholdCount", 0),
            matcher=Matcher(http_code=matcher.get("httpCode"), grpc_code=matcher.get("grpcCode"))
            if matcher
            else None,
        ),
    )
