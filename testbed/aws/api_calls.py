"""Reads a request to AWS: its service, operation and parameters (pure).

AWS itself knows the service by the host name. Here all services share one address, so the service comes from
the credential scope of the signature (Signature Version 4), from the host name if a client sends AWS's own,
or from Route 53's path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl

from testbed.settings import REGION

OBSERVER = "observer"
"""The access key of parts that only watch a rehearsal. They exist in no real account, so no limit applies."""

_SCOPE = re.compile(r"Credential=([^/\s]+)/\d+/([^/\s]*)/([a-z0-9-]+)/aws4_request")
_HOST = re.compile(r"(route53|elasticloadbalancing|acm|ec2)\.")
_SERVICES = {"elasticloadbalancing": "elbv2"}
_READS = ("Describe", "List", "Get", "Test")
_ROUTE53 = "/2013-04-01/"
_ROUTE53_OPERATIONS = [
    (method, re.compile(_ROUTE53 + pattern), operation)
    for method, pattern, operation in (
        ("POST", "hostedzone/([^/]+)/rrset/?", "ChangeResourceRecordSets"),
        ("GET", "hostedzone/([^/]+)/rrset/?", "ListResourceRecordSets"),
        ("POST", "hostedzone/([^/]+)/rrsetprotection/?", "CreateResourceRecordSetProtections"),
        ("POST", "hostedzone/([^/]+)/rrsetprotection/delete/?", "DeleteResourceRecordSetProtections"),
        ("GET", "hostedzone/([^/]+)/rrsetprotection/?", "ListResourceRecordSetProtections"),
        ("GET", "testdnsanswer/?", "TestDNSAnswer"),
        ("GET", "change/([^/]+)/?", "GetChange"),
        ("POST", "hostedzone/?", "CreateHostedZone"),
        ("GET", "hostedzone/?", "ListHostedZones"),
        ("GET", "hostedzonesbyname/?", "ListHostedZonesByName"),
        ("GET", "hostedzone/([^/]+)/?", "GetHostedZone"),
        ("DELETE", "hostedzone/([^/]+)/?", "DeleteHostedZone"),
        ("POST", "hostedzone/([^/]+)/?", "UpdateHostedZoneComment"),
        ("POST", "tags/([^/]+)/([^/]+)/?", "ChangeTagsForResource"),
        ("POST", "tags/([^/]+)/?", "ListTagsForResources"),
        ("GET", "tags/([^/]+)/([^/]+)/?", "ListTagsForResource"),
    )
]


def only_reads(operation: str) -> bool:
    """True if an operation of AWS changes nothing."""
    return operation.startswith(_READS)


class Malformed(ValueError):
    """A request that no AWS client sends; its text is the reason."""


@dataclass(frozen=True)  # without slots, because a cached property needs a dictionary
class Call:
    """A request to AWS.

    Attributes:
        service: `route53`, `elbv2`, `acm` or another service's signing name.
        operation: the API operation; for unknown paths of Route 53, method and path.
        resource: the first id in a path of Route 53, "" elsewhere.
        account: who calls: the access key.
        path: path and query string.
    """

    service: str
    operation: str
    resource: str
    account: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def mutates(self) -> bool:
        """True if it may change something."""
        return not only_reads(self.operation)

    @cached_property
    def form(self) -> dict[str, str]:
        """The parameters of a call in the query protocol: `{"Listeners.member.1": "…"}`."""
        return _form(self.path, self.body)


def read(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """Read a request.

    Args:
        method: HTTP method.
        path: path with query string.
        headers: must find `Authorization`, `Host` and `X-Amz-Target` whatever their case.
        body: the body as sent.

    Raises:
        Malformed: the request names no service, or its body is not UTF-8.
    """
    scope = _SCOPE.search(headers.get("Authorization", ""))
    bare = path.partition("?")[0]
    if scope:
        account, name = scope[1], scope[3]
    elif bare.startswith(_ROUTE53):
        account, name = "", "route53"
    elif host := _HOST.match(headers.get("Host", "")):
        account, name = "", host[1]
    else:
        raise Malformed("the request names no AWS service: it is not signed")
    service = _SERVICES.get(name, name)
    resource = ""
    if service == "route53":
        operation, resource = _route53_operation(method, bare)
    elif target := headers.get("X-Amz-Target", ""):
        operation = target.rpartition(".")[2]
    else:
        operation = _form(path, body).get("Action", "") or f"{method} {bare}"
    return Call(service, operation, resource, account, method, path, headers, body)


def region_of(headers: Mapping[str, str]) -> str:
    """Return the region for which a request is signed; "" if it is not signed."""
    scope = _SCOPE.search(headers.get("Authorization", ""))
    return scope[2] if scope else ""


def internal(service: str, resource: str = "") -> Call:
    """Return a call of the endpoint's own to a service of the backend, to pass on with `Upstream`."""
    name = next((signed for signed, known in _SERVICES.items() if known == service), service)
    scope = f"AWS4-HMAC-SHA256 Credential={OBSERVER}/20200101/{REGION}/{name}/aws4_request"
    headers = {"Authorization": f"{scope}, SignedHeaders=host, Signature=0"}
    return Call(service, "", resource, OBSERVER, "GET", "/", headers, b"")


def _route53_operation(method: str, path: str) -> tuple[str, str]:
    for operation_method, pattern, operation in _ROUTE53_OPERATIONS:
        match = pattern.fullmatch(path)
        if match and method == operation_method:
            return operation, match[1] if match.groups() else ""
    # An operation outside the table is forwarded unchanged; only GET counts as a read.
    return f"{'Get' if method == 'GET' else method} {path}", ""


def _form(path: str, body: bytes) -> dict[str, str]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Malformed("the body is not UTF-8") from None
    query = path.partition("?")[2]
    return dict(parse_qsl(text, keep_blank_values=True) + parse_qsl(query, keep_blank_values=True))
