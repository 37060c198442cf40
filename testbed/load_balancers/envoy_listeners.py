"""Builds Envoy listeners from listeners of balancers, one for each zone's address (pure).

They contain nothing that changes during a rehearsal: rules come by RDS, targets by EDS, certificates by SDS,
because a change of a filter chain cuts its streams. A further certificate has a filter chain of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources as package_files
from typing import Any

from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.access_loggers.file.v3 import file_pb2
from envoy.extensions.access_loggers.filters.cel.v3 import cel_pb2
from envoy.extensions.filters.http.lua.v3 import lua_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.http.stateful_session.v3 import stateful_session_pb2
from envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2
from envoy.extensions.http.early_header_mutation.header_mutation.v3 import header_mutation_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2
from google.protobuf.struct_pb2 import Struct

from testbed import ipv6_loopback
from testbed.clock import Clock
from testbed.load_balancers.elbv2_state import Elbv2State, Listener, LoadBalancer
from testbed.load_balancers.envoy_clusters import cluster_name, idle_timeout
from testbed.load_balancers.envoy_messages import extension, seconds
from testbed.load_balancers.envoy_routes import SOURCE_HEADER
from testbed.load_balancers.rule_matching import Forward
from testbed.load_balancers.stickiness import FILTER as SESSIONS
from testbed.network import Network
from testbed.settings import PRODUCTION

MAX_STREAMS = 128
"""Parallel requests of an HTTP/2 connection [ELB guide, "How Elastic Load Balancing works"]."""
MAX_REQUESTS = 10_000
"""Requests of an HTTP/2 connection before GOAWAY [ALB guide, troubleshooting]."""
MAX_HEADERS_KIB = 64
"""All request headers together. The limit of 16 KiB for one line is not enforced [ALB guide, "Quotas"]."""
MAX_HEADERS = 10_000
"""AWS does not limit their number; by default Envoy refuses the 101st header."""
ALPN: Mapping[str, Sequence[str]] = {
    "HTTP1Only": ("http/1.1", "http/1.0"),
    "HTTP2Only": ("h2",),
    "HTTP2Optional": ("http/1.1", "http/1.0", "h2"),
    "HTTP2Preferred": ("h2", "http/1.1", "http/1.0"),
}
"""ALPN policies of an NLB's TLS listener in their order of preference [NLB guide]."""
TLS_VERSIONS: Mapping[str, str] = {
    "TLSv1": "TLSv1_0",
    "TLSv1.1": "TLSv1_1",
    "TLSv1.2": "TLSv1_2",
    "TLSv1.3": "TLSv1_3",
}
"""Names in security policies → Envoy's; both sort by age."""
SERVER = "awselb/2.0"
PAGES = {502: "502 Bad Gateway", 503: "503 Service Temporarily Unavailable", 504: "504 Gateway Time-out"}
ACCESS_FIELDS: Mapping[str, str] = {
    "start": "%START_TIME(%s.%6f)%",
    "duration": "%DURATION%",
    "client": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%",
    "target": "%UPSTREAM_HOST%",
    "to_target": "%COMMON_DURATION(DS_RX_BEG:US_TX_BEG:us)%",
    "at_target": "%COMMON_DURATION(US_TX_BEG:US_RX_BEG:us)%",
    "from_target": "%COMMON_DURATION(US_RX_BEG:DS_TX_BEG:us)%",
    "status": "%RESPONSE_CODE%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "flags": "%RESPONSE_FLAGS%",
    "received": "%BYTES_RECEIVED%",
    "sent": "%BYTES_SENT%",
    "method": "%REQ(:METHOD)%",
    "host": "%REQ(:AUTHORITY)%",
    "path": "%REQ(:PATH)%",
    "protocol": "%PROTOCOL%",
    "content_type": "%REQ(CONTENT-TYPE)%",
    "upgrade": "%REQ(UPGRADE)%",
    "user_agent": "%REQ(USER-AGENT)%",
    "cipher": "%DOWNSTREAM_TLS_CIPHER%",
    "tls": "%DOWNSTREAM_TLS_VERSION%",
    "sni": "%REQUESTED_SERVER_NAME%",
    "group": "%METADATA(CLUSTER:alb:arn)%",
    "trace": "%REQ(X-AMZN-TRACE-ID)%",
    "priority": "%METADATA(ROUTE:alb:priority)%",
    "action": "%METADATA(ROUTE:alb:action)%",
    "location": "%RESP(LOCATION)%",
    "certificate": "%METADATA(ROUTE:alb:certificate)%",
}
"""Fields of the JSON access log of the ALBs' Envoy; `alb_access_log.py` converts them to an ALB's line."""

