"""Sticky sessions through a real Envoy: cookies as the ALB sets them, targets as the cookies say."""

from __future__ import annotations

import datetime
import email.utils
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from testbed.clock import Clock
from testbed.load_balancers.elbv2_state import HealthCheck, TargetGroup
from testbed.load_balancers.stickiness import Stickiness, group_value, stickiness_of
from testbed.settings import PATIENCE

PORT = 8001
MANY = 12
"""Requests after which two targets in turn have both been seen."""
CHECK = HealthCheck("HTTP", "traffic-port", "/", "200", 30, 5, 5, 2)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, None),
        ({"stickiness.enabled": "false", "stickiness.type": "lb_cookie"}, None),
        ({"stickiness.enabled": "true", "stickiness.type": "lb_cookie"}, Stickiness("lb", 86_400)),
        (
            {
                "stickiness.enabled": "true",
                "stickiness.type": "app_cookie",
                "stickiness.app_cookie.cookie_name": "SID",
                "stickiness.app_cookie.duration_seconds": "60",
            },
            Stickiness("app", 60, "SID"),
        ),
    ],
    ids=["none", "off", "lb_cookie", "app_cookie"],
)
def test_the_attributes_of_a_group_say_how_clients_stick(
    attributes: dict[str, str], expected: Stickiness | None
) -> None:
    assert stickiness_of(TargetGroup("arn", "HTTP", "HTTP1", "ip", CHECK, (), attributes)) == expected


class Session(http.server.BaseHTTPRequestHandler):
    """Answers with its own address and the headers it got; `/login` sets a cookie."""

    def do_GET(self) -> None:
        body = "\n".join([self.server.server_address[0], *map(": ".join, self.headers.items())]).encode()  # type: ignore[list-item]
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        if self.path == "/login":
            self.send_header("set-cookie", "SID=1; Path=/")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@dataclass
