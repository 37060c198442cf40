"""Python's HTTP clients: a keep-alive pool by host name, which asks for addresses when it connects."""

from __future__ import annotations

from datetime import date

from testbed.client_models.client_model import AddressCache, ClientModel, LookUp, Source

_DAY = date(2026, 11, 27)
_TLS_DAY = date(2026, 11, 28)

REQUESTS = ClientModel(
    name="python-requests",
    family="Python",
    protocol="http/1.1",
    looks_up=LookUp.CONNECT,
    source=Source("requests (Session) on urllib3 2.8.0", "2.34.2", _DAY, ("A1", "A4", "R", "X", "N")),
    over_tls=Source("requests", "2.34.2", _TLS_DAY, ("T1", "T2", "T3", "T5")),
    extrapolated=("no idle limit: none within 125 s",),
    surprise="A session that is kept has neither an idle limit nor an age: without an end from the "
    "server it never leaves.",
)
HTTPX = ClientModel(
    name="python-httpx",
    family="Python",
    protocol="http/1.1",
    looks_up=LookUp.CONNECT,
    max_idle=5.0,
    source=Source("httpx (Client) on httpcore 1.0.9", "0.28.1", _DAY, ("A2", "R", "X", "N")),
    over_tls=Source("httpx", "0.28.1", _TLS_DAY, ("T1", "T2", "T3", "T5")),
)
AIOHTTP = ClientModel(
    name="python-aiohttp",
    family="Python",
    protocol="http/1.1",
    looks_up=LookUp.CONNECT,
    cache=AddressCache(10.0),
    max_idle=15.0,
    source=Source("aiohttp (ClientSession)", "3.14.5", _DAY, ("A3", "A5", "R", "XC", "N")),
    over_tls=Source("aiohttp", "3.14.5", _TLS_DAY, ("T1", "T2", "T3", "T5")),
    surprise="A drain within 10 s of its last look-up ties it to the old address again.",
)
BOTO3 = ClientModel(
    name="boto3",
    family="Python",
    protocol="http/1.1",
    looks_up=LookUp.CONNECT,
    retries=2,
    source=Source("boto3 and botocore (endpoint_url)", "1.44.8", _DAY, ("A1", "R", "X", "N", "D")),
    over_tls=Source("boto3", "1.44.8", _TLS_DAY, ("T1", "T2", "T3", "T5")),
    extrapolated=("no idle limit: none within 125 s",),
    surprise="It sends a call three times by default (DynamoDB's four times), also one that writes.",
)
MODELS = (REQUESTS, HTTPX, AIOHTTP, BOTO3)
