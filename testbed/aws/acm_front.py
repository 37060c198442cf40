"""ACM in front of the backend: certificates that are really issued, so that the ALB can serve them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from testbed.aws.answers import Answer, Refusal, refused
from testbed.aws.calls import Call
from testbed.aws.certificates import CertificateStore
from testbed.aws.upstream import Upstream


@dataclass(frozen=True, slots=True)
class AcmFront:
    """Answers or forwards the calls of ACM."""

    upstream: Upstream
    certificates: CertificateStore

    async def answer(self, call: Call) -> tuple[Answer, str]:
        """The answer and what the journal says of the call.

        Raises:
            Unavailable: the backend does not answer.
        """
        try:
            asked = orjson.loads(call.body or b"{}")
            summary = str(asked.get("DomainName") or asked.get("CertificateArn") or "")
        except (orjson.JSONDecodeError, AttributeError):
            return refused("acm", Refusal("SerializationException", "the body is not a JSON object")), ""
        answer = await self.upstream.forward(call)
        if answer.is_ok:
            answer = self._kept(call.operation, asked, answer)
        return answer, summary

    def _kept(self, operation: str, asked: Mapping[str, Any], answer: Answer) -> Answer:
        match operation:
            case "RequestCertificate":
                names = dict.fromkeys([asked["DomainName"], *(asked.get("SubjectAlternativeNames") or ())])
                self.certificates.issue(orjson.loads(answer.body)["CertificateArn"], list(names))
            case "ImportCertificate":
                chain = _decoded(asked, "Certificate") + _decoded(asked, "CertificateChain")
                arn = orjson.loads(answer.body)["CertificateArn"]
                self.certificates.put(arn, chain, _decoded(asked, "PrivateKey"))
            case "DeleteCertificate":
                self.certificates.drop(asked["CertificateArn"])
            case "GetCertificate":
                return self._shown(asked["CertificateArn"], answer)
        return answer

    def _shown(self, arn: str, answer: Answer) -> Answer:
        """What the ALB serves, not what the backend made up."""
        try:
            chain, _ = self.certificates.get(arn)
        except KeyError:
            return answer
        mark = "-----END CERTIFICATE-----\n"
        first, _, rest = chain.decode().partition(mark)
        shown = {"Certificate": first + mark, "CertificateChain": rest.lstrip()}
        return Answer(answer.status, orjson.dumps(shown), answer.content_type)


def _decoded(asked: Mapping[str, Any], field: str) -> bytes:
    try:
        text = base64.b64decode(asked.get(field) or "")
    except (binascii.Error, ValueError):
        return b""  # the backend has taken it, so it was none of those that matter
    return text if not text or text.endswith(b"\n") else text + b"\n"
