from __future__ import annotations

from typing import Any

import pytest

from testbed.aws import moto_patches
from testbed.aws.balancer_names import DNS_NAME_TAG, canonical_zone
from tests.aws.conftest import Account


def test_a_balancer_is_public_unless_it_is_asked_to_be_internal(account: Account) -> None:
    made = account.clients.elbv2.create_load_balancer(Name="default-scheme", Subnets=account.subnets)
    assert made["LoadBalancers"][0]["Scheme"] == "internet-facing"


def test_the_tags_of_an_nlb_stay_with_it(account: Account) -> None:
    arn = account.clients.elbv2.create_load_balancer(
        Name="tagged", Type="network", Subnets=account.subnets, Tags=[{"Key": "a", "Value": "b"}]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    assert ":loadbalancer/net/" in arn
    found = account.clients.elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
    assert found == [{"Key": "a", "Value": "b"}]


def test_a_balancer_that_stands_in_for_another_has_its_dns_name_and_its_zone(account: Account) -> None:
    name = "nginx-0123456789abcdef.elb.eu-west-1.amazonaws.com"
    tags = [{"Key": DNS_NAME_TAG, "Value": name}]
    (made,) = account.clients.elbv2.create_load_balancer(
        Name="nginx", Type="network", Subnets=account.subnets, Tags=tags
    )["LoadBalancers"]
    assert (made["DNSName"], made["CanonicalHostedZoneId"]) == (name, canonical_zone(name))


def test_a_balancer_without_target_groups_has_none(account: Account) -> None:
    balancer = account.balancer()["LoadBalancerArn"]
    found = account.clients.elbv2.describe_target_groups(LoadBalancerArn=balancer)
    assert found["TargetGroups"] == []


def test_a_target_group_belongs_to_the_balancer_whose_rules_name_it_now(account: Account) -> None:
    elbv2, balancer = account.clients.elbv2, account.balancer()["LoadBalancerArn"]
    first, second = account.group(), account.group()
    listener = account.listener(balancer, "HTTP", 80, DefaultActions=forward(first))
    assert groups_of(account, balancer) == [first]
    elbv2.modify_listener(ListenerArn=listener, DefaultActions=forward(second))
    assert groups_of(account, balancer) == [second]
    elbv2.create_rule(
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/x"]}}],
        Actions=[
            {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": first, "Weight": 1}]}}
        ],
    )
    assert groups_of(account, balancer) == [first, second]
    elbv2.delete_load_balancer(LoadBalancerArn=balancer)
    found = elbv2.describe_target_groups(TargetGroupArns=[first])["TargetGroups"][0]
    assert not found.get("LoadBalancerArns")


def forward(group: str) -> Any:
    return [{"Type": "forward", "TargetGroupArn": group}]


def groups_of(account: Account, balancer: str) -> list[str]:
    found = account.clients.elbv2.describe_target_groups(LoadBalancerArn=balancer)["TargetGroups"]
    return [one["TargetGroupArn"] for one in found]


def test_the_older_security_policies_have_the_protocols_of_their_age() -> None:
    older = moto_patches.older_policies()
    strict, lax = older["ELBSecurityPolicy-FS-1-2-2019-08"], older["ELBSecurityPolicy-2015-05"]
    assert strict["ssl_protocols"] == ["TLSv1.2"]
    assert "TLSv1" in lax["ssl_protocols"]
    assert all(policy["name"] == name for name, policy in older.items())


def test_an_expression_counts_as_the_value_of_a_condition() -> None:
    checked: list[Any] = []
    validate = moto_patches.takes_regexes(lambda _, condition: checked.append(condition), "HostHeaderConfig")
    backend: Any = None
    validate(backend, {"Field": "host-header", "HostHeaderConfig": {"RegexValues": ["^a"]}})
    validate(backend, {"Field": "host-header", "HostHeaderConfig": {"Values": ["b"], "RegexValues": ["^a"]}})
    validate(backend, {"Field": "host-header", "Values": ["c"]})
    first, second, third = checked
    assert first["HostHeaderConfig"]["Values"] == ["^a"]
    assert second["HostHeaderConfig"]["Values"] == ["b"]
    assert "HostHeaderConfig" not in third


@pytest.mark.parametrize("port", [None, 8080])
def test_a_target_is_deregistered_at_its_port_or_at_all_of_them(account: Account, port: int | None) -> None:
    elbv2, group = account.clients.elbv2, account.group()
    targets = [{"Id": "10.0.0.1", "Port": number} for number in (8080, 9090)]
    elbv2.register_targets(TargetGroupArn=group, Targets=targets)  # type: ignore[arg-type]
    leaving: Any = {"Id": "10.0.0.1"} if port is None else {"Id": "10.0.0.1", "Port": port}
    elbv2.deregister_targets(TargetGroupArn=group, Targets=[leaving])
    left = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert [one["Target"]["Port"] for one in left] == ([] if port is None else [9090])


def test_a_rule_may_validate_tokens_before_it_forwards(account: Account) -> None:
    listener = account.listener(account.balancer()["LoadBalancerArn"])
    jwt = {"JwksEndpoint": "https://id.example.com/jwks", "Issuer": "https://id.example.com"}
    actions: list[Any] = [
        {"Type": "jwt-validation", "Order": 1, "JwtValidationConfig": jwt},
        {"Type": "forward", "Order": 2, "TargetGroupArn": account.group()},
    ]
    conditions: list[Any] = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a"]}}]
    made = account.clients.elbv2.create_rule(
        ListenerArn=listener, Priority=1, Conditions=conditions, Actions=actions
    )
    assert [one["Type"] for one in made["Rules"][0]["Actions"]] == ["jwt-validation", "forward"]


def test_a_new_zone_has_an_soa_that_is_text(account: Account) -> None:
    zone = account.clients.route53.create_hosted_zone(Name="example.net", CallerReference="soa")["HostedZone"]
    listed = account.clients.route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    (soa,) = [one for one in listed if one["Type"] == "SOA"]
    server, mailbox, *times = soa["ResourceRecords"][0]["Value"].split()
    assert (mailbox, times) == ("awsdns-hostmaster.amazon.com.", ["1", "7200", "900", "1209600", "86400"])
    (servers,) = [one for one in listed if one["Type"] == "NS"]
    assert server.rstrip(".") in [one["Value"].rstrip(".") for one in servers["ResourceRecords"]]
