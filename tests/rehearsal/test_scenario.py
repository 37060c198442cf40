"""What a scenario describes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from testbed.errors import BadInput
from testbed.rehearsal import scenario
from testbed.rehearsal.scenario import Scenario


def test_a_marked_function_stays_itself_and_has_its_scenario() -> None:
    def story(cutover: object) -> str:
        return f"played on {cutover}"

    marked = scenario("The story", host="api.shop.example.com")(story)
    assert marked is story
    found: Scenario = story.__dict__["testbed_scenario"]
    assert (found.name, found.title, found.zone) == ("story", "The story", "shop.example.com")
    assert found.folder == Path(__file__).parent


def test_flags_of_a_version_come_after_the_common_ones() -> None:
    @scenario("s", host="a.b", external_dns=["--x"], external_dns_by_version={"v0.22": ["--y"]})
    def story(cutover: object) -> None: ...

    found: Scenario = story.__dict__["testbed_scenario"]
    assert found.flags("v0.22") == ["--x", "--y"]
    assert found.flags("v0.7.4") == ["--x"]


def test_a_scenario_without_external_dns_has_no_flags_of_any_version() -> None:
    @scenario("s", host="a.b", external_dns=[], external_dns_by_version={"v0.22": ["--y"]})
    def story(cutover: object) -> None: ...

    assert story.__dict__["testbed_scenario"].flags("v0.22") == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"host": ""}, "host='' is not a domain name; write one such as api.example.com"),
        ({"host": "localhost", "zone": "localhost"}, "host='localhost' is not a domain name"),
        ({"host": f"{'a' * 64}.example.com"}, "is not a domain name"),
        ({"zone": "a..b"}, "zone='a..b' is not a domain name"),
        ({"port": 0}, "port=0 is not a port; write a number from 1 to 65535"),
        ({"port": "443"}, "port='443' is not a port"),
        ({"port": True}, "port=True is not a port"),
        ({"connection_age": "5m"}, "connection_age='5m' is not an age in seconds"),
        ({"connection_age": -1}, "connection_age=-1 is not an age in seconds"),
        ({"connection_age": float("nan")}, "connection_age=nan is not an age in seconds"),
        ({"balancer_provisioning": "3m"}, "balancer_provisioning='3m' is not a duration in seconds"),
        ({"balancer_provisioning": float("inf")}, "balancer_provisioning=inf is not a duration in seconds"),
        (
            {"manifests": "a.yaml"},
            r"manifests='a.yaml' is one text, not a list; write manifests=\['a.yaml'\]",
        ),
        ({"external_dns": "--source=service"}, "external_dns='--source=service' is one text"),
        ({"thresholds": "nlb.lost == 0"}, "thresholds='nlb.lost == 0' is one text"),
    ],
)
def test_a_value_that_no_topology_can_have_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        scenario("t", **{"host": "api.example.com", **arguments})
