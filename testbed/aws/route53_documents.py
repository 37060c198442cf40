"""Parses and writes the XML documents of Route 53, in the shapes of boto3 (pure)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

import xmltodict

from testbed.aws.answers import ROUTE53_NAMESPACE, Answer
from testbed.aws.route53_names import stored_name

Change = dict[str, Any]
"""`Action` and `ResourceRecordSet` in the shape of boto3."""

Key = tuple[str, str, str]
"""Name as Route 53 stores it, type, set identifier."""

_ZONE_NAME = re.compile(rb"(?<=<Name>)[^<]*(?=</Name>)")
_CHANGE_INFO = re.compile(rb"<ChangeInfo>.*?</ChangeInfo>", re.DOTALL)
_FIELDS = (
    "SetIdentifier",
    "Weight",
    "Region",
    "GeoLocation",
    "Failover",
    "MultiValueAnswer",
    "TTL",
    "ResourceRecords",
    "AliasTarget",
    "HealthCheckId",
    "TrafficPolicyInstanceId",
    "CidrRoutingConfig",
    "GeoProximityLocation",
)
"""Fields of a ResourceRecordSet after name and type, in the order of the API."""
_MOST_ZONES = 100
_ALIAS_FIELDS = ("HostedZoneId", "DNSName", "EvaluateTargetHealth")
_ACTIONS = ("CREATE", "DELETE", "UPSERT")
_NUMBERS = ("TTL", "Weight")
_MANY = ("Change", "ResourceRecord", "ResourceRecordSet")


class Unreadable(ValueError):
    """A document that Route 53 answers with `InvalidInput`."""


def changes(body: bytes) -> tuple[list[Change], str]:
    """Return the changes of a ChangeResourceRecordSets request, and its comment.

    Raises:
        Unreadable: it is no such request; the text belongs into the answer.
    """
    try:
        # A single change must be a list, too; and stripping would alter the values.
        document = xmltodict.parse(body, force_list=("Change", "ResourceRecord"), strip_whitespace=False)
        batch = document["ChangeResourceRecordSetsRequest"]["ChangeBatch"]
        changes = [_change(element) for element in batch["Changes"]["Change"]]
        return changes, str(batch.get("Comment") or "")
    except ExpatError as error:
        raise Unreadable(f"Invalid XML ; {error}") from None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        reason = str(error) if isinstance(error, Unreadable) else "Invalid request"
        raise Unreadable(reason) from None


def record_sets(body: bytes) -> tuple[list[dict[str, Any]], bool]:
    """Return the record sets of a ListResourceRecordSets answer, and True if more follow."""
    document = xmltodict.parse(body, force_list=("ResourceRecordSet", "ResourceRecord"))
    answer = document["ListResourceRecordSetsResponse"]
    listed = (answer["ResourceRecordSets"] or {}).get("ResourceRecordSet", [])
    return [_record(element) for element in listed], answer["IsTruncated"] == "true"


def listing(page: Iterable[tuple[Key, Mapping[str, Any]]], following: Key | None, most: int) -> Answer:
    """Return the answer to ListResourceRecordSets.

    Args:
        page: key and record set of each, in their order.
        following: key of the first record set of the next page; None on the last page.
        most: most record sets of a page.
    """
    sets = "".join(
        f"<ResourceRecordSet>{_record_xml(key, record)}</ResourceRecordSet>" for key, record in page
    )
    more = ""
    if following:
        fields = zip(("Name", "Type", "Identifier"), following, strict=True)
        more = "".join(
            f"<NextRecord{field}>{escape(value)}</NextRecord{field}>" for field, value in fields if value
        )
    return _answer(
        "ListResourceRecordSetsResponse",
        f"<ResourceRecordSets>{sets}</ResourceRecordSets><IsTruncated>{str(bool(following)).lower()}</IsTruncated>"
        f"{more}<MaxItems>{most}</MaxItems>",
    )


def zones(body: bytes) -> tuple[dict[str, str], str]:
    """Return names by id in a ListHostedZones answer, and the marker of the next page ("" for none)."""
    answer = xmltodict.parse(body, force_list=("HostedZone",))["ListHostedZonesResponse"]
    listed = (answer["HostedZones"] or {}).get("HostedZone", [])
    return {zone["Id"].rpartition("/")[2]: zone["Name"] for zone in listed}, answer.get("NextMarker") or ""


def new_zone(body: bytes) -> tuple[bytes, str]:
    """Return a CreateHostedZone request with the zone's name in lower case, and its caller reference.

    Raises:
        Unreadable: it is no such request.
    """
    try:
        request = xmltodict.parse(body)["CreateHostedZoneRequest"]
        reference = _text(request["CallerReference"])
        if not _text(request["Name"]) or not reference:
            raise KeyError
    except (ExpatError, KeyError, TypeError):
        raise Unreadable("Invalid request") from None
    return _ZONE_NAME.sub(lambda match: match[0].lower(), body, count=1), reference


def protections(body: bytes, operation: str) -> list[tuple[str, str, str]]:
    """Return name, type and comment of each record set in a request to protect some, or to end that.

    Raises:
        Unreadable: it is no such request.
    """
    item = "ResourceRecordSetProtection" + ("Config" if operation.startswith("Create") else "Key")
    try:
        request = xmltodict.parse(body, force_list=(item,))[f"{operation}Request"]
        return [
            (stored_name(_text(one["RecordName"])), _text(one["RecordType"]), _text(one.get("Comment")))
            for one in request["Protections"][item]
        ]
    except (ExpatError, KeyError, TypeError, AttributeError):
        raise Unreadable("Invalid request") from None


def protection_list(protected: Mapping[tuple[str, str], str]) -> Answer:
    """Return the answer to ListResourceRecordSetProtections: comments by name and type."""
    items = "".join(
        f"<ResourceRecordSetProtection><RecordName>{escape(name)}</RecordName><RecordType>{kind}</RecordType>"
        + (f"<Comment>{escape(comment)}</Comment>" if comment else "")
        + "</ResourceRecordSetProtection>"
        for (name, kind), comment in protected.items()
    )
    return _answer(
        "ListResourceRecordSetProtectionsResponse",
        f"<ResourceRecordSetProtections>{items}</ResourceRecordSetProtections>",
    )


def dns_answer(server: str, name: str, kind: str, values: Iterable[str], code: str) -> Answer:
    """Return the answer to TestDNSAnswer: values of a record set, and the code of the DNS answer."""
    entries = "".join(f"<RecordDataEntry>{escape(value)}</RecordDataEntry>" for value in values)
    return _answer(
        "TestDNSAnswerResponse",
        f"<Nameserver>{server}</Nameserver><RecordName>{escape(name)}</RecordName>"
        f"<RecordType>{escape(kind)}</RecordType><RecordData>{entries}</RecordData>"
        f"<ResponseCode>{code}</ResponseCode><Protocol>UDP</Protocol>",
    )


def empty(operation: str) -> Answer:
    """Return the answer of an operation whose answer has no fields."""
    return _answer(f"{operation}Response", "")


def zone_name(body: bytes) -> str:
    """Return the name of the zone in a GetHostedZone answer."""
    return str(xmltodict.parse(body)["GetHostedZoneResponse"]["HostedZone"]["Name"])


def change_info(operation: str, change_id: str, status: str, submitted: float, comment: str) -> Answer:
    """Return the answer to ChangeResourceRecordSets or GetChange.

    Args:
        operation: name of the operation.
        change_id: id of the change.
        status: `PENDING` or `INSYNC`.
        submitted: wall time, seconds since the epoch.
        comment: comment of the batch; "" for none.
    """
    moment = datetime.datetime.fromtimestamp(submitted, tz=datetime.UTC)
    remark = f"<Comment>{escape(comment)}</Comment>" if comment else ""
    return _answer(
        f"{operation}Response",
        f"<ChangeInfo><Id>/change/{change_id}</Id><Status>{status}</Status>"
        f"<SubmittedAt>{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z</SubmittedAt>{remark}"
        "</ChangeInfo>",
    )


def with_location(answer: Answer) -> Answer:
    """Return the answer to CreateHostedZone with the URL of the zone, which the API answers as a header."""
    zone = xmltodict.parse(answer.body)["CreateHostedZoneResponse"]["HostedZone"]["Id"]
    return replace(answer, location=f"https://route53.amazonaws.com/2013-04-01{zone}")


def with_marker(answer: Answer, path: str) -> Answer:
    """Return the answer to ListHostedZones with the marker that the call named, as the API repeats it."""
    if not answer.is_ok or b"<Marker>" in answer.body:
        return answer
    marker = dict(parse_qsl(path.partition("?")[2])).get("marker", "")
    element = f"<Marker>{escape(marker)}</Marker>".encode()
    return replace(answer, body=answer.body.replace(b"<IsTruncated>", element + b"<IsTruncated>", 1))


def with_end(answer: Answer) -> Answer:
    """Return the answer to ListHostedZonesByName as a last page: the backend does not say that it is one."""
    if not answer.is_ok or b"<IsTruncated>" in answer.body:
        return answer
    end = b"</ListHostedZonesByNameResponse>"
    last = f"<IsTruncated>false</IsTruncated><MaxItems>{_MOST_ZONES}</MaxItems>".encode()
    return replace(answer, body=answer.body.replace(end, last + end))


def with_change(answer: Answer, change: Answer) -> Answer:
    """Return an answer of another operation with the ChangeInfo of an answer that `change_info` made."""
    found = _CHANGE_INFO.search(change.body)
    body = _CHANGE_INFO.sub(lambda _: found[0] if found else b"", answer.body, count=1)
    return replace(answer, body=body)


def _answer(element: str, content: str) -> Answer:
    document = f'<?xml version="1.0"?>\n<{element} xmlns="{ROUTE53_NAMESPACE}">{content}</{element}>'
    return Answer(200, document.encode())


def _record_xml(key: Key, record: Mapping[str, Any]) -> str:
    """Return the content of a ResourceRecordSet element, with names as Route 53 stores them."""
    fields = {field: record[field] for field in _FIELDS if field in record}
    if "AliasTarget" in fields:
        target = fields["AliasTarget"]
        fields["AliasTarget"] = {field: target[field] for field in _ALIAS_FIELDS}
        fields["AliasTarget"]["DNSName"] = stored_name(target["DNSName"])
    if "ResourceRecords" in fields:
        fields["ResourceRecords"] = {"ResourceRecord": fields["ResourceRecords"]}
    return f"<Name>{escape(key[0])}</Name><Type>{escape(key[1])}</Type>{_xml(fields)}"


def _xml(fields: Mapping[str, Any]) -> str:
    parts = []
    for field, value in fields.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Mapping):
                content = _xml(item)
            else:
                content = str(item).lower() if isinstance(item, bool) else escape(str(item))
            parts.append(f"<{field}>{content}</{field}>")
    return "".join(parts)


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
            record["ResourceRecords"] = [
                {"Value": value["Value"] or ""} for value in listed["ResourceRecord"]
            ]
    if alias := record.get("AliasTarget"):
        record["AliasTarget"] = {
            "HostedZoneId": _text(alias["HostedZoneId"]),
            "DNSName": _text(alias["DNSName"]),
            "EvaluateTargetHealth": _text(alias["EvaluateTargetHealth"]).lower() == "true",
        }
    return record


def _text(value: str | None) -> str:
    return (value or "").strip()
