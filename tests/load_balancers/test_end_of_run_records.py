"""What the balancers of the small cloud leave: access log and metrics."""

from __future__ import annotations

import http.client
import shlex
import socket
import struct
import threading
from pathlib import Path
from typing import Any

import httpx

from testbed.journal import Journal, Metrics, read
from testbed.load_balancers.end_of_run_records import ACCESS_LOG, lines, record
from testbed.runtime.components.balancer_envoys import ADMIN_PORTS
from testbed.runtime.components.envoy_process import LOG_FLUSH_MILLISECONDS
from testbed.settings import PATIENCE
from tests.load_balancers.targets import serving
from tests.load_balancers.test_balancing import front

FIELDS = 30
NAME = "counted"


def recorded(cloud: Any, folder: Path) -> dict[str, dict[str, float]]:
    """The metrics of all balancers by their names, once the Envoys have written their logs."""
    threading.Event().wait(2 * LOG_FLUSH_MILLISECONDS / 1000)
    admins = {kind: f"http://{cloud.network.control}:{port}" for kind, port in ADMIN_PORTS.items()}
    with Journal(folder / "journal.ndjson") as journal:
        record(cloud.fleet, admins, cloud.folder, folder, cloud.clock, journal)
    events = [event for event in read(folder / "journal.ndjson") if isinstance(event, Metrics)]
    return {event.balancer.split("/")[1]: event.values for event in events}


def resets_of(cloud: Any) -> int:
    flows = [one for one in lines(cloud.folder / "nlb-flows.json") if one["elb"].split("/")[1] == NAME]
    return sum(one["client_close"] == "RemoteReset" for one in flows)


def test_flows_and_hosts_are_counted(cloud: Any, tmp_path: Path) -> None:
    with serving((cloud.network.envoy_pod(90), 8080)) as (target,):
        address = front(cloud, NAME, cloud.group(NAME, "TCP", target.address), 8030, "network")
        for resets in (False, True):
            with socket.create_connection((address, 8030), PATIENCE.request) as flow:
                flow.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                answer = http.client.HTTPResponse(flow)
                answer.begin()
                assert answer.read()
                if resets:
                    flow.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        cloud.eventually(lambda: resets_of(cloud) == 1)
        values = recorded(cloud, tmp_path)[NAME]
    assert values["NewFlowCount"] >= 2
    assert values["ActiveFlowCount"] == 0
    assert values["TCP_Client_Reset_Count"] == 1
    assert values["TCP_Target_Reset_Count"] == 0
    assert values["ProcessedBytes"] > 100
    assert (values["HealthyHostCount"], values["UnHealthyHostCount"]) == (1, 0)


def test_requests_are_counted_and_logged_line_by_line(cloud: Any, story: Any, tmp_path: Path) -> None:
    address = cloud.fleet.addresses(story.alb["DNSName"])[0]
    url = f"https://{address}:{cloud.network.port(443)}"
    for path in ("/measurements/a-1", "/nobody"):
        httpx.get(f"{url}{path}", verify=False, trust_env=False)
    values = recorded(cloud, tmp_path)["web"]
    assert values["RequestCount"] >= 1
    assert values["HTTPCode_Target_2XX_Count"] >= 1
    assert values["HTTPCode_ELB_4XX_Count"] >= 1
    assert values["TargetResponseTime"] > 0
    assert values["NewConnectionCount"] >= 2
    rows = [shlex.split(line) for line in (tmp_path / ACCESS_LOG).read_text().splitlines()]
    assert {len(row) for row in rows} == {FIELDS}
    mine = [row for row in rows if row[2] == story.alb["LoadBalancerArn"].partition("loadbalancer/")[2]]
    nobody = next(row for row in mine if "/nobody" in row[12])
    assert nobody[8:10] == ["404", "-"]
    assert nobody[22] == "fixed-response"
