from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, tls_pb2
from google.protobuf.message import Message

from testbed.clock import Clock
from testbed.load_balancers.elbv2_state import Elbv2State, HealthCheck, Listener, LoadBalancer, TargetGroup
from testbed.load_balancers.envoy_listeners import ListenerInputs, listener
from testbed.load_balancers.rule_matching import FixedResponse, Forward, Rule
from testbed.network import Network

NETWORK = Network(99)
GROUP = TargetGroup("arn:targetgroup/a/1", "TCP", "", "ip", HealthCheck("TCP", "80", "", "", 10, 10, 3, 3))
STATE = Elbv2State(groups={GROUP.arn: GROUP})
FORWARD = (Rule(0, Forward(((GROUP.arn, 1),))),)
TCP = Listener("l", 443, "TCP", rules=FORWARD)
TLS = Listener("l", 443, "TLS", ("first", "second", "third"), rules=FORWARD)
HTTPS = replace(TLS, protocol="HTTPS", certificates=("first",))
NAMES = {"second": ("a.example.com", "b.example.com"), "third": ("b.example.com", "*.example.org")}


def balancer(balancer_type: Any, item: Listener) -> LoadBalancer:
    return LoadBalancer("lb", "web", balancer_type, "web.elb", "active", ("a",), (item,))


def made(
    balancer_type: str,
    item: Listener,
    attributes: Mapping[str, str] | None = None,
    names: Mapping[str, tuple[str, ...]] | None = None,
    flow_log: str = "",
) -> listener_pb2.Listener:
    of = replace(balancer(balancer_type, item), attributes=attributes or {})
    run = ListenerInputs(NETWORK, Clock(60), "access.json", names or {}, flow_log)
    built = listener(of, item, 0, NETWORK.balancer(0, 0), STATE, run)
    assert built
    return built


def unpacked(source: Any, into: Message) -> Any:
    assert source.typed_config.Unpack(into)
    return into


def managers(built: listener_pb2.Listener) -> list[Any]:
    kind = http_connection_manager_pb2.HttpConnectionManager
    return [unpacked(chain.filters[0], kind()) for chain in built.filter_chains]


def tls_contexts(built: listener_pb2.Listener) -> list[Any]:
    return [unpacked(chain.transport_socket, tls_pb2.DownstreamTlsContext()) for chain in built.filter_chains]


def test_a_listener_binds_the_port_that_this_user_may_bind() -> None:
    address = made("nlb", TCP).address.socket_address
    assert (address.address, address.port_value) == (NETWORK.balancer(0, 0), 8443)


def test_a_listener_of_an_nlb_without_a_target_group_is_left_out() -> None:
    run = ListenerInputs(NETWORK, Clock(60), "", {})
    gone = replace(TCP, rules=(Rule(0, Forward((("arn:targetgroup/gone/1", 1),))),))
    assert listener(balancer("nlb", gone), gone, 0, "127.99.10.1", STATE, run) is None
    fixed = replace(TCP, rules=(Rule(0, FixedResponse(404)),))
    assert listener(balancer("nlb", fixed), fixed, 0, "127.99.10.1", STATE, run) is None


@pytest.mark.parametrize(
    ("item", "production"),
    [
        (TCP, 350),
        (replace(TCP, attributes={"tcp.idle_timeout.seconds": "600"}), 600),
        (replace(TLS, attributes={"tcp.idle_timeout.seconds": "600"}), 350),
    ],
    ids=["default", "tcp", "tls"],
)
def test_the_idle_timeout_of_flows_is_scaled_and_only_tcp_listeners_set_it(
    item: Listener, production: int
) -> None:
    proxy = unpacked(made("nlb", item).filter_chains[0].filters[0], tcp_proxy_pb2.TcpProxy())
    assert proxy.idle_timeout.ToMilliseconds() == pytest.approx(production / 60 * 1000, abs=1)


def test_flows_are_logged_only_into_a_file_that_is_named() -> None:
    proxies = [
        unpacked(made("nlb", TCP, flow_log=log).filter_chains[0].filters[0], tcp_proxy_pb2.TcpProxy())
        for log in ("", "flows.json")
    ]
    assert [len(proxy.access_log) for proxy in proxies] == [0, 1]


def test_a_server_name_of_two_certificates_belongs_to_the_first() -> None:
    chains = made("nlb", TLS, names=NAMES).filter_chains
    assert [list(chain.filter_chain_match.server_names) for chain in chains] == [
        [],
        ["a.example.com", "b.example.com"],
        ["*.example.org"],
    ]


