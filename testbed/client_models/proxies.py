"""Proxies that stand in front of the balancer, in the configuration that their packages ship."""

from __future__ import annotations

from datetime import date

from testbed.client_models.client_model import (
    NEVER,
    AddressCache,
    ClientModel,
    LookUp,
    OnNewAnswer,
    Source,
)

_DAY = date(2026, 11, 27)
_TLS_DAY = date(2026, 11, 28)
_PLAIN = "measured in plain text; over TLS assumed the same"
_NO_GRPC = "measured with HTTP/1.1 behind it; gRPC assumed the same"
_ONCE = AddressCache(NEVER)

NGINX = ClientModel(
    name="nginx",
    family="Proxies",
    protocol="http/1.1",
    looks_up=LookUp.CONNECT,
    cache=_ONCE,
    keeps_connection=False,
    source=Source("nginx (a name in proxy_pass)", "1.22.1-9+deb12u11", _DAY, ("A16",)),
    over_tls=Source("nginx", "1.22.1-9+deb12u11", _TLS_DAY, ("T1", "T2", "T3")),
    extrapolated=(_NO_GRPC,),
    surprise="It resolves once, when it starts, also with `resolver` set, as long as the name stands "
    "literally in proxy_pass; after the old address is gone: 502 for good.",
)
NGINX_RESOLVER = ClientModel(
    name="nginx-resolver",
    family="Proxies",
    protocol="http/1.1",
    looks_up=LookUp.REQUEST,
    cache=AddressCache(honours_ttl=True, extra=1.0),
    on_new_answer=OnNewAnswer.LEAVES,
    keeps_connection=False,
    source=Source("nginx (a variable in proxy_pass, and resolver)", "1.22.1-9+deb12u11", _DAY, ("A17",)),
    over_tls=Source("nginx", "1.22.1-9+deb12u11", _TLS_DAY, ("T1", "T2", "T3")),
    extrapolated=(_NO_GRPC,),
    surprise="An answer is used through the whole second of its expiry: TTL + 1 s.",
)
HAPROXY = ClientModel(
    name="haproxy",
    family="Proxies",
    protocol="http/1.1",
    looks_up=LookUp.CONNECT,
    cache=_ONCE,
    source=Source("haproxy (no resolvers section)", "2.6.12-1+deb12u4", _DAY, ("A18",)),
    over_tls=Source("haproxy", "2.6.12-1+deb12u4", _TLS_DAY, ("T1", "T2", "T3")),
    extrapolated=(_NO_GRPC,),
    surprise="After the old address is gone: 503 for good, 3 s each.",
)
HAPROXY_RESOLVERS = ClientModel(
    name="haproxy-resolvers",
    family="Proxies",
    protocol="http/1.1",
    looks_up=LookUp.INTERVAL,
    interval=1.0,
    keeps_addresses=True,
    source=Source("haproxy (resolvers section)", "2.6.12-1+deb12u4", _DAY, ("A19",)),
    extrapolated=(_PLAIN, _NO_GRPC),
    surprise="It asks each second, not by the TTL; a keep-alive client stays on the old address while "
    "others move.",
)
ENVOY_STRICT_DNS = ClientModel(
    name="envoy-strict-dns",
    family="Proxies",
    protocol="http/1.1",
    looks_up=LookUp.INTERVAL,
    interval=5.0,
    on_new_answer=OnNewAnswer.LEAVES,
    source=Source("Envoy (STRICT_DNS)", "1.40.0", _DAY, ("A20",)),
    extrapolated=(_PLAIN, _NO_GRPC),
    surprise="It asks each 5 s, not by the TTL; a name that is gone for 3 s costs 503 until the next "
    "look-up.",
)
ENVOY_LOGICAL_DNS = ClientModel(
    name="envoy-logical-dns",
    family="Proxies",
    protocol="http/1.1",
    looks_up=LookUp.INTERVAL,
    interval=5.0,
    on_new_answer=OnNewAnswer.LEAVES,
    source=Source("Envoy (LOGICAL_DNS)", "1.40.0", _DAY, ("A22",)),
    extrapolated=(_PLAIN, _NO_GRPC, "a name that is gone: assumed as STRICT_DNS"),
    surprise="Since the new DNS implementation it drains its pool when the first address changes, so "
    "two addresses in turning order drain it again and again.",
)
SQUID = ClientModel(
    name="squid",
    family="Proxies",
    protocol="http/1.1",
    looks_up=LookUp.REQUEST,
    cache=AddressCache(60.0, honours_ttl=True),
    on_new_answer=OnNewAnswer.ABANDONS,
    max_idle=60.0,
    source=Source("squid (forward proxy)", "5.7-2+deb12u6", _DAY, ("A23",)),
    extrapolated=(_PLAIN, "idle limit: the documented server_idle_pconn_timeout of 60 s"),
    surprise="negative_dns_ttl, 60 s, is also the least time for good answers; as cache_peer it stays "
    "at 502 for good after the old address is gone.",
)
APACHE = ClientModel(
    name="apache",
    family="Proxies",
    protocol="http/1.1",
    looks_up=LookUp.CONNECT,
    cache=AddressCache(NEVER, dropped_when_refused=True),
    source=Source("Apache mod_proxy (ProxyPass)", "2.4.71-1~deb12u1", _DAY, ("A23",)),
    extrapolated=(_PLAIN, _NO_GRPC),
    surprise="It keeps the address until a connection is refused, and then moves with the very next request.",
)
MODELS = (
    NGINX,
    NGINX_RESOLVER,
    HAPROXY,
    HAPROXY_RESOLVERS,
    ENVOY_STRICT_DNS,
    ENVOY_LOGICAL_DNS,
    SQUID,
    APACHE,
)