FLOW_FIELDS: Mapping[str, str] = {
    "client": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "target": "%UPSTREAM_HOST%",
    "received": "%BYTES_RECEIVED%",
    "sent": "%BYTES_SENT%",
    "client_close": "%DOWNSTREAM_DETECTED_CLOSE_TYPE%",
    "target_close": "%UPSTREAM_DETECTED_CLOSE_TYPE%",
}
"""Fields that the NLBs' Envoy logs for each flow that has ended, for `cloudwatch_metrics.py`."""

Message = dict[str, Any]
_ADS: Message = {"ads": {}, "resource_api_version": "V3"}


@dataclass(frozen=True, slots=True)
class ListenerInputs:
    """What listeners depend on besides ELBv2.

    Attributes:
        network: gives the ports to bind.
        clock: divides timeouts.
        access_log: file of the ALBs' JSON access log.
        server_names: names in a certificate, by its ARN.
        flow_log: file of the NLBs' flow log; "" for none.
    """

    network: Network
    clock: Clock
    access_log: str
    server_names: Mapping[str, Sequence[str]]
    flow_log: str = ""


def listener(
    balancer: LoadBalancer, item: Listener, zone: int, address: str, state: Elbv2State, run: ListenerInputs
) -> listener_pb2.Listener | None:
    """Return the Envoy listener of one zone; None if an NLB's listener has no target group."""
    if balancer.type == "alb":
        chains = _alb_chains(balancer, item, zone, run)
    else:
        proxy = _tcp_proxy(balancer, item, zone, state, run)
        if proxy is None:
            return None
        chains = _nlb_chains(item, proxy, run)
    inspector = extension("envoy.filters.listener.tls_inspector", tls_inspector_pb2.TlsInspector())
    return listener_pb2.Listener(
        name=f"{item.arn}/{zone}",
        address={"socket_address": {"address": address, "port_value": run.network.port(item.port)}},
        stat_prefix=f"{balancer.type}_{balancer.stat_name}",
        listener_filters=[inspector] if item.protocol in {"HTTPS", "TLS"} else [],
        filter_chains=chains,
        enable_reuse_port={"value": False},
    )


def over_ipv6(built: listener_pb2.Listener, port: int) -> listener_pb2.Listener:
    """Return the same listener at a port of `::1`: it serves, counts and connects to targets as the other."""
    # Not an additional address of the same listener: a balancer that becomes dualstack would then drain the
    # connections of its IPv4 clients, because Envoy replaces a listener whose addresses change.
    copy = listener_pb2.Listener()
    copy.CopyFrom(built)
    copy.name += "/ipv6"
    copy.address.socket_address.address = ipv6_loopback.ADDRESS
    copy.address.socket_address.port_value = port
    return copy


def route_name(item: Listener, zone: int, protocol: str) -> str:
    """Return the name in RDS of the route table for clients of a protocol (`h1`, `h2`)."""
    return f"{item.arn}/{zone}/{protocol}"


def default_secret(item: Listener) -> str:
    """Return the name in SDS of a listener's default certificate, which may be replaced under it."""
    return f"{item.arn}/default"


def _nlb_chains(item: Listener, proxy: tcp_proxy_pb2.TcpProxy, run: ListenerInputs) -> list[Message]:
    filters = [extension("envoy.filters.network.tcp_proxy", proxy)]
    if item.protocol != "TLS":
        return [{"filters": filters}]
    alpn = ALPN.get(item.alpn, ())
    return [
        {
            "filter_chain_match": {"server_names": names},
            "filters": filters,
            "transport_socket": _tls(secret, alpn, item.protocols),
        }
        for secret, names in _secrets(item, run.server_names)
    ]


def _tcp_proxy(
    balancer: LoadBalancer, item: Listener, zone: int, state: Elbv2State, run: ListenerInputs
) -> tcp_proxy_pb2.TcpProxy | None:
    action = item.rules[-1].action
    group = state.groups.get(action.groups[0][0]) if isinstance(action, Forward) else None
    if group is None:
        return None
    return tcp_proxy_pb2.TcpProxy(
        stat_prefix=balancer.name,
        cluster=cluster_name(balancer, zone, group),
        idle_timeout=seconds(run.clock.scaled(_nlb_idle_timeout(item))),
        hash_policy=[{"source_ip": {}}],  # only sticky clusters use it
        access_log=[_json_log(run.flow_log, {**FLOW_FIELDS, "elb": balancer.id})] if run.flow_log else [],
    )


