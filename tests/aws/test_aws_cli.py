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
    """Exit status, and the JSON that it printed or the error that it told."""
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


def test_it_makes_an_alias_to_a_balancer_and_is_told_what_route_53_refuses(account: Account) -> None:
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


def test_it_requests_a_certificate_and_finds_it_issued(account: Account) -> None:
    arn = aws(account, "acm", "request-certificate", "--domain-name", "cli.example.com")[1]["CertificateArn"]
    described = aws(account, "acm", "describe-certificate", "--certificate-arn", arn)[1]["Certificate"]
    assert described["Status"] == "ISSUED"
