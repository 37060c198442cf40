"""Node's own HTTP clients: no cache of addresses, and idle limits of a few seconds."""

from __future__ import annotations

from datetime import date

from testbed.client_models.client_model import ClientModel, LookUp, Source

_DAY = date(2026, 11, 27)
_TLS_DAY = date(2026, 11, 28)

FETCH = ClientModel(
    name="node-fetch",
    family="Node",
    protocol="http/1.1",
    looks_up=LookUp.CONNECT,
    max_idle=4.0,
    source=Source("fetch of Node (undici 6.24.1)", "20.20.2", _DAY, ("A8", "R", "X", "N")),
    over_tls=Source("fetch of Node", "20.20.2", _TLS_DAY, ("T1", "T2", "T3", "T5")),
    surprise="Two fetches back to back open a second connection, so one program may use both addresses"
    " until its end.",
)
HTTP = ClientModel(
    name="node-http",
    family="Node",
    protocol="http/1.1",
    looks_up=LookUp.CONNECT,
    max_idle=5.0,
    source=Source("http.request of Node (default agent)", "20.20.2", _DAY, ("A9", "R", "X", "N")),
    over_tls=Source("http.request of Node", "20.20.2", _TLS_DAY, ("T1", "T2", "T3", "T5")),
    extrapolated=("Node 18 and older keep no connection by default",),
)
MODELS = (FETCH, HTTP)
