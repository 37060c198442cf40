"""Ruby's Net::HTTP in a start block: it reconnects and looks up by itself."""

from __future__ import annotations

from datetime import date

from testbed.client_models.client_model import ClientModel, LookUp, Source

_TLS_DAY = date(2026, 11, 28)

NET_HTTP = ClientModel(
    name="ruby-net-http",
    family="Ruby",
    protocol="http/1.1",
    looks_up=LookUp.CONNECT,
    max_idle=2.0,
    source=Source("Net::HTTP of Ruby (start block)", "3.1.2", date(2026, 11, 27), ("A15", "R", "X", "N")),
    over_tls=Source("Net::HTTP of Ruby", "3.1.2", _TLS_DAY, ("T1", "T2", "T3", "T5")),
)
MODELS = (NET_HTTP,)
