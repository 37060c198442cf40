"""libcurl and PHP's ext/curl: a cache of addresses in each handle, counted from the look-up."""

from __future__ import annotations

from datetime import date

from testbed.client_models.client_model import AddressCache, ClientModel, LookUp, NegativeCache, Source

_DAY = date(2026, 11, 27)
_TLS_DAY = date(2026, 11, 28)
_MAX_IDLE = 118.0
"""`CURLOPT_MAXAGE_CONN`, an idle age in spite of its name; measured between 94 and 125 s."""

LIBCURL = ClientModel(
    name="libcurl",
    family="curl and PHP",
    protocol="http/1.1",
    looks_up=LookUp.CONNECT,
    cache=AddressCache(60.0),
    negative=NegativeCache(30.0),
    max_idle=_MAX_IDLE,
    source=Source("libcurl 8.23.0 by pycurl, one handle", "7.49.0", _DAY, ("A6", "A7", "R", "X", "XC", "N")),
    over_tls=Source("libcurl 8.23.0 by pycurl", "7.49.0", _TLS_DAY, ("T1", "T2", "T3", "T5")),
    speaks_h2=True,
    surprise="1 s of NXDOMAIN costs 30 s; a drain within 60 s of its look-up ties it to the old "
    "address again, and a refused connection does not drop the entry.",
)
PHP_CURL = ClientModel(
    name="php-curl",
    family="curl and PHP",
    protocol="http/1.1",
    looks_up=LookUp.CONNECT,
    cache=AddressCache(120.0),
    max_idle=_MAX_IDLE,
    source=Source(
        "ext/curl of PHP on libcurl 7.88.1, one handle", "8.2.36", _DAY, ("A15", "R", "X", "XC", "N")
    ),
    over_tls=Source("ext/curl of PHP", "8.2.36", _TLS_DAY, ("T1", "T2", "T3", "T5")),
    speaks_h2=True,
    surprise="PHP sets 120 s, not libcurl's 60; a balancer that is taken away cost 95 s of failed requests.",
)
MODELS = (LIBCURL, PHP_CURL)
