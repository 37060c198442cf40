from __future__ import annotations

from testbed.aws.elbv2_settings import of_a_balancer, of_a_group


def test_defaults_and_the_order_of_subnets_and_tags_make_no_other_balancer() -> None:
    written = {
        "Name": "web",
        "Type": "application",
        "Scheme": "internet-facing",
        "SubnetMappings": [{"SubnetId": "b"}, {"SubnetId": "a"}],
    }
    assert (
        of_a_balancer({"Name": "web", "Subnets": ["a", "b"]})["Subnets"] == of_a_balancer(written)["Subnets"]
    )
    assert of_a_balancer({"Name": "web"}) == of_a_balancer({"Name": "web", "Scheme": "internet-facing"})
    one, two = {"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}
    assert of_a_balancer({"Tags": [one, two]}) == of_a_balancer({"Tags": [two, one]})
    assert of_a_balancer({"Tags": [one]}) != of_a_balancer({"Tags": [two]})


def test_the_default_version_of_a_group_is_no_other_setting() -> None:
    plain = {"Name": "web", "Protocol": "HTTP"}
    assert of_a_group(plain) == of_a_group({**plain, "ProtocolVersion": "HTTP1"})
    assert of_a_group(plain) != of_a_group({**plain, "ProtocolVersion": "GRPC"})
    assert "ProtocolVersion" not in of_a_group({"Name": "tcp", "Protocol": "TCP"})
