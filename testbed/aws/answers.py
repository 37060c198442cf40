"""Answers of the endpoint's own, in the shapes that AWS's SDKs parse (pure)."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
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
    """Status, body and content type of an HTTP answer."""

    status: int
    body: bytes
    content_type: str = "text/xml"

    @property
    def is_ok(self) -> bool:
        """Whether AWS did what was asked."""
        return self.status < 300


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why AWS refuses a call: its error code and message."""

    code: str
    message: str
    status: int = 400


def refused(service: str, refusal: Refusal) -> Answer:
    """The error as the service's protocol has it (query and REST: XML; JSON for ACM)."""
    if service in _JSON_SERVICES:
        text = {"__type": refusal.code, "message": refusal.message}
        return Answer(refusal.status, orjson.dumps(text), _JSON)
    kind = "Sender" if refusal.status < 500 else "Receiver"
    namespace = _NAMESPACES.get(service)
    opened = f'ErrorResponse xmlns="{namespace}"' if namespace else "ErrorResponse"
    document = (
        f'<?xml version="1.0"?>\n<{opened}><Error><Type>{kind}</Type><Code>{escape(refusal.code)}</Code>'
        f"<Message>{escape(refusal.message)}</Message></Error>"
        f"<RequestId>{request_id()}</RequestId></ErrorResponse>"
    )
    return Answer(refusal.status, document.encode())


def message_of(answer: Answer) -> str:
    """The error message inside an answer, or its beginning if there is none."""
    match = _MESSAGE.search(answer.body)
    if match:
        return unescape(match[1].decode(errors="replace")).strip()
    try:
        told = orjson.loads(answer.body)
        return str(told.get("message") or told.get("Message") or told)
    except (ValueError, AttributeError):
        return answer.body[:300].decode(errors="replace").strip()


def request_id() -> str:
    """An id for one answer, as AWS gives it."""
    return str(uuid.uuid4())