def _nlb_idle_timeout(item: Listener) -> float:
    """Return the idle timeout of flows; TCP listeners can set it since 2024, TLS ones not [NLB guide]."""
    configured = item.attributes.get("tcp.idle_timeout.seconds") if item.protocol == "TCP" else None
    return float(configured or PRODUCTION.nlb_idle_timeout)


def _alb_chains(balancer: LoadBalancer, item: Listener, zone: int, run: ListenerInputs) -> list[Message]:
    h1 = _manager(balancer, item, zone, "h1", run)
    if item.protocol != "HTTPS":
        return [{"filters": [h1]}]
    protocols = {"": h1}
    if balancer.attributes.get("routing.http2.enabled", "true") == "true":
        # Two filter chains, because the protocol of the client decides which rules answer 464.
        protocols = {"h2": _manager(balancer, item, zone, "h2", run), "": h1}
    chains = []
    for secret, names in _secrets(item, run.server_names):
        for offered, manager in protocols.items():
            match: Message = {"server_names": names}
            if offered:  # Envoy chooses the chain by the ALPN protocols that the client offers
                match["application_protocols"] = [offered]
            alpn = ("h2", "http/1.1") if offered else ("http/1.1",)
            chains.append(
                {
                    "filter_chain_match": match,
                    "filters": [manager],
                    "transport_socket": _tls(secret, alpn, item.protocols),
                }
            )
    return chains


