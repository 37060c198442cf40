from __future__ import annotations

import threading
import time
import urllib.request

import pytest
from moto.server import ThreadedMotoServer

from testbed.clock import Clock
from testbed.dns.hosted_zone import RecordSet
from testbed.dns.zone_refresh import SERVICE, HostedZones, read
from testbed.errors import BadInput
from testbed.network import Network
from testbed.settings import PATIENCE, REGION
from tests.dns.zones_of_route53 import NLB, alias, ask, record, values


class FeedOfTheTest:
    """A change feed that is turned by hand."""

    def __init__(self) -> None:
        self._revision = 0
        self._changed = threading.Condition()

    def revision(self, service: str) -> int:
        assert service == SERVICE
        return self._revision

    def wait(self, service: str, since: int, wall_seconds: float) -> int:
        with self._changed:
            self._changed.wait_for(lambda: self._revision > since, wall_seconds)
            return self._revision

    def turn(self) -> None:
        with self._changed:
            self._revision += 1
            self._changed.notify_all()


@pytest.fixture
def client(network: Network):  # type: ignore[no-untyped-def]
    import boto3

    server = ThreadedMotoServer(network.control, 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    urllib.request.urlopen(f"http://{host}:{port}/moto-api/reset", data=b"").close()
    one = boto3.client(
        "route53",
        endpoint_url=f"http://{host}:{port}",
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    yield one
    one.close()
    server.stop()


@pytest.fixture
def zone(client) -> str:  # type: ignore[no-untyped-def]
    return client.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]


def change(client, zone: str, *records, action: str = "UPSERT") -> None:  # type: ignore[no-untyped-def]
    changes = [{"Action": action, "ResourceRecordSet": one} for one in records]
    client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def test_zones_are_read_page_by_page(client, zone: str) -> None:  # type: ignore[no-untyped-def]
    change(client, zone, *(record(f"n{number}.example.com", "A", "10.0.0.1") for number in range(350)))
    weights = [alias("w.example.com", NLB, SetIdentifier=str(number), Weight=1) for number in range(3)]
    change(client, zone, *weights, record("*.wild.example.com", "TXT", '"x"'))
    served = read(client, pytest.fail)
    assert all(values(ask(served, f"n{number}.example.com")) == ["10.0.0.1"] for number in range(350))
    (found,) = served.by_name.values()
    assert len(found.nodes[b"w", b"example", b"com"][RecordSet.of(weights[0]).type]) == 3
    assert values(ask(served, "a.wild.example.com", "TXT")) == ['"x"']
    assert values(ask(served, "example.com", "SOA"))


def test_a_change_is_answered_after_the_feed_reported_it(client, zone: str) -> None:  # type: ignore[no-untyped-def]
    feed, stop = FeedOfTheTest(), threading.Event()
    served = HostedZones(client, feed, Clock())
    thread = threading.Thread(target=served.follow, args=(stop,))
    thread.start()
    try:
        assert values(ask(served(), "api.example.com")) == []
        change(client, zone, alias("api.example.com", NLB))
        assert served.is_current
        feed.turn()
        deadline = time.monotonic() + PATIENCE.condition
        while not values(ask(served(), "api.example.com")):
            assert time.monotonic() < deadline
            stop.wait(0.01)
        assert served.is_current
    finally:
        stop.set()
        thread.join(5)


def test_zones_are_not_current_while_a_change_waits_to_be_read(client, zone: str) -> None:  # type: ignore[no-untyped-def]
    feed = FeedOfTheTest()
    served = HostedZones(client, feed, Clock())
    assert served.is_current
    feed.turn()
    assert not served.is_current


@pytest.mark.parametrize(
    "item",
    [record("a.", "A", "300.1.1.1"), record("a.", "NOSUCH", "x"), record(f"{'x' * 64}.", "A", "10.0.0.1")],
)
def test_a_record_that_dns_cannot_carry_is_reported_in_one_line(item: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="cannot be served"):
        RecordSet.of(item)
