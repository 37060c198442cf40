"""Who gets the next request or connection: seen at real Envoys."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from testbed.load_balancers.health_check_requests import PROXY_LOCAL
from testbed.settings import PATIENCE
from tests.load_balancers.targets import HeldTarget, receiving, serving

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


@pytest.fixture
def pair(cloud: Any) -> Iterator[list[HeldTarget]]:
    with serving(*((cloud.network.envoy_pod(index), 8080) for index in (80, 81))) as targets:
        yield targets


def front(cloud: Any, name: str, group: str, port: int, kind: str = "application", **balancer: str) -> str:
    """A balancer's first address that forwards a port to a group, when all its targets are healthy."""
    made = cloud.balancer(name, kind)
    if balancer:
        pairs = [{"Key": key.replace("__", "."), "Value": value} for key, value in balancer.items()]
        cloud.elbv2.modify_load_balancer_attributes(LoadBalancerArn=made["LoadBalancerArn"], Attributes=pairs)
    cloud.listener(made, "TCP" if kind == "network" else "HTTP", port, cloud.forward(group))
    cloud.feed.bump()
    cloud.eventually(lambda: cloud.fleet.addresses(made["DNSName"]))
    cloud.eventually(lambda: set(states(cloud, group)) == {"healthy"})
    address: str = cloud.fleet.addresses(made["DNSName"])[0]
    cloud.eventually(lambda: socket.create_connection((address, port)).close() is None)
    return address


def states(cloud: Any, group: str) -> list[str]:
    return [one["TargetHealth"]["State"] for one in cloud.fleet.health.describe(group)]


def configure(cloud: Any, group: str, **attributes: str) -> None:
    pairs = [{"Key": key.replace("__", "."), "Value": value} for key, value in attributes.items()]
    cloud.elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=pairs)
    cloud.feed.bump()


def test_least_outstanding_requests_go_to_the_target_that_has_fewest(
    cloud: Any, pair: list[HeldTarget]
) -> None:
    group = cloud.group("least", "HTTP1", *(one.address for one in pair))
    configure(cloud, group, load_balancing__algorithm__type="least_outstanding_requests")
    address = front(cloud, "least", group, 8010)
    asking: list[threading.Thread] = []

    def ask(*expected: tuple[int, int]) -> None:
        url = f"http://{address}:8010/slow"
        get = {"trust_env": False, "verify": False, "timeout": PATIENCE.condition}
        asking.append(threading.Thread(target=httpx.get, args=(url,), kwargs=get))
        asking[-1].start()
        cloud.eventually(lambda: tuple(one.held for one in pair) in expected)

    ask((1, 0), (0, 1))
    ask((1, 1))
    ask((2, 1), (1, 2))
    ask((2, 2))
    pair[0].released.set()
    cloud.eventually(lambda: pair[0].held == 0)
    pair[0].released.clear()
    ask((1, 2))
    ask((2, 2))
    for one in pair:
        one.released.set()
    for thread in asking:
        thread.join()


def test_a_target_that_becomes_healthy_starts_slowly(cloud: Any, pair: list[HeldTarget]) -> None:
    group = cloud.group("slowly", "HTTP1", pair[0].address)
    configure(cloud, group, slow_start__duration_seconds="300")
    address = front(cloud, "slowly", group, 8011)
    threading.Event().wait(cloud.clock.scaled(300))  # the first one has started
    target = [{"Id": pair[1].address[0], "Port": pair[1].address[1]}]
    cloud.elbv2.register_targets(TargetGroupArn=group, Targets=target)
    cloud.feed.bump()
    cloud.eventually(lambda: states(cloud, group) == ["healthy"] * 2)
    before = [one.answered for one in pair]
    with httpx.Client(trust_env=False) as client:
        for _ in range(40):
            assert client.get(f"http://{address}:8011/").status_code == 200
    old, new = (one.answered - had for one, had in zip(pair, before, strict=True))
    assert 0 < new < old / 2, (old, new)  # at once they would share alike