class Sticky:
    """Two targets in a group each, both in a third group, and a listener before them."""

    cloud: Any
    address: str
    listener: str
    both: str
    singles: tuple[str, str]

    def get(self, path: str = "/", **cookies: str) -> tuple[str, httpx.Response]:
        """Which target answers, and the answer."""
        sent = {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
        answer = httpx.get(f"http://{self.address}:{PORT}{path}", headers=sent, trust_env=False, verify=False)
        assert answer.status_code == 200
        return answer.text.partition("\n")[0], answer

    def targets(self, **cookies: str) -> set[str]:
        """Who answers many requests."""
        return {self.get(**cookies)[0] for _ in range(MANY)}

    def forward(self, action: dict[str, Any]) -> None:
        self.cloud.elbv2.modify_listener(ListenerArn=self.listener, DefaultActions=[action])
        self.cloud.feed.bump()

    def attributes(self, **given: str) -> None:
        pairs = [{"Key": f"stickiness.{name.replace('__', '.')}", "Value": given[name]} for name in given]
        self.cloud.elbv2.modify_target_group_attributes(TargetGroupArn=self.both, Attributes=pairs)
        self.cloud.feed.bump()


@pytest.fixture(scope="module")
def sticky(cloud: Any) -> Iterator[Sticky]:
    hosts = [cloud.network.envoy_pod(index) for index in (60, 61)]
    servers = [http.server.ThreadingHTTPServer((host, 8080), Session) for host in hosts]
    threads = [
        threading.Thread(target=one.serve_forever, kwargs={"poll_interval": PATIENCE.poll}) for one in servers
    ]
    for thread in threads:
        thread.start()
    targets = [(host, 8080) for host in hosts]
    both = cloud.group("sticky", "HTTP1", *targets)
    singles = [cloud.group(f"sticky{index}", "HTTP1", target) for index, target in enumerate(targets)]
    balancer = cloud.balancer("sticky")
    listener = cloud.listener(balancer, "HTTP", PORT, cloud.forward(both))
    cloud.feed.bump()
    cloud.eventually(lambda: cloud.fleet.addresses(balancer["DNSName"]))
    address = cloud.fleet.addresses(balancer["DNSName"])[0]
    made = Sticky(cloud, address, listener, both, (singles[0], singles[1]))
    cloud.eventually(lambda: made.targets() == set(hosts))
    yield made
    for server, thread in zip(servers, threads, strict=True):
        server.shutdown()
        server.server_close()
        thread.join()


def cookies(answer: httpx.Response) -> dict[str, str]:
    """What each Set-Cookie says, by the cookie's name."""
    given = answer.headers.get_list("set-cookie")
    return {one.partition("=")[0]: one.partition("=")[2] for one in given}


def test_awsalb_leads_back_to_its_target_and_is_renewed_by_each_answer(cloud: Any, sticky: Sticky) -> None:
    assert cookies(sticky.get()[1]) == {}
    sticky.attributes(enabled="true", type="lb_cookie", lb_cookie__duration_seconds="6000")
    cloud.eventually(lambda: cookies(sticky.get()[1]))
    first, answer = sticky.get()
    given = cookies(answer)
    assert set(given) == {"AWSALB", "AWSALBCORS"}
    value, expires, path = given["AWSALB"].split("; ")
    assert path == "Path=/"
    assert given["AWSALBCORS"] == f"{given['AWSALB']}; SameSite=None"
    moment = email.utils.parsedate_to_datetime(expires.removeprefix("Expires="))
    left = moment - datetime.datetime.now(tz=datetime.UTC)
    assert datetime.timedelta(seconds=90) < left <= datetime.timedelta(seconds=100)  # 6000 s at speed 60
    assert sticky.targets(AWSALB=value) == {first}
    assert sticky.targets(AWSALBCORS=value) == {first}
    assert cookies(sticky.get(AWSALB=value)[1])["AWSALB"].partition(";")[0] == value
    assert len(sticky.targets(AWSALB="bm9ib2R5")) == 2  # a cookie that names nobody is as good as none
    text = sticky.get(AWSALB=value)[1].text.lower()
    assert f"cookie: awsalb={value.lower()}" in text
    assert "x-alb" not in text
    sticky.attributes(enabled="false")
    cloud.eventually(lambda: cookies(sticky.get(AWSALB=value)[1]) == {})
    assert len(sticky.targets(AWSALB=value)) == 2


def test_a_session_moves_when_its_target_is_deregistered(cloud: Any, sticky: Sticky) -> None:
    sticky.attributes(enabled="true", type="lb_cookie", lb_cookie__duration_seconds="6000")
    cloud.eventually(lambda: cookies(sticky.get()[1]))
    first, answer = sticky.get()
    value = cookies(answer)["AWSALB"].partition(";")[0]
    gone = [{"Id": first, "Port": 8080}]
    cloud.elbv2.deregister_targets(TargetGroupArn=sticky.both, Targets=gone)
    cloud.feed.bump()
    cloud.eventually(lambda: first not in sticky.targets(AWSALB=value))
    moved = cookies(sticky.get(AWSALB=value)[1])["AWSALB"].partition(";")[0]
    assert moved != value
    cloud.elbv2.register_targets(TargetGroupArn=sticky.both, Targets=gone)
    sticky.attributes(enabled="false")
    cloud.eventually(lambda: len(sticky.targets()) == 2)


def test_an_applications_cookie_begins_the_session(cloud: Any, sticky: Sticky) -> None:
    sticky.attributes(
        enabled="true", type="app_cookie", app_cookie__cookie_name="SID", app_cookie__duration_seconds="600"
    )
    cloud.eventually(lambda: "AWSALBAPP-0" in cookies(sticky.get("/login")[1]))
    assert cookies(sticky.get()[1]) == {}
    first, answer = sticky.get("/login")
    assert set(cookies(answer)) == {"SID", "AWSALBAPP-0"}
    value = cookies(answer)["AWSALBAPP-0"].partition(";")[0]
    assert sticky.targets(**{"SID": "1", "AWSALBAPP-0": value}) == {first}
    sticky.attributes(enabled="false")
    cloud.eventually(lambda: cookies(sticky.get("/login")[1]).keys() == {"SID"})


def test_a_client_keeps_its_group_of_a_weighted_forward(cloud: Any, sticky: Sticky) -> None:
    shares = [{"TargetGroupArn": arn, "Weight": 1} for arn in sticky.singles]
    kept = {"Enabled": True, "DurationSeconds": 600}
    sticky.forward(
        {
            "Type": "forward",
            "ForwardConfig": {"TargetGroups": shares, "TargetGroupStickinessConfig": kept},
        }
    )
    cloud.eventually(lambda: "AWSALBTG" in cookies(sticky.get()[1]))
    cloud.eventually(lambda: len(sticky.targets()) == 2)
    hosts = sorted(sticky.targets())
    for arn, host in zip(sticky.singles, hosts, strict=True):
        assert sticky.targets(AWSALBTG=group_value(arn)) == {host}
        assert sticky.targets(other="1", AWSALBTGCORS=group_value(arn)) == {host}
    assert set(cookies(sticky.get()[1])) == {"AWSALBTG", "AWSALBTGCORS"}
    sticky.forward(cloud.forward(sticky.both))
    cloud.eventually(lambda: cookies(sticky.get()[1]) == {})


def test_cookies_count_wall_seconds() -> None:
    from testbed.load_balancers.stickiness import to_target

    (added,) = to_target(Stickiness("app", 600, "SID"), Clock(60))["response_headers_to_add"]
    assert added["header"]["value"] == "app 10 SID"
