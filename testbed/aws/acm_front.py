"""ACM in front of the backend: validates what is requested, issues real certificates for the ALB to serve."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from testbed import journal
from testbed.aws.answers import Answer, Refusal, refused
from testbed.aws.api_calls import Call
from testbed.aws.certificate_requests import DNS, CertificateRequest
from testbed.aws.certificate_store import CertificateStore
from testbed.aws.upstream import Upstream
from testbed.clock import Clock

Stands = Callable[[str, str, str], Awaitable[bool]]
"""Name, type and value → True if a zone of the account has such a record."""
UsersOf = Callable[[str], Awaitable[Sequence[str]]]
"""ARN of a certificate → ARNs of the balancers that use it."""

_PAGE = 100
_OF_OTHERS = ":server-certificate/"
"""In the ARN of a certificate of IAM, which is not emulated: its listener stays closed."""


@dataclass(slots=True)
class AcmFront:
    """Answers or forwards the calls of ACM. Belongs to one loop.

    Attributes:
        stands: returns True if a record stands in the account.
        users_of: returns the balancers that use a certificate.
    """

    upstream: Upstream
    certificates: CertificateStore
    clock: Clock
    run_journal: journal.Journal
    stands: Stands
    users_of: UsersOf
    _requests: dict[str, CertificateRequest] = field(init=False, default_factory=dict)

    async def answer(self, call: Call) -> tuple[Answer, str]:
        """Return the answer, and the summary of the call for the journal.

        Raises:
            Unavailable: the backend does not answer.
        """
        try:
            parameters = orjson.loads(call.body or b"{}")
            summary = str(parameters.get("DomainName") or parameters.get("CertificateArn") or "")
        except (orjson.JSONDecodeError, AttributeError):
            return refused("acm", Refusal("SerializationException", "the body is not a JSON object")), ""
        await self.look()
        if call.operation == "ListCertificates":
            return await self._list(call, parameters), ""
        if refusal := await self._refusal(call.operation, str(parameters.get("CertificateArn") or "")):
            return refused("acm", refusal), summary
        answer = await self.upstream.forward(call)
        if answer.is_ok:
            answer = await self._keep(call.operation, parameters, answer)
        return answer, summary

    async def look(self) -> None:
        """Issue the requested certificates whose records have stood for long enough."""
        for arn, request in list(self._requests.items()):
            if request.issued_at is not None:
                continue
            all_stand = not await self._missing(request)
            if request.look(all_stand=all_stand, now=self.clock.now()) and request.issued_at is None:
                self.certificates.issue(arn, request.names)
                request.issued_at = self.clock.wall()

    async def usable(self, arn: str) -> Refusal | None:
        """Return why no listener may use a certificate; None if one may."""
        await self.look()
        request = self._requests.get(arn)
        if request and request.issued_at is None:
            return Refusal(
                "UnsupportedCertificate",
                f"The certificate '{arn}' must have a fully-qualified domain name, a supported signature, "
                "and a supported key size.",
            )
        if not self.certificates.has(arn) and _OF_OTHERS not in arn:
            return Refusal("CertificateNotFound", f"Certificate '{arn}' not found")
        return None

    async def _missing(self, request: CertificateRequest) -> list[str]:
        return [
            f"{record.name} CNAME {record.value}"
            for record in request.records
            if not await self.stands(record.name, "CNAME", record.value)
        ]

    async def _refusal(self, operation: str, arn: str) -> Refusal | None:
        request = self._requests.get(arn)
        if operation == "GetCertificate" and request and request.issued_at is None:
            return Refusal("RequestInProgressException", f"The certificate request for {arn} is in progress")
        if operation == "ImportCertificate" and arn and not self.certificates.has(arn):
            return Refusal("ResourceNotFoundException", f"Could not find certificate {arn}.")
        if operation == "DeleteCertificate" and await self.users_of(arn):
            return Refusal("ResourceInUseException", f"Certificate {arn} is in use")
        return None

    async def _keep(self, operation: str, parameters: Mapping[str, Any], answer: Answer) -> Answer:
        match operation:
            case "RequestCertificate":
                await self._requested(parameters, orjson.loads(answer.body)["CertificateArn"])
            case "ImportCertificate":
                chain = _decoded(parameters, "Certificate") + _decoded(parameters, "CertificateChain")
                arn = orjson.loads(answer.body)["CertificateArn"]
                self.certificates.put(arn, chain, _decoded(parameters, "PrivateKey"))
            case "DeleteCertificate":
                self.certificates.drop(parameters["CertificateArn"])
                self._requests.pop(parameters["CertificateArn"], None)
            case "GetCertificate":
                return self._served(parameters["CertificateArn"], answer)
            case "DescribeCertificate":
                described = orjson.loads(answer.body)
                arn = parameters["CertificateArn"]
                users = await self.users_of(arn)
                if request := self._requests.get(arn):
                    described["Certificate"] = request.detail(described["Certificate"], users)
                else:
                    described["Certificate"]["InUseBy"] = list(users)
                return replace(answer, body=orjson.dumps(described))
        return answer

    async def _requested(self, parameters: Mapping[str, Any], arn: str) -> None:
        if arn in self._requests:  # the same idempotency token
            return
        names = list(
            dict.fromkeys([parameters["DomainName"], *(parameters.get("SubjectAlternativeNames") or ())])
        )
        request = CertificateRequest(names, parameters.get("ValidationMethod") or "EMAIL")
        self._requests[arn] = request
        if parameters.get("CertificateAuthorityArn"):  # a private authority asks for no validation
            self.certificates.issue(arn, names)
            request.issued_at = self.clock.wall()
            return
        missing = await self._missing(request)
        if request.method != DNS:
            missing = [f"{request.method} validation, which nobody does here: ask for DNS validation"]
        for what in missing:
            self.run_journal.write(
                journal.Log(
                    time=self.clock.wall(),
                    component="acm",
                    level="warning",
                    message=f"the certificate of {', '.join(names)} waits for {what}",
                    line=arn,
                )
            )

    async def _list(self, call: Call, parameters: Mapping[str, Any]) -> Answer:
        """Answer ListCertificates: the backend's list, with the states that are known here."""
        asked = {key: value for key, value in parameters.items() if key not in _PAGED}
        found: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            answer = await self.upstream.forward(call, orjson.dumps({**asked, **token}))
            if not answer.is_ok:
                return answer
            page = orjson.loads(answer.body)
            found += page["CertificateSummaryList"]
            if not page.get("NextToken"):
                break
            token = {"NextToken": page["NextToken"]}
        for summary in found:
            if request := self._requests.get(summary["CertificateArn"]):
                summary["Status"] = request.status
        statuses = parameters.get("CertificateStatuses")
        chosen = [summary for summary in found if not statuses or summary["Status"] in statuses]
        start = int(parameters.get("NextToken") or 0)
        most = int(parameters.get("MaxItems") or _PAGE)
        listed: dict[str, Any] = {"CertificateSummaryList": chosen[start : start + most]}
        if len(chosen) > start + most:
            listed["NextToken"] = str(start + most)
        return replace(answer, body=orjson.dumps(listed))

    def _served(self, arn: str, answer: Answer) -> Answer:
        """Return the certificate that the ALB serves instead of the backend's placeholder."""
        try:
            chain, _ = self.certificates.get(arn)
        except KeyError:
            return answer
        # ACM returns the certificate and its chain apart; the store keeps them as one text, leaf first.
        mark = "-----END CERTIFICATE-----\n"
        first, _, rest = chain.decode().partition(mark)
        served = {"Certificate": first + mark, "CertificateChain": rest.lstrip()}
        return Answer(answer.status, orjson.dumps(served), answer.content_type)


_PAGED = frozenset({"CertificateStatuses", "NextToken", "MaxItems"})


def _decoded(parameters: Mapping[str, Any], field: str) -> bytes:
    try:
        text = base64.b64decode(parameters.get(field) or "")
    except (binascii.Error, ValueError):
        return b""  # the backend accepted the call without it
    return text if not text or text.endswith(b"\n") else text + b"\n"
