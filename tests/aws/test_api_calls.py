from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.aws import api_calls

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-east-1/{}/aws4_request, SignedHeaders=host"


def read(
    service: str, method: str = "POST", path: str = "/", body: bytes = b"", **more: str
) -> api_calls.Call:
    return api_calls.read(method, path, {"Authorization": SIGNED.format(service), **more}, body)


@pytest.mark.parametrize(
    ("method", "path", "operation", "mutates"),
    [
        ("POST", "/2013-04-01/hostedzone/Z1/rrset/", "ChangeResourceRecordSets", True),
        ("POST", "/2013-04-01/hostedzone/Z1/rrset", "ChangeResourceRecordSets", True),
        ("GET", "/2013-04-01/hostedzone/Z1/rrset?maxitems=1", "ListResourceRecordSets", False),
        ("GET", "/2013-04-01/change/C1", "GetChange", False),
        ("POST", "/2013-04-01/hostedzone", "CreateHostedZone", True),
        ("DELETE", "/2013-04-01/hostedzone/Z1", "DeleteHostedZone", True),
        ("POST", "/2013-04-01/tags/hostedzone", "ListTagsForResources", False),
        ("POST", "/2013-04-01/healthcheck", "POST /2013-04-01/healthcheck", True),
        ("GET", "/2013-04-01/healthcheck", "Get /2013-04-01/healthcheck", False),
    ],
)
def test_an_operation_of_route53_follows_from_method_and_path(
    method: str, path: str, operation: str, mutates: bool
) -> None:
    call = read("route53", method, path)
    assert (call.service, call.operation, call.mutates) == ("route53", operation, mutates)


def test_the_query_protocol_names_its_operation_in_the_body() -> None:
    call = read("elasticloadbalancing", body=b"Action=CreateRule&Priority=1")
    assert (call.service, call.operation, call.form["Priority"]) == ("elbv2", "CreateRule", "1")


def test_the_query_protocol_may_stand_in_the_address() -> None:
    call = read("elasticloadbalancing", "GET", "/?Action=DescribeRules")
    assert (call.operation, call.mutates) == ("DescribeRules", False)


def test_json_services_name_their_operation_in_a_header() -> None:
    call = read("acm", body=b"{}", **{"X-Amz-Target": "CertificateManager.RequestCertificate"})
    assert (call.service, call.operation) == ("acm", "RequestCertificate")


def test_the_account_is_the_access_key() -> None:
    assert read("route53", "GET", "/2013-04-01/hostedzone").account == "AKIDEXAMPLE"


def test_an_unsigned_call_of_route53_is_known_by_its_path() -> None:
    assert api_calls.read("GET", "/2013-04-01/hostedzone", {}, b"").service == "route53"


def test_an_unsigned_call_is_known_by_its_host() -> None:
    headers = {"Host": "elasticloadbalancing.us-east-1.amazonaws.com"}
    assert api_calls.read("POST", "/", headers, b"Action=DescribeRules").service == "elbv2"


@given(st.sampled_from(["GET", "POST"]), st.text(max_size=30), st.text(max_size=80), st.binary(max_size=80))
def test_any_request_has_a_service_or_is_malformed(
    method: str, path: str, authorization: str, body: bytes
) -> None:
    try:
        call = api_calls.read(method, "/" + path, {"Authorization": authorization}, body)
    except api_calls.Malformed as error:
        assert str(error)  # noqa: PT017 both ends are right
    else:
        assert call.service


@given(st.binary(max_size=80))
def test_any_body_is_read_or_malformed(body: bytes) -> None:
    with contextlib.suppress(api_calls.Malformed):
        assert isinstance(read("elasticloadbalancing", body=body).form, dict)