def test_proxy_protocol_v2_sends_the_client_of_an_nlb_to_its_target(cloud: Any) -> None:
    where = (cloud.network.envoy_pod(82), 8080)
    with receiving(where, 28 + len(b"hello")) as got:
        group = cloud.group("proxied", "TCP", where)
        configure(cloud, group, proxy_protocol_v2__enabled="true")
        address = front(cloud, "proxied", group, 8012, "network")
        with socket.create_connection((address, 8012), PATIENCE.condition) as flow:
            source = flow.getsockname()
            flow.sendall(b"hello")
            cloud.eventually(lambda: any(data.endswith(b"hello") for data in got))
        cloud.eventually(lambda: PROXY_LOCAL in got)  # the health checks too
    data = next(one for one in got if one.endswith(b"hello"))
    addresses = socket.inet_aton(source[0]) + socket.inet_aton(address)
    expected = (
        SIGNATURE + b"\x21\x11" + struct.pack("!H", 12) + addresses + struct.pack("!HH", source[1], 8012)
    )
    assert data == expected + b"hello"


def test_an_nlb_sticky_by_source_leads_all_connections_of_an_address_to_one_target(
    cloud: Any, pair: list[HeldTarget]
) -> None:
    group = cloud.group("source", "TCP", *(one.address for one in pair))
    address = front(cloud, "source", group, 8013, "network", load_balancing__cross_zone__enabled="true")

    def answered(source: str) -> set[str]:
        found = set()
        for _ in range(12):
            transport = httpx.HTTPTransport(local_address=source, verify=False)
            with httpx.Client(transport=transport, trust_env=False, verify=False) as client:
                found.add(client.get(f"http://{address}:8013/").text)
        return found

    clients = [f"127.{cloud.network.second}.250.{number}" for number in range(1, 9)]
    cloud.eventually(lambda: len(answered(clients[0])) == 2)
    configure(cloud, group, stickiness__enabled="true", stickiness__type="source_ip")
    cloud.eventually(lambda: len(answered(clients[0])) == 1)
    each = [answered(client) for client in clients]
    assert all(len(one) == 1 for one in each)
    assert len(set.union(*each)) == 2


@pytest.mark.parametrize(("crosses", "seen"), [("false", 1), ("true", 2)])
def test_a_node_of_an_nlb_reaches_the_targets_of_its_zone_or_of_all(
    cloud: Any, pair: list[HeldTarget], crosses: str, seen: int
) -> None:
    group = cloud.group(f"cross{crosses}", "TCP", *(one.address for one in pair))
    configure(cloud, group, load_balancing__cross_zone__enabled=crosses)
    address = front(cloud, f"cross{crosses}", group, 8014 + seen, "network")

    def answered() -> set[str]:
        url = f"http://{address}:{8014 + seen}/"
        return {httpx.get(url, trust_env=False, verify=False).text for _ in range(16)}

    cloud.eventually(lambda: len(answered()) == seen)


@pytest.mark.parametrize(
    ("policy", "offered", "chosen"),
    [
        ("HTTP1Only", ["h2", "http/1.1"], "http/1.1"),
        ("HTTP2Only", ["h2", "http/1.1"], "h2"),
        ("HTTP2Optional", ["h2", "http/1.1"], "http/1.1"),
        ("HTTP2Optional", ["h2"], "h2"),
        ("HTTP2Preferred", ["http/1.1", "h2"], "h2"),
        ("HTTP2Preferred", ["http/1.1"], "http/1.1"),
        ("None", ["h2", "http/1.1"], None),
    ],
)
def test_a_tls_listener_of_an_nlb_negotiates_by_its_alpn_policy(
    cloud: Any, tls: tuple[str, dict[str, int]], policy: str, offered: list[str], chosen: str | None
) -> None:
    address, ports = tls
    assert negotiated(cloud, address, ports[policy], "api.example.com", *offered)[0] == chosen


