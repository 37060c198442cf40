"""The command line of a user's own controller in a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.lb_controller.offline.binary_flags import Place, listed, of_run

PLACE = Place(
    cluster="testbed",
    vpc="vpc-1",
    kubeconfig=Path("/run/kubeconfig"),
    certificates=Path("/run/webhooks"),
    address="127.80.0.1",
    webhook_port=9480,
    metrics_port=61780,
    health_port=61779,
)
USAGE = """Usage of :
      --aws-vpc-id string                 AWS VPC ID
      --cluster-name string               Kubernetes cluster name
      --enable-leader-election            Enable leader election (default true)
      --enable-shield                     Enable Shield addon for ALB (default true)
  -h, --help                              help
      --targetgroupbinding-requeue-duration duration   (default 15s)
unknown flag: --version
"""


def test_the_run_says_where_it_is_and_turns_off_what_nothing_answers() -> None:
    flags = of_run((), PLACE, known=(), speed=1)
    assert flags.arguments == (
        "--cluster-name=testbed",
        "--aws-region=ap-northeast-1",
        "--aws-vpc-id=vpc-1",
        "--kubeconfig=/run/kubeconfig",
        "--webhook-cert-dir=/run/webhooks",
        "--webhook-cert-file=tls.crt",
        "--webhook-key-file=tls.key",
        "--webhook-bind-port=9480",
        "--metrics-bind-addr=127.80.0.1:61780",
        "--health-probe-bind-addr=127.80.0.1:61779",
        "--enable-leader-election=false",
        "--enable-waf=false",
        "--enable-wafv2=false",
        "--enable-shield=false",
    )
    assert flags.changed == (
        "--enable-leader-election, --enable-waf, --enable-wafv2, --enable-shield are off",
    )
    assert flags.unscaled == ()


def test_what_the_deployment_says_stays_and_what_is_of_another_cluster_is_told() -> None:
    given = (
        "--cluster-name=prod",
        "--default-target-type=ip",
        "--enable-waf",
        "--backend-security-group=sg-1",
        "--feature-gates=NLBSecurityGroup=false",
    )
    flags = of_run(given, PLACE, known=(), speed=1)
    assert flags.arguments[:2] == ("--default-target-type=ip", "--feature-gates=NLBSecurityGroup=false")
    assert "--cluster-name=prod" not in flags.arguments
    assert flags.arguments.count("--enable-waf=false") == 1
    assert flags.changed[1:] == ("--cluster-name is of the run", "--backend-security-group is left out")


def test_a_flag_that_the_binary_does_not_know_is_not_given() -> None:
    known = listed(USAGE)
    assert known == {
        *("aws-vpc-id", "cluster-name", "enable-leader-election", "enable-shield", "help"),
        "targetgroupbinding-requeue-duration",
    }
    flags = of_run((), PLACE, known=known, speed=1)
    assert flags.arguments == (
        "--cluster-name=testbed",
        "--aws-vpc-id=vpc-1",
        "--enable-leader-election=false",
        "--enable-shield=false",
    )
    assert listed("v3.5.0\n") == frozenset()


def test_a_time_that_has_a_flag_follows_the_speed_and_what_has_none_is_told() -> None:
    flags = of_run((), PLACE, known=listed(USAGE), speed=10)
    assert flags.arguments[-1] == "--targetgroupbinding-requeue-duration=1500ms"
    assert flags.changed[-1] == "--targetgroupbinding-requeue-duration=15s is divided by the speed"
    assert flags.unscaled


def test_other_endpoints_of_aws_are_refused() -> None:
    with pytest.raises(BadInput, match="leads away from the testbed"):
        of_run(("--aws-api-endpoints=ec2=https://ec2.example.com",), PLACE, known=(), speed=1)
