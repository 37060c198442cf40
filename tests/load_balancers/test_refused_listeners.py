"""A balancer that does not listen everywhere says so at once: packets would find its other zone."""

from __future__ import annotations

import socket
from typing import Any

from testbed.journal import Log, read


def errors(cloud: Any) -> list[Log]:
    found = [event for event in read(cloud.folder / "journal.ndjson") if isinstance(event, Log)]
    return [event for event in found if event.is_part_error]


def test_a_port_that_is_taken_at_one_of_two_zone_addresses_is_an_error_of_the_run(cloud: Any) -> None:
    made = cloud.balancer("half", "network")
    cloud.feed.bump()
    cloud.eventually(lambda: len(cloud.fleet.addresses(made["DNSName"])) == 2)
    _, second = cloud.fleet.addresses(made["DNSName"])
    with socket.create_server((second, cloud.network.port(443))):
        cloud.listener(made, "TCP", 443, cloud.forward(cloud.group("half", "TCP", *cloud.pods(8443))))
        cloud.feed.bump()
        cloud.eventually(lambda: errors(cloud))
    (refusal,) = errors(cloud)
    assert (refusal.component, refusal.message) == ("nlb-envoy", "Envoy refuses a Listener")
    assert second in refusal.line
    assert "Address already in use" in refusal.line
    cloud.fleet.server.nodes["nlb"].refusals.clear()


def test_a_listener_whose_key_is_missing_is_an_error_and_said_once(cloud: Any) -> None:
    arn = cloud.certificate("api.example.com")
    del cloud.store[arn]
    before = len(errors(cloud))
    listener = cloud.listener(cloud.balancer("mute"), "HTTPS", 443, cloud.fixed(200), arn)
    for _ in range(3):
        cloud.feed.bump()
        cloud.eventually(lambda: len(errors(cloud)) > before)
    (closed,) = errors(cloud)[before:]
    assert (closed.component, closed.line) == ("load-balancers", listener)
    assert closed.message == "does not listen: there is no key to its certificate"
