"""Go's net/http: no cache of addresses, a pool by host."""

from __future__ import annotations

from datetime import date

from testbed.client_models.client_model import ClientModel, LookUp, Source

_TLS_DAY = date(2026, 11, 28)

NET_HTTP = ClientModel(
    name="go-net-http",
    family="Go",
    protocol="http/1.1",
    looks_up=LookUp.CONNECT,
    max_idle=90.0,
    source=Source("net/http of Go (DefaultTransport)", "1.19.8", date(2026, 11, 27), ("A14", "R", "X", "N")),
    over_tls=Source("net/http of Go", "1.26.8", _TLS_DAY, ("T1", "T2", "T3", "T5")),
    speaks_h2=True,
)
MODELS = (NET_HTTP,)
