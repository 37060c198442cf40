"""What a request asks of which AWS service (pure).

AWS's own edge tells the service by the host name; here all services share one address, so it is told by the
credential scope of the signature (Signature Version 4), by a host name that a client insists on, or by
Route 53's path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl

OBSERVER = "observer"
"""The access key of those who only watch a rehearsal: no customers of AWS, whose limits are not theirs."""

_SCOPE = re.compile(r"Credential=([^/\s]+)/\d+/[^/\s]*/([a-z0-9-]+)/aws4_request")
_HOST = re.compile(r"(route53|elasticloadbalancing|acm|ec2)\.")
_SERVICES = {"elasticloadbalancing": "elbv2"}
_READS = ("Describe", "List", "Get", "Test")
_ROUTE53 = "/2013-04-01/"
_ROUTE53_OPERATIONS = [
    (method, re.compile(_ROUTE53 + pattern), operation)
    for method, pattern, operation in (
        ("POST", "hostedzone/([^/]+)/rrset/?", "ChangeResourceRecordSets"),
        ("GET", "hostedzone/([^/]+)/rrset/?", "ListResourceRecordSets"),
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


class Malformed(ValueError):
    """A request that no AWS client sends; the text says why."""


@dataclass(frozen=True)
class Call:
    """A request as the rules see it.

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
        """Whether it may change something."""
        return not self.operation.startswith(_READS)

    @cached_property
    def form(self) -> dict[str, str]:
        """The parameters of a call in the query protocol: `{"Listeners.member.1": "…"}`."""
        return _form(self.path, self.body)


def read(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """Tell what is asked.

    Args:
        path: with query string.
        headers: must find `Authorization`, `Host` and `X-Amz-Target` whatever their case.

    Raises:
        Malformed: it cannot be told.
    """
    scope = _SCOPE.search(headers.get("Authorization", ""))
    bare = path.partition("?")[0]
    if scope:
        account, name = scope[1], scope[2]
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


def _route53_operation(method: str, path: str) -> tuple[str, str]:
    for wanted, pattern, operation in _ROUTE53_OPERATIONS:
        match = pattern.fullmatch(path)
        if match and method == wanted:
            return operation, match[1] if match.groups() else ""
    # What is not in the table is not changed on the way; GET alone is a read.
    return f"{'Get' if method == 'GET' else method} {path}", ""


def _form(path: str, body: bytes) -> dict[str, str]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Malformed("the body is not UTF-8") from None
    query = path.partition("?")[2]
    return dict(parse_qsl(text, keep_blank_values=True) + parse_qsl(query, keep_blank_values=True))
