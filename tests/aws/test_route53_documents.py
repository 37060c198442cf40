from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.aws import route53_documents

HEAD = '<?xml version="1.0"?><ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/">'
TAIL = "</ChangeResourceRecordSetsRequest>"


def request(change: str) -> bytes:
    return f"{HEAD}<ChangeBatch><Changes>{change}</Changes></ChangeBatch>{TAIL}".encode()


def test_a_change_is_read_as_boto3_has_it() -> None:
    changes, comment = route53_documents.changes(
        request(
            "<Change><Action>CREATE</Action><ResourceRecordSet><Name>a.example.com</Name><Type>TXT</Type>"
            "<SetIdentifier>x</SetIdentifier><Weight>1</Weight><TTL>60</TTL><ResourceRecords>"
            '<ResourceRecord><Value>"a &amp;  b "</Value></ResourceRecord></ResourceRecords>'
            "</ResourceRecordSet></Change>"
        )
    )
    record = changes[0]["ResourceRecordSet"]
    assert record == {
        "Name": "a.example.com",
        "Type": "TXT",
        "SetIdentifier": "x",
        "Weight": 1,
        "TTL": 60,
        "ResourceRecords": [{"Value": '"a &  b "'}],
    }
    assert (changes[0]["Action"], comment) == ("CREATE", "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no xml",
        b"<a/>",
        request(""),
        request("<Change/>"),
        request("<Change><Action>DROP</Action><ResourceRecordSet><Name>a</Name><Type>A</Type></ResourceRecordSet></Change>"),
        request("<Change><Action>CREATE</Action><ResourceRecordSet><Name>a</Name></ResourceRecordSet></Change>"),
        request("<Change><Action>CREATE</Action><ResourceRecordSet><Name>a</Name><Type>A</Type><TTL>x</TTL></ResourceRecordSet></Change>"),
        request("<Change><Action>CREATE</Action><ResourceRecordSet>text</ResourceRecordSet></Change>"),
    ],
    ids=range(9),
)  # fmt: skip
def test_anything_else_is_unreadable(body: bytes) -> None:
    with pytest.raises(route53_documents.Unreadable):
        route53_documents.changes(body)


@given(
    st.recursive(
        st.text(max_size=5),
        lambda inner: st.builds(
            lambda tag, x: f"<{tag}>{x}</{tag}>",
            st.sampled_from(
                ["Change", "Action", "ResourceRecordSet", "Name", "AliasTarget", "ResourceRecords"]
            ),
            inner,
        ),
    )
)
def test_any_document_is_read_or_unreadable(inner: str) -> None:  # fmt: skip
    try:
        route53_documents.changes(request(inner))
    except route53_documents.Unreadable as error:
        assert str(error)  # noqa: PT017 both ends are right
