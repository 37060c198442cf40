"""The JDK's own HTTP clients, on the JVM's cache of addresses: 30 s, and 10 s for a name without any."""

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
_JDK = "17.0.15"
_CACHE = AddressCache(30.0)
"""`networkaddress.cache.ttl` without a security manager."""
_NEGATIVE = NegativeCache(10.0)
"""`networkaddress.cache.negative.ttl` of the JDK's java.security."""
_KEEP_ALIVE = 1200.0
"""`jdk.httpclient.keepalive.timeout` of JDK 17, as documented; 30 s from JDK 21 on."""

HTTP1 = ClientModel(
    name="java-http1",
    family="Java",
    protocol="http/1.1",
    looks_up=LookUp.REQUEST,
    cache=_CACHE,
    negative=_NEGATIVE,
    on_new_answer=OnNewAnswer.ABANDONS,
    max_idle=_KEEP_ALIVE,
    source=Source(
        "java.net.http.HttpClient of OpenJDK, HTTP/1.1", _JDK, _DAY, ("A11", "A12", "A13", "R", "X")
    ),
    over_tls=Source("HttpClient of OpenJDK, HTTP/1.1", "17.0.15 and 25.0.2", _TLS_DAY, ("T1", "T2", "T3")),
    extrapolated=("idle limit: the documented 1200 s",),
    surprise="The same client object follows within 30 s over HTTP/1.1 and never over HTTP/2; what it "
    "leaves stays open and idle.",
)
HTTP2 = ClientModel(
    name="java-http2",
    family="Java",
    protocol="http/2",
    looks_up=LookUp.REQUEST,
    cache=_CACHE,
    negative=_NEGATIVE,
    source=Source("java.net.http.HttpClient of OpenJDK, HTTP/2", _JDK, _DAY, ("A12", "A13")),
    over_tls=Source(
        "HttpClient of OpenJDK, HTTP/2", "17.0.15 and 25.0.2", _TLS_DAY, ("T1", "T2", "T3", "T5")
    ),
    speaks_h2=True,
    unplayed="the REST clients of a run speak HTTP/1.1, where it behaves otherwise",
    extrapolated=("no idle limit: none within 65 s",),
    surprise="It looks up every 30 s, gets the new address and stays on the old one: HTTP/2 "
    "connections are kept by scheme, host and port.",
)
URL_CONNECTION = ClientModel(
    name="java-urlconnection",
    family="Java",
    protocol="http/1.1",
    looks_up=LookUp.CONNECT,
    cache=_CACHE,
    negative=_NEGATIVE,
    max_idle=5.0,
    source=Source("HttpURLConnection of OpenJDK", _JDK, _DAY, ("A10", "A13", "R", "X", "XC")),
    over_tls=Source("HttpURLConnection of OpenJDK", "17.0.15 and 25.0.2", _TLS_DAY, ("T1", "T2", "T3", "T5")),
    surprise="A drain within 30 s of its last look-up ties it to the old address again, without a "
    "failed request.",
)
MODELS = (HTTP1, HTTP2, URL_CONNECTION)
