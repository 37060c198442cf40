"""The `aws` command line (PyPI `awscli`), as it is, where it is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from testbed.settings import PATIENCE
from tests.aws.conftest import Account

pytestmark = pytest.mark.skipif(shutil.which("aws") is None, reason="awscli is not installed")


def aws(account: Account, *arguments: str) -> tuple[int, Any]:
    """Exit status, and the JSON that it printed or the error that it printed."""
    environment = os.environ | {
        "AWS_ENDPOINT_URL": account.url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "ap-northeast-1",
        "AWS_PAGER": "",
    }
    done = subprocess.run(
        ["aws", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE.condition,
        check=False,
    )
    return done.returncode, json.loads(done.stdout) if done.stdout.strip() else done.stderr.strip()


def test_it_creates_an_alias_to_a_balancer_and_prints_the_refusals_of_route_53(account: Account) -> None:
    zone = account.zone()
    made = ["create-load-balancer", "--name", "by-cli", "--type", "network", "--subnets", *account.subnets]
    balancer = aws(account, "elbv2", *made)[1]["LoadBalancers"][0]
    target = {
        "DNSName": balancer["DNSName"],
        "HostedZoneId": balancer["CanonicalHostedZoneId"],
        "EvaluateTargetHealth": True,
    }
    record = {"Name": account.zone_name(zone), "Type": "A", "AliasTarget": target}
    batch = json.dumps({"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]})
    change = ["change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch", batch]
    status, answer = aws(account, "route53", *change)
    assert (status, answer["ChangeInfo"]["Status"]) == (0, "PENDING")
    status, _ = aws(
        account, "route53", "wait", "resource-record-sets-changed", "--id", answer["ChangeInfo"]["Id"]
    )
    assert status == 0
    status, said = aws(account, "route53", *change)
    assert status != 0
    assert "(InvalidChangeBatch)" in said
    assert "but it already exists]" in said


def test_1_a_lambda_target_group_is_taken(account: Account) -> None:
    status, made = aws(
        account, "elbv2", "create-target-group", "--name", "cli-function", "--target-type", "lambda"
    )
    assert (status, made["TargetGroups"][0]["TargetType"]) == (0, "lambda")


def test_2_a_deregistered_target_drains_at_once_so_the_waiter_waits(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, target = account.group(), ["--targets", "Id=10.0.0.1,Port=80"]
    healthy = {"Target": {"Id": "10.0.0.1", "Port": 80}, "TargetHealth": {"State": "healthy"}}
    aws(account, "elbv2", "register-targets", "--target-group-arn", group, *target)
    monkeypatch.setattr(account.endpoint, "target_health", {group: [healthy]}.__getitem__)
    aws(account, "elbv2", "deregister-targets", "--target-group-arn", group, *target)
    # What `aws elbv2 wait target-deregistered` looks at; the waiter itself looks every 15 s.
    status, seen = aws(account, "elbv2", "describe-target-health", "--target-group-arn", group, *target)
    health = seen["TargetHealthDescriptions"][0]["TargetHealth"]
    assert (status, health["State"], health["Reason"]) == (0, "draining", "Target.DeregistrationInProgress")


def test_3_pages_of_records_pass_through_a_weighted_group(account: Account) -> None:
    zone = account.zone()
    name = account.zone_name(zone)
    record = {"Name": f"a.{name}", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    changes = [
        {"Action": "CREATE", "ResourceRecordSet": {**record, "SetIdentifier": one, "Weight": 1}}
        for one in ("a", "b", "c")
    ]
    batch = json.dumps({"Changes": changes})
    change = ["change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch", batch]
    assert aws(account, "route53", *change)[0] == 0
    listing = ["list-resource-record-sets", "--hosted-zone-id", zone, "--page-size", "1"]
    status, listed = aws(account, "route53", *listing)
    found = [one.get("SetIdentifier", one["Type"]) for one in listed["ResourceRecordSets"]]
    assert (status, found) == (0, ["NS", "SOA", "a", "b", "c"])


def test_4_every_answer_is_an_error_of_aws(account: Account) -> None:
    listener = account.listener(account.balancer()["LoadBalancerArn"], "HTTP", 80)
    (rule,) = account.clients.elbv2.describe_rules(ListenerArn=listener)["Rules"]
    status, said = aws(account, "elbv2", "delete-rule", "--rule-arn", rule["RuleArn"])
    assert status != 0
    assert "(OperationNotPermitted)" in said


def test_5_a_balancer_is_made_once(account: Account) -> None:
    make = ["create-load-balancer", "--name", "cli-once", "--subnets", *account.subnets]
    arns = {aws(account, "elbv2", *make)[1]["LoadBalancers"][0]["LoadBalancerArn"] for _ in range(2)}
    assert len(arns) == 1
    status, said = aws(account, "elbv2", *make, "--scheme", "internal")
    assert status != 0
    assert "(DuplicateLoadBalancerName)" in said


def test_6_a_certificate_is_usable_once_its_record_stands(account: Account) -> None:
    asked = ["request-certificate", "--domain-name", "cli.example.com", "--validation-method", "DNS"]
    arn = aws(account, "acm", *asked)[1]["CertificateArn"]
    balancer = account.balancer()["LoadBalancerArn"]
    nothing = "Type=fixed-response,FixedResponseConfig={StatusCode=404}"
    listener = ["create-listener", "--load-balancer-arn", balancer, "--protocol", "HTTPS", "--port", "443"]
    secured = [*listener, "--certificates", f"CertificateArn={arn}", "--default-actions", nothing]
    status, said = aws(account, "elbv2", *secured)
    assert status != 0
    assert "(UnsupportedCertificate)" in said
    account.validate(arn)
    assert aws(account, "acm", "wait", "certificate-validated", "--certificate-arn", arn)[0] == 0
    assert aws(account, "elbv2", *secured)[0] == 0


def test_7_a_plain_listener_has_no_policy_and_an_nlbs_listener_says_net(account: Account) -> None:
    balancer = account.balancer("network")["LoadBalancerArn"]
    group = account.group(None, "TCP")
    listener = ["create-listener", "--load-balancer-arn", balancer, "--protocol", "TCP", "--port", "80"]
    _, made = aws(account, "elbv2", *listener, "--default-actions", f"Type=forward,TargetGroupArn={group}")
    assert ":listener/net/" in made["Listeners"][0]["ListenerArn"]
    assert "SslPolicy" not in made["Listeners"][0]
