"""The endpoint's own answers, in the formats that AWS's SDKs parse (pure)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, unescape

import orjson

ROUTE53_NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
ELBV2_NAMESPACE = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
_JSON = "application/x-amz-json-1.1"
_JSON_SERVICES = frozenset({"acm"})
_NAMESPACES = {"route53": ROUTE53_NAMESPACE, "elbv2": ELBV2_NAMESPACE}
_MESSAGE = re.compile(rb"<Message>(.*?)</Message>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status, body and content type; `location` is the URL of what was created, or ""."""

    status: int
    body: bytes
    content_type: str = "text/xml"
    location: str = ""

    @property
    def is_ok(self) -> bool:
        """True if the call succeeded."""
        return self.status < 300


@dataclass(frozen=True, slots=True)
class Refusal:
    """The error with which AWS refuses a call: code, message and HTTP status."""

    code: str
    message: str
    status: int = 400


def refused(service: str, refusal: Refusal) -> Answer:
    """Return the error in the protocol of the service: XML for query, EC2 and REST, JSON for ACM."""
    if service in _JSON_SERVICES:
        text = {"__type": refusal.code, "message": refusal.message}
        return Answer(refusal.status, orjson.dumps(text), _JSON)
    if service == "ec2":
        document = (
            f'<?xml version="1.0"?>\n<Response><Errors><Error><Code>{escape(refusal.code)}</Code>'
            f"<Message>{escape(refusal.message)}</Message></Error></Errors>"
            f"<RequestID>{request_id()}</RequestID></Response>"
        )
        return Answer(refusal.status, document.encode())
    kind = "Sender" if refusal.status < 500 else "Receiver"
    namespace = _NAMESPACES.get(service)
    opened = f'ErrorResponse xmlns="{namespace}"' if namespace else "ErrorResponse"
    document = (
        f'<?xml version="1.0"?>\n<{opened}><Error><Type>{kind}</Type><Code>{escape(refusal.code)}</Code>'
        f"<Message>{escape(refusal.message)}</Message></Error>"
        f"<RequestId>{request_id()}</RequestId></ErrorResponse>"
    )
    return Answer(refusal.status, document.encode())


def query_answer(operation: str, result: Mapping[str, Any]) -> Answer:
    """Return the result of an operation of ELBv2, given in the shape of boto3, in the query protocol."""
    document = (
        f'<{operation}Response xmlns="{ELBV2_NAMESPACE}">'
        f"<{operation}Result>{_query_xml(result)}</{operation}Result>"
        f"<ResponseMetadata><RequestId>{request_id()}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Answer(200, document.encode())


def _query_xml(value: Any) -> str:
    if isinstance(value, Mapping):
        fields = ((key, item) for key, item in value.items() if item not in (None, ""))
        return "".join(f"<{key}>{_query_xml(item)}</{key}>" for key, item in fields)
    if isinstance(value, list | tuple):
        return "".join(f"<member>{_query_xml(item)}</member>" for item in value)
    return escape(str(value))


def message_of(answer: Answer) -> str:
    """Return the error message inside an answer, or the beginning of its body if there is none."""
    match = _MESSAGE.search(answer.body)
    if match:
        return unescape(match[1].decode(errors="replace")).strip()
    try:
        document = orjson.loads(answer.body)
        return str(document.get("message") or document.get("Message") or document)
    except (ValueError, AttributeError):
        return answer.body[:300].decode(errors="replace").strip()


def request_id() -> str:
    """Return a new request id in the format of AWS."""
    return str(uuid.uuid4())
