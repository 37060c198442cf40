"""gRPC clients. Those on gRPC's own resolvers look up when a connection is lost, and at most every 30 s."""

from __future__ import annotations

from datetime import date

from testbed.client_models.client_model import (
    AddressCache,
    ClientModel,
    LookUp,
    NegativeCache,
    OnNewAnswer,
    Source,
)

_DAY = date(2026, 11, 27)
_TLS_DAY = date(2026, 11, 28)
_MIN_TIME = 30.0
"""`grpc.dns_min_time_between_resolutions_ms` of gRPC core; grpc-js and grpc-go have the same default."""

GRPCIO = ClientModel(
    name="grpcio",
    family="gRPC",
    protocol="grpc",
    looks_up=LookUp.LOSS,
    interval=_MIN_TIME,
    on_new_answer=OnNewAnswer.LEAVES,
    keeps_addresses=True,
    source=Source("grpcio (pick_first)", "1.85.3", _DAY, ("B1", "B2", "B6", "B7", "B9", "B10", "B15")),
    over_tls=Source("grpcio", "1.85.3", _TLS_DAY, ("T1", "T2", "T3", "T4")),
    surprise="With a connection age below 30 s it follows only at its own start + n x 30 s, whatever "
    "the age; a death before the move locks the next look-up out for 30 s.",
)
GRPC_JS = ClientModel(
    name="grpc-js",
    family="gRPC",
    protocol="grpc",
    looks_up=LookUp.LOSS,
    interval=_MIN_TIME,
    on_new_answer=OnNewAnswer.LEAVES,
    keeps_addresses=True,
    source=Source(
        "@grpc/grpc-js on Node 20.20.2 (pick_first)", "1.14.7", _DAY, ("B4", "B5", "B9", "B10", "B12")
    ),
    over_tls=Source("@grpc/grpc-js on Node 20.20.2", "1.14.7", _TLS_DAY, ("T1", "T2", "T3", "T4")),
    surprise="Its first look-up asks for a TXT record of the name itself, and obeys a grpc_config in it.",
)
GRPC_GO = ClientModel(
    name="grpc-go",
    family="gRPC",
    protocol="grpc",
    looks_up=LookUp.LOSS,
    interval=_MIN_TIME,
    on_new_answer=OnNewAnswer.LEAVES,
    keeps_addresses=True,
    source=Source("grpc-go (target dns:///)", "1.33.3", _DAY, ("B1", "B2", "B6")),
    over_tls=Source("grpc-go", "1.85.0", _TLS_DAY, ("T1", "T2", "T3", "T4")),
    surprise="In 1.33 a target without dns:/// is looked up by the dialer for each connection, so it "
    "follows at the next GOAWAY.",
)
GRPCLIB = ClientModel(
    name="grpclib",
    family="gRPC",
    protocol="grpc",
    looks_up=LookUp.CONNECT,
    source=Source("grpclib (h2 4.4.1)", "0.4.9", _DAY, ("B9", "B11")),
    over_tls=Source("grpclib", "0.4.9", _TLS_DAY, ("T1", "T2", "T3", "T4")),
    unplayed="it keeps no last good address, unlike grpcio, which plays the others",
    surprise="While the name is gone, every call after a GOAWAY fails: it keeps no last good address.",
)
CONNECTRPC = ClientModel(
    name="connectrpc",
    family="gRPC",
    protocol="grpc",
    looks_up=LookUp.CONNECT,
    cache=AddressCache(honours_ttl=True),
    negative=NegativeCache(by_soa=True),
    source=Source("connectrpc on pyqwest 0.12.0", "0.13.0", _DAY, ("B9", "B13")),
    over_tls=Source("connectrpc on pyqwest 0.12.0", "0.13.0", _TLS_DAY, ("T1", "T2", "T3", "T4")),
    unplayed="it keeps an answer for its TTL, unlike grpcio, which plays the others",
    surprise="It keeps NXDOMAIN in its own process for the lesser of SOA TTL and MINIMUM: 900 s after "
    "a gap of seconds.",
)
MODELS = (GRPCIO, GRPC_JS, GRPC_GO, GRPCLIB, CONNECTRPC)
