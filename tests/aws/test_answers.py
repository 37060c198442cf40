from __future__ import annotations

import orjson
import pytest
import xmltodict
from hypothesis import given
from hypothesis import strategies as st

from testbed.aws.answers import Answer, Refusal, message_of, refused, request_id

SERVICES = ("route53", "elbv2", "acm", "ec2")
READABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"])).map(str.strip)


@pytest.mark.parametrize("service", SERVICES)
@given(message=READABLE.filter(bool))
def test_the_message_of_a_refusal_can_be_read_again(service: str, message: str) -> None:
    answer = refused(service, Refusal("InvalidInput", message))
    assert message_of(answer) == message
    assert not answer.is_ok


def test_a_refusal_is_xml_in_the_namespace_of_its_service() -> None:
    answer = refused("route53", Refusal("Throttling", "Rate <exceeded>"))
    document = xmltodict.parse(answer.body)["ErrorResponse"]
    assert document["@xmlns"] == "https://route53.amazonaws.com/doc/2013-04-01/"
    assert document["Error"] == {"Type": "Sender", "Code": "Throttling", "Message": "Rate <exceeded>"}
    assert (answer.status, answer.content_type) == (400, "text/xml")


def test_an_error_of_the_server_names_the_receiver() -> None:
    answer = refused("elbv2", Refusal("ServiceUnavailable", "later", status=503))
    assert xmltodict.parse(answer.body)["ErrorResponse"]["Error"]["Type"] == "Receiver"
    assert answer.status == 503


def test_a_refusal_of_acm_is_json() -> None:
    answer = refused("acm", Refusal("SerializationException", "no JSON"))
    assert orjson.loads(answer.body) == {"__type": "SerializationException", "message": "no JSON"}
    assert answer.content_type == "application/x-amz-json-1.1"


def test_an_answer_without_a_message_is_quoted_from_its_beginning() -> None:
    assert message_of(Answer(500, b"<html>" + b"x" * 1000)) == "<html>" + "x" * 294
    assert message_of(Answer(500, b"[1]")) == "[1]"


def test_each_answer_has_an_id_of_its_own() -> None:
    assert request_id() != request_id()
