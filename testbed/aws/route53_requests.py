"""ChangeResourceRecordSets and ListResourceRecordSets documents, in boto3's form (pure)."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

import xmltodict

from testbed.aws.answers import ROUTE53_NAMESPACE, Answer

Change = dict[str, Any]
"""`Action` and `ResourceRecordSet` as boto3 gives them."""

_ACTIONS = ("CREATE", "DELETE", "UPSERT")
_NUMBERS = ("TTL", "Weight")
_MANY = ("Change", "ResourceRecord", "ResourceRecordSet")


class Unreadable(ValueError):
    """A document that Route 53 answers with `InvalidInput`."""


def changes(body: bytes) -> tuple[list[Change], str]:
    """The changes of a request and its comment.

    Raises:
        Unreadable: not such a request; the text is for the answer.
    """
    try:
        document = xmltodict.parse(body, force_list=("Change", "ResourceRecord"), strip_whitespace=False)
        batch = document["ChangeResourceRecordSetsRequest"]["ChangeBatch"]
        found = [_change(one) for one in batch["Changes"]["Change"]]
        return found, str(batch.get("Comment") or "")
    except ExpatError as error:
        raise Unreadable(f"Invalid XML ; {error}") from None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        reason = str(error) if isinstance(error, Unreadable) else "Invalid request"
        raise Unreadable(reason) from None


def record_sets(body: bytes) -> tuple[list[dict[str, Any]], bool]:
    """The record sets of a ListResourceRecordSets answer, and whether more follow."""
    document = xmltodict.parse(body, force_list=("ResourceRecordSet", "ResourceRecord"))
    answer = document["ListResourceRecordSetsResponse"]
    listed = (answer["ResourceRecordSets"] or {}).get("ResourceRecordSet", [])
    return [_record(one) for one in listed], answer["IsTruncated"] == "true"


def zone_name(body: bytes) -> str:
    """The name in a GetHostedZone answer."""
    return str(xmltodict.parse(body)["GetHostedZoneResponse"]["HostedZone"]["Name"])


def change_info(operation: str, change_id: str, status: str, submitted: float, comment: str) -> Answer:
    """The answer to ChangeResourceRecordSets or GetChange; `submitted` in wall seconds since the epoch."""
    moment = datetime.datetime.fromtimestamp(submitted, tz=datetime.UTC)
    told = f"<Comment>{escape(comment)}</Comment>" if comment else ""
    document = (
        f'<?xml version="1.0"?>\n<{operation}Response xmlns="{ROUTE53_NAMESPACE}"><ChangeInfo>'
        f"<Id>/change/{change_id}</Id><Status>{status}</Status>"
        f"<SubmittedAt>{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z</SubmittedAt>{told}"
        f"</ChangeInfo></{operation}Response>"
    )
    return Answer(200, document.encode())


def _change(element: Mapping[str, Any]) -> Change:
    action = _text(element["Action"])
    if action not in _ACTIONS:
        raise Unreadable(
            f"Invalid XML ; cvc-enumeration-valid: Value '{action}' is not facet-valid with respect to "
            "enumeration '[CREATE, DELETE, UPSERT]'. It must be a value from the enumeration."
        )
    return {"Action": action, "ResourceRecordSet": _record(element["ResourceRecordSet"])}


def _record(element: Mapping[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {
        key: _text(value) if isinstance(value, str) or value is None else value
        for key, value in element.items()
        if not key.startswith(("@", "#"))
    }
    if not record["Name"] or not record["Type"]:
        raise KeyError
    for field in _NUMBERS:
        if field in record:
            record[field] = int(record[field])
    if "ResourceRecords" in record:
        listed = record.pop("ResourceRecords")
        if isinstance(listed, Mapping):
            record["ResourceRecords"] = [{"Value": one["Value"] or ""} for one in listed["ResourceRecord"]]
    if alias := record.get("AliasTarget"):
        record["AliasTarget"] = {
            "HostedZoneId": _text(alias["HostedZoneId"]),
            "DNSName": _text(alias["DNSName"]),
            "EvaluateTargetHealth": _text(alias["EvaluateTargetHealth"]).lower() == "true",
        }
    return record


def _text(value: str | None) -> str:
    return (value or "").strip()
