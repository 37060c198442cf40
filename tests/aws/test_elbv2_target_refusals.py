from __future__ import annotations

import pytest

from testbed.aws.elbv2_target_refusals import refused_code, refused_targets, refused_version


@pytest.mark.parametrize(
    ("target_type", "identity", "is_taken"),
    [
        ("ip", "10.0.0.1", True),
        ("ip", "100.64.0.1", True),
        ("ip", "127.83.1.1", True),
        ("ip", "fd00::1", True),
        ("ip", "8.8.8.8", False),
        ("ip", "i-0123456789abcdef0", False),
        ("instance", "i-0123456789abcdef0", True),
        ("instance", "10.0.0.1", False),
        ("alb", "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/web/1", True),
    ],
)
def test_a_group_takes_targets_of_its_type(target_type: str, identity: str, is_taken: bool) -> None:
    assert (refused_targets([{"Id": identity}], target_type) is None) is is_taken


@pytest.mark.parametrize(
    ("protocol", "version", "is_taken"),
    [
        ("HTTP", "GRPC", True),
        ("HTTPS", None, True),
        ("HTTP", "HTTP3", False),
        ("TCP", "HTTP1", False),
        ("TCP", None, True),
    ],
)
def test_a_version_is_one_of_three_and_of_http(protocol: str, version: str | None, is_taken: bool) -> None:
    asked = {"Protocol": protocol, **({"ProtocolVersion": version} if version else {})}
    assert (refused_version(asked) is None) is is_taken


def test_codes_are_of_the_kind_that_the_version_answers() -> None:
    assert refused_code({"Matcher": {"GrpcCode": "0"}}, "GRPC") is None
    assert refused_code({"Matcher": {"HttpCode": "200"}}, "HTTP1") is None
    assert refused_code({"Matcher": {"HttpCode": "200"}}, "GRPC") is not None
    assert refused_code({"Matcher": {"GrpcCode": "0"}}, "") is not None