def test_the_default_certificate_has_a_name_of_its_own_so_that_it_can_be_replaced() -> None:
    secrets = [
        context.common_tls_context.tls_certificate_sds_secret_configs[0].name
        for context in tls_contexts(made("nlb", TLS, names=NAMES))
    ]
    assert secrets == ["l/default", "second", "third"]


@pytest.mark.parametrize(
    ("policy", "offered"),
    [("None", []), ("HTTP2Only", ["h2"]), ("HTTP2Preferred", ["h2", "http/1.1", "http/1.0"])],
)
def test_an_alpn_policy_gives_the_order_of_protocols(policy: str, offered: list[str]) -> None:
    (context,) = tls_contexts(made("nlb", replace(TLS, certificates=("first",), alpn=policy)))
    assert list(context.common_tls_context.alpn_protocols) == offered


def test_the_versions_of_tls_are_those_of_the_security_policy() -> None:
    (limited,) = tls_contexts(
        made("nlb", replace(TLS, certificates=("first",), protocols=("TLSv1.2", "TLSv1.3")))
    )
    parameters = limited.common_tls_context.tls_params
    name = common_pb2.TlsParameters.TlsProtocol.Name
    assert name(parameters.tls_minimum_protocol_version) == "TLSv1_2"
    assert name(parameters.tls_maximum_protocol_version) == "TLSv1_3"


def test_an_https_listener_serves_http2_unless_it_is_switched_off() -> None:
    both = made("alb", HTTPS)
    assert [list(chain.filter_chain_match.application_protocols) for chain in both.filter_chains] == [
        ["h2"],
        [],
    ]
    assert [manager.rds.route_config_name for manager in managers(both)] == ["l/0/h2", "l/0/h1"]
    (h1,) = managers(made("alb", HTTPS, {"routing.http2.enabled": "false"}))
    assert h1.rds.route_config_name == "l/0/h1"


def test_only_http2_connections_have_a_limit_of_requests() -> None:
    h2, h1 = managers(made("alb", HTTPS))
    assert h2.common_http_protocol_options.max_requests_per_connection.value == 10_000
    assert not h1.common_http_protocol_options.HasField("max_requests_per_connection")


def test_the_timeouts_of_an_alb_are_scaled_attributes() -> None:
    attributes = {"idle_timeout.timeout_seconds": "120", "client_keep_alive.seconds": "600"}
    (manager, _) = managers(made("alb", HTTPS, attributes))
    options = manager.common_http_protocol_options
    assert options.idle_timeout.ToMilliseconds() == 2_000
    assert options.max_connection_duration.ToMilliseconds() == 10_000
    assert manager.stream_idle_timeout.ToMilliseconds() == 2_000


def test_a_connection_that_the_alb_closes_is_closed_at_once() -> None:
    """Envoy reads nothing in the second, undivided, that it keeps the socket by default."""
    for manager in managers(made("alb", HTTPS)):
        assert manager.delayed_close_timeout.ToMilliseconds() == 1


def script(built: listener_pb2.Listener) -> str:
    from envoy.extensions.filters.http.lua.v3 import lua_pb2

    (manager, *_) = managers(built)
    return str(unpacked(manager.http_filters[0], lua_pb2.Lua()).default_source_code.inline_string)


def test_the_script_knows_the_attributes_of_its_balancer() -> None:
    attributes = {
        "routing.http.xff_header_processing.mode": "preserve",
        "routing.http.xff_client_port.enabled": "true",
    }
    head = script(made("alb", HTTPS, attributes)).partition("\n-- ")[0]
    assert 'local PROTOCOL = "https"' in head
    assert "local PORT = 443" in head
    assert "local BOUND = 8443" in head
    assert 'local XFF_MODE = "preserve"' in head
    assert "local XFF_PORT = true" in head
    assert "local KEEP_HOST = false" in head


def test_no_text_of_an_attribute_reaches_the_script() -> None:
    attributes = {
        "routing.http.xff_header_processing.mode": '"; os.execute("x") --',
        "routing.http.preserve_host_header.enabled": "os.exit()",
    }
    text = script(made("alb", HTTPS, attributes))
    assert "execute" not in text
    assert "os.exit" not in text
    assert 'local XFF_MODE = "append"' in text
