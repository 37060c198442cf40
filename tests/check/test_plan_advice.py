from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from testbed.check import plan_advice, rule_registry
from testbed.cli.lb import lb
from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.kubernetes import manifests
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.offline.stack_plan import plan
from testbed.releases import Named
from tests.check.advised import advice_on, advised
from tests.lb_controller.offline.manifests_of_groups import (
    CERTIFICATE,
    GRPC,
    HTTPS,
    LONG,
    SERVICE,
    STORY,
    ingress,
    parsed,
    planned,
)


def test_a_plan_without_anything_to_say_says_nothing() -> None:
    assert advised(ingress("web", "/*", CERTIFICATE)) == {}
    assert advised(ingress("grpc", "/pkg.Service/*", CERTIFICATE, GRPC, LONG)).keys() == {"expect-464"}


def test_the_storys_manifests_get_the_advice_that_names_their_lines() -> None:
    found = manifests.load([STORY / "1-nlb.yaml", STORY / "2-alb.yaml"])
    planned = plan(found, ControllerOptions(release=LB_CONTROLLER_RELEASES.oldest))

    advice = plan_advice.advice(found, planned)

    assert {item.reason for item in advice} == {"expect-464", "idle-timeout-cuts-streams"}
    assert "manifests/2-alb.yaml:33" in advice[0].finding.what


def test_each_kind_of_advice_is_a_rule_of_check() -> None:
    reasons = [rule.advice for rule in rule_registry.all_rules() if rule.advice]

    assert len(reasons) == len(set(reasons)) == 11


def test_the_text_and_the_json_of_a_plan_hold_each_finding_and_its_remedy() -> None:
    result, advice = planned(ingress("web", "/*", HTTPS)), advice_on(ingress("web", "/*", HTTPS))

    text, values = plan_advice.render(result, advice), plan_advice.as_json(result, advice)

    (entry,) = values["advice"]
    assert (entry["reason"], entry["where"]) == ("missing-certificate", "app.yaml:17")
    assert f"Advice\n  missing-certificate: {entry['sentence']}\n    -> {entry['do']}\n" in text
    assert values["stacks"][0]["title"] == "Ingress group app"


def test_the_command_prints_text_or_json_and_fails_with_a_group_that_fails(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_text(SERVICE + ingress("web", "/*", CERTIFICATE))
    arguments = ["plan", "--manifests", str(file)]

    text = CliRunner().invoke(lb, arguments, standalone_mode=False)
    as_json = CliRunner().invoke(lb, [*arguments, "-o", "json"], standalone_mode=False)
    file.write_text(SERVICE + ingress("web", "/*", "scheme: public"))
    failed = CliRunner().invoke(lb, arguments, standalone_mode=False)

    assert text.return_value == 0
    assert "  ALB k8s-app-" in text.output
    assert "          1  host api.example.com and path /* -> HTTP1 k8s-default-web-" in text.output
    stack = json.loads(as_json.output)["stacks"][0]
    assert stack["error"] is None
    assert stack["listeners"][0]["port"] == 443
    assert stack["rules"][0]["conditions"][0] == {"field": "host-header", "values": ["api.example.com"]}
    assert failed.return_value == 1
    assert "FailedBuildModel: Failed build model due to unknown scheme: public" in failed.output


def test_advice_is_of_the_release_that_the_plan_is_of() -> None:
    params = "apiVersion: elbv2.k8s.aws/v1beta1\nkind: IngressClassParams\nmetadata: {name: ours}\n"
    documents = (params + "spec: {targetType: ip}\n---\n", ingress("web", "/*"))
    old = Named("v2.8.3", "--controller-version")

    found = plan_advice.advice(parsed(*documents), planned(*documents), old)

    assert "unread-class-field" in [item.reason for item in found]
    assert "unread-class-field" not in [item.reason for item in advice_on(*documents)]