def test_a_tls_listener_of_an_nlb_chooses_its_certificate_by_the_servers_name(
    cloud: Any, tls: tuple[str, dict[str, int]]
) -> None:
    address, ports = tls
    for name, expected in (("api", "api"), ("other", "other"), ("nobody", "api")):
        names = negotiated(cloud, address, ports["None"], f"{name}.example.com", "h2")[1]
        assert names == [f"{expected}.example.com"]


@pytest.mark.parametrize(
    ("port", "policy", "versions"),
    [
        (8041, None, {"TLSv1.2"}),
        (8042, "ELBSecurityPolicy-2016-08", {"TLSv1.2"}),
        (8043, "ELBSecurityPolicy-TLS13-1-2-2021-06", {"TLSv1.2", "TLSv1.3"}),
        (8044, "ELBSecurityPolicy-TLS13-1-3-2021-06", {"TLSv1.3"}),
    ],
)
def test_a_listener_speaks_the_versions_of_tls_that_its_security_policy_has(
    cloud: Any, story: Any, port: int, policy: str | None, versions: set[str]
) -> None:
    given = {"SslPolicy": policy} if policy else {}
    cloud.elbv2.create_listener(
        LoadBalancerArn=story.alb["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=port,
        Certificates=[{"CertificateArn": story.certificate}],
        DefaultActions=[cloud.fixed(200)],
        **given,
    )
    cloud.feed.bump()
    address = cloud.fleet.addresses(story.alb["DNSName"])[0]
    cloud.eventually(lambda: socket.create_connection((address, port)).close() is None)
    assert {one for one in ("TLSv1.2", "TLSv1.3") if speaks(address, port, one)} == versions


def speaks(address: str, port: int, version: str) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    wanted = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}[version]
    context.minimum_version = context.maximum_version = wanted
    with socket.create_connection((address, port), PATIENCE.request) as plain:
        try:
            with context.wrap_socket(plain) as secured:
                return secured.version() == version
        except ssl.SSLError:
            return False


@pytest.fixture(scope="module")
def tls(cloud: Any) -> Iterator[tuple[str, dict[str, int]]]:
    """An NLB with a TLS listener for each ALPN policy; the target speaks plain TCP."""
    with serving((cloud.network.envoy_pod(85), 8080)) as (target,):
        group = cloud.group("plain", "TCP", target.address)
        made = cloud.balancer("tls", "network")
        arns = [cloud.certificate(f"{name}.example.com") for name in ("api", "other")]
        ports = {}
        for port, policy in enumerate(
            ("HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"), start=8020
        ):
            listener = cloud.elbv2.create_listener(
                LoadBalancerArn=made["LoadBalancerArn"],
                Protocol="TLS",
                Port=port,
                Certificates=[{"CertificateArn": arns[0]}],
                AlpnPolicy=[policy],
                DefaultActions=[cloud.forward(group)],
            )["Listeners"][0]["ListenerArn"]
            cloud.elbv2.add_listener_certificates(
                ListenerArn=listener, Certificates=[{"CertificateArn": arns[1]}]
            )
            ports[policy] = port
        cloud.feed.bump()
        cloud.eventually(lambda: cloud.fleet.addresses(made["DNSName"]))
        address = cloud.fleet.addresses(made["DNSName"])[0]
        cloud.eventually(lambda: negotiated(cloud, address, ports["None"], "api.example.com", "h2"))
        yield address, ports


def negotiated(cloud: Any, address: str, port: int, name: str, *offered: str) -> tuple[str | None, list[str]]:
    """The protocol that a TLS handshake settles on, and the names in the certificate."""
    context = ssl.create_default_context(cadata=cloud.trusted.decode())
    context.check_hostname = False
    context.set_alpn_protocols(list(offered))
    with (
        socket.create_connection((address, port), PATIENCE.request) as plain,
        context.wrap_socket(plain, server_hostname=name) as secured,
    ):
        certificate: Any = secured.getpeercert()
        names = [value for kind, value in certificate["subjectAltName"] if kind == "DNS"]
        return secured.selected_alpn_protocol(), names