def _secrets(item: Listener, names: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield names of secrets with their server names; () for the default certificate.

    A server name of two certificates belongs to the first.
    """
    yield default_secret(item), ()
    taken: set[str] = set()
    for arn in item.certificates[1:]:
        free = [name for name in names.get(arn, ()) if name not in taken]
        taken.update(free)
        if free:
            yield arn, free


def _tls(secret: str, alpn: Sequence[str], protocols: Sequence[str]) -> Message:
    versions = [TLS_VERSIONS[name] for name in protocols if name in TLS_VERSIONS]
    limits: Message = {}
    if versions:
        limits = {
            "tls_minimum_protocol_version": min(versions),
            "tls_maximum_protocol_version": max(versions),
        }
    context = tls_pb2.DownstreamTlsContext(
        common_tls_context={
            "tls_params": limits,
            "alpn_protocols": list(alpn),
            "tls_certificate_sds_secret_configs": [{"name": secret, "sds_config": _ADS}],
        }
    )
    return extension("envoy.transport_sockets.tls", context)


def _manager(
    balancer: LoadBalancer, item: Listener, zone: int, protocol: str, run: ListenerInputs
) -> Message:
    idle = seconds(run.clock.scaled(idle_timeout(balancer)))
    keep_alive = float(balancer.attributes.get("client_keep_alive.seconds", PRODUCTION.alb_client_keep_alive))
    manager = http_connection_manager_pb2.HttpConnectionManager(
        stat_prefix=balancer.name,
        codec_type="HTTP2" if protocol == "h2" else "HTTP1",
        rds={"config_source": _ADS, "route_config_name": route_name(item, zone, protocol)},
        http_filters=[
            extension(
                "envoy.filters.http.lua",
                lua_pb2.Lua(
                    default_source_code={"inline_string": _script(balancer, item, run.network)},
                    clear_route_cache={"value": False},  # changed headers must not select another route
                ),
            ),
            # Empty here: only routes to sticky groups have a session state.
            extension(SESSIONS, stateful_session_pb2.StatefulSession()),
            extension("envoy.filters.http.router", router_pb2.Router(suppress_envoy_headers=True)),
        ],
        access_log=[_access_log(run.access_log, balancer, item)],
        common_http_protocol_options={
            "idle_timeout": idle,
            "max_connection_duration": seconds(run.clock.scaled(keep_alive)),
            "max_headers_count": {"value": MAX_HEADERS},
        },
        http_protocol_options={"accept_http_10": True, "default_host_for_http_10": balancer.dns_name},
        # HTTP/1.1 clients learn of the maximum age by "Connection: close" instead of being cut.
        http1_safe_max_connection_duration=True,
        http2_protocol_options={"max_concurrent_streams": {"value": MAX_STREAMS}},
        max_request_headers_kb={"value": MAX_HEADERS_KIB},
        stream_idle_timeout=idle,
        drain_timeout=seconds(run.clock.scaled(PRODUCTION.balancer_drain)),
        # Envoy keeps the socket of a connection that it closes for a second by default, and reads nothing
        # from it: at speed 60 a client that has idled would lose a minute of requests.
        delayed_close_timeout=seconds(0.001),
        # The client's x-request-id must reach the target: ledger and access log meet on it.
        generate_request_id={"value": False},
        preserve_external_request_id=True,
        skip_xff_append=True,  # alb.lua writes X-Forwarded-For, by the attributes of the balancer
        server_header_transformation="PASS_THROUGH",
        local_reply_config=_local_replies(),
    )
    if protocol == "h2":
        # HTTP/2 only: AWS documents no such limit for HTTP/1.1.
        manager.common_http_protocol_options.max_requests_per_connection.value = MAX_REQUESTS
    manager.upgrade_configs.add(upgrade_type="websocket")
    manager.early_header_mutation_extensions.add(**_source_header())
    return extension("envoy.filters.network.http_connection_manager", manager)


def _source_header() -> Message:
    header = {"key": SOURCE_HEADER, "value": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"}
    mutation = {"append": {"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}
    return extension(
        "envoy.http.early_header_mutation.header_mutation",
        header_mutation_pb2.HeaderMutation(mutations=[mutation]),
    )


def _script(balancer: LoadBalancer, item: Listener, network: Network) -> str:
    """Return `alb.lua` with the values of this listener in front: numbers, booleans and known words only."""
    mode = balancer.attributes.get("routing.http.xff_header_processing.mode", "append")
    port = balancer.attributes.get("routing.http.xff_client_port.enabled") == "true"
    keep = balancer.attributes.get("routing.http.preserve_host_header.enabled") == "true"
    ports = ", ".join(f'["{port}"] = "{network.port(port)}"' for port in (80, 443))
    values = {
        "PROTOCOL": f'"{"https" if item.protocol == "HTTPS" else "http"}"',
        "PORT": str(int(item.port)),
        "BOUND": str(network.port(item.port)),
        "XFF_MODE": f'"{mode if mode in {"preserve", "remove"} else "append"}"',
        "XFF_PORT": "true" if port else "false",
        "KEEP_HOST": "true" if keep else "false",
        "PORTS": f"{{ {ports} }}",
    }
    head = "".join(f"local {name} = {value}\n" for name, value in values.items())
    return head + package_files.files(__package__).joinpath("alb.lua").read_text()


def _access_log(path: str, balancer: LoadBalancer, item: Listener) -> Message:
    scheme = "https" if item.protocol == "HTTPS" else "http"
    return _json_log(path, {**ACCESS_FIELDS, "elb": balancer.id, "scheme": scheme, "port": str(item.port)})


def _json_log(path: str, texts: Mapping[str, str]) -> Message:
    fields = Struct()
    fields.update(texts)
    return extension(
        "envoy.access_loggers.file",
        file_pb2.FileAccessLog(path=path, log_format={"json_format": fields}),
    )


def _local_replies() -> Message:
    """Replace Envoy's own codes with the ALB's [ALB guide, troubleshooting; Envoy response flags]."""
    return {
        "mappers": [  # the first match counts
            _mapper(_connect_timeout(), 504),
            _mapper(_flags("UF", "UC", "UPE", "UR", "LR"), 502),
            _mapper(_flags("UH", "NC", "UO"), 503),
            _mapper(_flags("UT"), 504),
            _mapper(_status("EQ", 504), 504),
            _mapper(_status("EQ", 431), 400, page=False),
            _mapper(_status("GE", 0), None, page=False),  # any other: only marked for alb.lua
        ]
    }


def _mapper(matching: Message, status: int | None, *, page: bool = True) -> Message:
    mapper: Message = {
        "filter": matching,
        "headers_to_add": [
            _header("server", SERVER),
            _header("x-alb-status", str(status) if status else "%RESPONSE_CODE%"),
        ],
    }
    if status:
        mapper["status_code"] = {"value": status}
    if status and page:
        mapper["body_format_override"] = {
            "text_format_source": {"inline_string": _page(PAGES[status])},
            "content_type": "text/html",
        }
    return mapper


def _page(title: str) -> str:
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    )


def _header(key: str, value: str) -> Message:
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _connect_timeout() -> Message:
    """Match timeouts. Envoy flags refused and unanswered connections alike (UF); only the details differ."""
    expression = 'response.code_details.contains("connection_timeout")'
    cel = cel_pb2.ExpressionFilter(expression=expression)
    return {"extension_filter": extension("envoy.access_loggers.extension_filters.cel", cel)}


def _flags(*flags: str) -> Message:
    return {"response_flag_filter": {"flags": list(flags)}}


def _status(operation: str, status: int) -> Message:
    value = {"default_value": status, "runtime_key": "alb.status"}
    return {"status_code_filter": {"comparison": {"op": operation, "value": value}}}
