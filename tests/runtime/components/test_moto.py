"""moto as a child process."""

from __future__ import annotations

from pathlib import Path

import psutil

from testbed.aws.boto3_clients import Clients
from testbed.child_process import Process
from testbed.network import MOTO_PORT, Network
from testbed.runtime.components import moto
from testbed.runtime.priority import GIVES_WAY


def test_it_answers_once_it_is_ready_and_gives_way_to_the_traffic(network: Network, tmp_path: Path) -> None:
    with Process(moto.command(network.control, MOTO_PORT), tmp_path) as process:
        process.wait_until(lambda: moto.is_ready(process))
        clients = Clients(f"http://{network.control}:{MOTO_PORT}")
        assert clients.route53.list_hosted_zones()["HostedZones"] == []
        assert psutil.Process(process.pid).nice() >= min(19, psutil.Process().nice() + GIVES_WAY)
