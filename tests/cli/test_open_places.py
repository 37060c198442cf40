"""What is printed for a person who starts a controller of their own."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from testbed.cli import open_places
from testbed.clock import Clock
from testbed.network import Network
from testbed.options import Options
from tests.cli.test_access import on
from tests.made_setups import PLAIN


def topology(**cluster: Any) -> Any:
    """As much of a topology as is printed."""
    first = replace(PLAIN.cluster, external_dns_flags=("--provider=aws", "--source=service"), **cluster)
    ec2 = SimpleNamespace(describe_vpcs=lambda: {"Vpcs": [{"VpcId": "vpc-1", "IsDefault": True}]})
    return cast(
        Any,
        SimpleNamespace(
            setup=replace(PLAIN, clusters=(first,)),
            network=Network(83),
            clock=Clock(10.0),
            clients=SimpleNamespace(ec2=ec2),
        ),
    )


def shown(topology: Any) -> list[str]:
    printed = io.StringIO()
    open_places.show(on(printed), topology, Options(environment=Path("/tools")))
    return printed.getvalue().splitlines()


def test_a_run_that_plays_both_asks_for_nothing() -> None:
    assert not open_places.are_there(topology())
    assert shown(topology()) == []


def test_the_command_of_an_lb_controller_is_whole() -> None:
    lines = shown(topology(lb_controller_is_open=True, lb_controller_args=("--default-target-type=ip",)))
    assert lines[:3] == ["Start your own in another terminal:", "", "  . /tools/environment"]
    command = lines[3].strip()
    assert command.startswith("./aws-load-balancer-controller --default-target-type=ip --cluster-name=")
    for flag in (
        "--aws-vpc-id=vpc-1",
        "--kubeconfig=/tools/kubeconfig",
        "--webhook-cert-dir=/tools/webhooks",
        "--health-probe-bind-addr=127.83.0.1:61700",
        "--enable-leader-election=false",
    ):
        assert f" {flag}" in command


def test_a_flag_that_some_releases_refuse_is_left_to_the_person() -> None:
    lines = shown(topology(lb_controller_is_open=True))
    assert "--enable-waf=" not in lines[3]
    assert "Add --enable-waf=false if your controller's --help lists it." in lines


def test_the_command_of_an_external_dns_has_the_intervals_of_the_run() -> None:
    (command,) = [line for line in shown(topology(external_dns_is_open=True)) if "external-dns " in line]
    assert "--kubeconfig=/tools/kubeconfig" in command
    assert "--interval=6000ms" in command


@pytest.mark.parametrize("flags", [(), ("--provider=aws",)])
def test_a_cluster_without_external_dns_waits_for_none(flags: tuple[str, ...]) -> None:
    made = topology(external_dns_is_open=True)
    cluster = replace(made.setup.cluster, external_dns_flags=flags)
    made.setup = replace(made.setup, clusters=(cluster,))
    assert open_places.are_there(made) is bool(flags)
