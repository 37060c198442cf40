from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from testbed.aws.localstack import LAST_FREE, endpoint, fresh_zone, wait_until_ready
from testbed.errors import Missing
from testbed.network import lease
from tests.aws.conftest import Account


@contextmanager
def health_page(body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with lease() as network, ThreadingHTTPServer((network.control, 4566), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{network.control}:4566"
        server.shutdown()


@pytest.mark.parametrize("state", ["available", "running"])
def test_localstack_is_ready_when_its_route_53_is(state: str) -> None:
    with health_page(f'{{"services": {{"route53": "{state}"}}}}'.encode()) as url:
        wait_until_ready(url, seconds=5)


@pytest.mark.parametrize("body", [b'{"services": {"route53": "disabled"}}', b"<html>", b""])
def test_another_server_at_the_address_is_reported_in_one_line(body: bytes) -> None:
    with health_page(body) as url, pytest.raises(Missing, match=r"is not ready within 0\.2 s"):
        wait_until_ready(url, seconds=0.2)


def test_a_slow_localstack_is_reported_in_one_line_with_what_to_do() -> None:
    with lease() as network, pytest.raises(Missing) as raised:
        wait_until_ready(f"http://{network.control}:4566", seconds=0.2)
    assert "is not ready within 0.2 s" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert LAST_FREE in str(raised.value)
    assert "55" in str(raised.value)


def test_a_zone_of_an_earlier_run_goes_with_its_records(account: Account) -> None:
    zone = account.zone()
    name = account.zone_name(zone)
    record = {"Name": f"a.{name}", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    account.behind.route53.change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    )
    fresh_zone(account.behind.route53.meta.endpoint_url, name)
    found = account.clients.route53.list_hosted_zones_by_name(DNSName=name)["HostedZones"]
    fresh = [one["Id"].rpartition("/")[2] for one in found if one["Name"].rstrip(".") == name]
    assert len(fresh) == 1
    assert fresh != [zone]
    records = account.clients.route53.list_resource_record_sets(HostedZoneId=fresh[0])["ResourceRecordSets"]
    assert {one["Type"] for one in records} == {"NS", "SOA"}


def test_the_endpoint_of_a_host_has_the_port_of_localstack() -> None:
    assert endpoint("10.91.64.10") == "http://10.91.64.10:4566"


def test_an_endpoint_of_the_environment_is_refused_because_a_zone_would_be_deleted_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://route53.amazonaws.com")
    with pytest.raises(Missing, match=r"would call https://route53.amazonaws.com .*; unset AWS_ENDPOINT_URL"):
        endpoint("10.91.64.10")
