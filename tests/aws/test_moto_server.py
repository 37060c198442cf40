from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from testbed.aws import moto_server
from testbed.child_process import Process
from testbed.errors import Missing
from testbed.network import MOTO_PORT, Network
from testbed.runtime.components import moto
from tests.aws.conftest import Account


def test_a_taken_port_is_reported_with_the_last_words(
    account: Account, network: Network, tmp_path: Path
) -> None:
    command, refused = moto.command(network.control, MOTO_PORT), r"moto ended with status 1: .*in use"
    with Process(command, tmp_path) as process, pytest.raises(Missing, match=refused):
        process.wait_until(lambda: moto.is_ready(process))


def test_each_zone_of_the_region_has_a_subnet(account: Account) -> None:
    found = account.clients.ec2.describe_subnets()["Subnets"]
    assert {one["AvailabilityZone"] for one in found} >= {"ap-northeast-1a", "ap-northeast-1c"}


def test_regions_are_those_of_a_partition() -> None:
    session = object()
    assert moto_server._regions(session, "ec2", "aws-cn") == ["cn-north-1", "cn-northwest-1"]
    assert "ap-northeast-1" in moto_server._regions(session, "ec2")
    assert not [name for name in moto_server._regions(session, "ec2") if name.startswith(("cn-", "us-gov-"))]


def test_moto_does_not_read_the_files_that_nothing_uses() -> None:
    code = (
        "from testbed.aws.moto_server import hasten; hasten()\n"
        "from moto.utilities import utils\n"
        "print(*(utils.load_resource(f'resources/{name}.json') for name in ('instance_types', 'amis')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "{} []\n"
