from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from testbed import journal
from testbed.aws import elbv2_front
from testbed.aws.balancer_names import CANONICAL_ZONES, DNS_NAME_TAG, balancer_type, canonical_zone
from tests.aws.conftest import Account

NOT_FOUND: Any = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]


def path(*values: str) -> Any:
    return [{"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}]


def forward(group: str) -> Any:
    return [{"Type": "forward", "TargetGroupArn": group}]


@pytest.mark.parametrize(("kind", "short"), [("application", "alb"), ("network", "nlb")])
def test_a_new_balancer_has_the_name_and_zone_of_its_type_at_once(
    account: Account, kind: str, short: str
) -> None:
    made = account.balancer(kind)
    assert balancer_type(made["DNSName"]) == short
    assert made["CanonicalHostedZoneId"] == canonical_zone(made["DNSName"])
    assert made["CanonicalHostedZoneId"] in CANONICAL_ZONES["ap-northeast-1"]
    found = account.clients.elbv2.describe_load_balancers(LoadBalancerArns=[made["LoadBalancerArn"]])
    assert found["LoadBalancers"][0]["DNSName"] == made["DNSName"]
    assert found["LoadBalancers"][0]["CanonicalHostedZoneId"] == made["CanonicalHostedZoneId"]


def test_an_internal_alb_is_named_so(account: Account) -> None:
    assert account.balancer(scheme="internal")["DNSName"].startswith("internal-lb")


def test_a_balancer_is_provisioning_first_and_active_then(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account.endpoint, "balancer_provisioning", 0.0)
    old = account.balancer()
    monkeypatch.setattr(account.endpoint, "balancer_provisioning", 600.0)
    new = account.balancer("network")
    assert new["State"]["Code"] == "provisioning"
    assert states(account, old, new) == ["active", "provisioning"]
    # The time of its creation counts: what the endpoint does with later ones does not change it.
    monkeypatch.setattr(account.endpoint, "balancer_provisioning", 0.0)
    assert states(account, old, new) == ["active", "provisioning"]
    now = account.endpoint._clock.now()
    monkeypatch.setattr(elbv2_front.Clock, "now", lambda _: now + 600.0)
    assert states(account, old, new) == ["active", "active"]


def test_a_balancer_that_stands_in_for_one_of_another_controller_was_provisioned_long_ago(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account.endpoint, "balancer_provisioning", 600.0)
    name = "shop-0123456789abcdef.elb.ap-northeast-1.amazonaws.com"
    made = account.clients.elbv2.create_load_balancer(
        Name="shop", Type="network", Subnets=account.subnets, Tags=[{"Key": DNS_NAME_TAG, "Value": name}]
    )["LoadBalancers"][0]
    account.clients.elbv2.describe_load_balancers()
    assert states(account, dict(made)) == ["active"]


def test_a_page_has_400_balancers_and_rules_unless_the_call_asks_for_fewer(account: Account) -> None:
    elbv2, listener = (
        account.clients.elbv2,
        account.listener(account.balancer()["LoadBalancerArn"], "HTTP", 80),
    )
    for number in range(1, 53):
        elbv2.create_rule(
            ListenerArn=listener, Priority=number, Conditions=path(f"/{number}"), Actions=NOT_FOUND
        )
    assert len(elbv2.describe_rules(ListenerArn=listener)["Rules"]) == 53
    assert len(elbv2.describe_rules(ListenerArn=listener, PageSize=5)["Rules"]) == 5


def states(account: Account, *balancers: dict[str, Any]) -> list[str]:
    listed = account.clients.elbv2.describe_load_balancers()["LoadBalancers"]
    found = {one["LoadBalancerArn"]: one["State"]["Code"] for one in listed}
    return [found[one["LoadBalancerArn"]] for one in balancers]


@pytest.mark.parametrize("version", ["GRPC", "HTTP2"])
def test_a_rule_on_an_http_listener_does_not_forward_to_grpc_or_http2(account: Account, version: str) -> None:
    listener = account.listener(account.balancer()["LoadBalancerArn"], "HTTP", 80)
    with pytest.raises(account.clients.elbv2.exceptions.ClientError) as refused:
        account.clients.elbv2.create_rule(
            ListenerArn=listener, Conditions=path("/*"), Priority=1, Actions=forward(account.group(version))
        )
    assert str(refused.value).endswith(
        f"Listener protocol 'HTTP' is not supported with a target group with the protocol-version '{version}'"
    )
    assert refused.value.response["Error"]["Code"] == "InvalidLoadBalancerAction"
    assert len(account.clients.elbv2.describe_rules(ListenerArn=listener)["Rules"]) == 1


def test_an_https_listener_forwards_to_grpc(account: Account) -> None:
    listener = account.listener(account.balancer()["LoadBalancerArn"])
    account.clients.elbv2.create_rule(
        ListenerArn=listener, Conditions=path("/*"), Priority=1, Actions=forward(account.group("GRPC"))
    )


def test_a_default_action_is_checked_like_a_rule(account: Account) -> None:
    group, balancer = account.group("GRPC"), account.balancer()["LoadBalancerArn"]
    with pytest.raises(ClientError, match="InvalidLoadBalancerAction"):
        account.listener(balancer, "HTTP", 80, DefaultActions=forward(group))
    listener = account.listener(balancer, "HTTP", 81)
    with pytest.raises(ClientError, match="InvalidLoadBalancerAction"):
        account.clients.elbv2.modify_listener(ListenerArn=listener, DefaultActions=forward(group))


def test_a_listener_that_changes_its_protocol_is_known_by_the_new_one(account: Account) -> None:
    listener, group = account.listener(account.balancer()["LoadBalancerArn"]), account.group("GRPC")
    rule = account.clients.elbv2.create_rule(
        ListenerArn=listener, Conditions=path("/a"), Priority=1, Actions=NOT_FOUND
    )["Rules"][0]["RuleArn"]
    account.clients.elbv2.modify_listener(ListenerArn=listener, Protocol="HTTP", Port=80)
    with pytest.raises(ClientError, match="InvalidLoadBalancerAction"):
        account.clients.elbv2.modify_rule(RuleArn=rule, Actions=forward(group))


def test_a_rule_has_at_most_five_values(account: Account) -> None:
    listener = account.listener(account.balancer()["LoadBalancerArn"])
    with pytest.raises(ClientError, match="A rule can only have '5' condition values"):
        account.clients.elbv2.create_rule(
            ListenerArn=listener,
            Conditions=path(*(f"/{n}" for n in range(6))),
            Priority=1,
            Actions=NOT_FOUND,
        )


def test_the_hundred_and_first_rule_of_a_balancer_is_refused_until_one_is_deleted(account: Account) -> None:
    balancer, elbv2 = account.balancer()["LoadBalancerArn"], account.clients.elbv2
    first, second = account.listener(balancer, "HTTP", 80), account.listener(balancer, "HTTP", 81)
    made: list[str] = []

    def create(listener: str, priority: int) -> None:
        rules = elbv2.create_rule(
            ListenerArn=listener, Conditions=path("/x"), Priority=priority, Actions=NOT_FOUND
        )["Rules"]
        made.append(rules[0]["RuleArn"])

    for priority in range(1, 51):
        create(first, priority)
        create(second, priority)
    with pytest.raises(elbv2.exceptions.TooManyRulesException):
        create(second, 51)
    elbv2.delete_rule(RuleArn=made[0])
    create(second, 51)


def test_a_grpc_group_takes_grpc_codes_and_keeps_them(account: Account) -> None:
    group, elbv2 = account.group("GRPC", Matcher={"GrpcCode": "12"}), account.clients.elbv2
    with pytest.raises(
        ClientError, match="Health check matcher GRPC code '200' must be within '0-99' inclusive"
    ):
        elbv2.modify_target_group(TargetGroupArn=group, Matcher={"GrpcCode": "200"})
    elbv2.modify_target_group(TargetGroupArn=group, Matcher={"GrpcCode": "0-5"})
    elbv2.modify_target_group(TargetGroupArn=group, HealthCheckIntervalSeconds=20)
    found = elbv2.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]
    assert found["Matcher"] == {"GrpcCode": "0-5"}
    with pytest.raises(ClientError, match="GRPC code '200'"):
        account.group("GRPC", Matcher={"GrpcCode": "200"})


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (
            {"Protocol": "HTTP", "ProtocolVersion": "GRPC"},
            {"HealthCheckPath": "/AWS.ALB/healthcheck", "Matcher": {"GrpcCode": "12"}},
        ),
        ({"Protocol": "HTTP"}, {"HealthCheckPath": "/", "Matcher": {"HttpCode": "200"}}),
        (
            {"Protocol": "TCP", "HealthCheckProtocol": "HTTP"},
            {"HealthCheckPath": "/", "Matcher": {"HttpCode": "200-399"}, "HealthCheckTimeoutSeconds": 6},
        ),
        (
            {"Protocol": "TLS", "HealthCheckProtocol": "HTTPS", "HealthCheckPort": "8080"},
            {
                "HealthCheckPath": "/",
                "Matcher": {"HttpCode": "200-399"},
                "HealthCheckTimeoutSeconds": 10,
            },
        ),
    ],
)
def test_health_checks_have_the_defaults_of_their_protocol(
    account: Account, asked: dict[str, str], expected: dict[str, Any]
) -> None:
    vpc = account.clients.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    name = "-".join(["defaults", *asked.values()])
    made = account.clients.elbv2.create_target_group(Name=name, Port=80, VpcId=vpc, **asked)
    group: dict[str, Any] = dict(made["TargetGroups"][0])
    assert {key: group[key] for key in expected} == expected


def test_a_pod_is_a_target_at_each_of_its_ports(account: Account) -> None:
    elbv2, group = account.clients.elbv2, account.group("HTTP1")

    def registered() -> list[int]:
        found = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return sorted(one["Target"]["Port"] for one in found)

    pod = "127.0.1.1"
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": pod, "Port": 8443}, {"Id": pod}])
    assert registered() == [80, 8443]
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": pod, "Port": 8080}])
    elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": pod, "Port": 8443}])
    assert registered() == [80, 8080]
    elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": pod}, {"Id": "127.0.1.9"}])
    assert registered() == []


def test_one_port_has_one_listener(account: Account) -> None:
    balancer = account.balancer()["LoadBalancerArn"]
    account.listener(balancer, "HTTP", 80)
    with pytest.raises(account.clients.elbv2.exceptions.DuplicateListenerException):
        account.listener(balancer, "HTTP", 80)


def test_a_condition_may_have_regular_expressions_that_need_no_backtracking(account: Account) -> None:
    listener = account.listener(account.balancer()["LoadBalancerArn"])
    fixed = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]

    def create(priority: int, regex: str) -> list[Any]:
        condition = {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": [regex]}}
        made = account.clients.elbv2.create_rule(
            ListenerArn=listener,
            Priority=priority,
            Conditions=[condition],  # type: ignore[list-item]
            Actions=fixed,  # type: ignore[arg-type]
        )
        return list(made["Rules"][0]["Conditions"])

    assert create(1, "^/api/v[0-9]+/")[0]["PathPatternConfig"]["RegexValues"] == ["^/api/v[0-9]+/"]
    for broken in ("(", "(?=a)b", r"(a)\1", "a" * 129):
        with pytest.raises(ClientError, match="ValidationError"):
            create(2, broken)


def test_a_security_policy_is_one_that_aws_has(account: Account) -> None:
    balancer = account.balancer()["LoadBalancerArn"]
    with pytest.raises(ClientError, match="SSLPolicyNotFound"):
        account.listener(balancer, SslPolicy="ELBSecurityPolicy-TLS13-9-9-2030-01")
    listener = account.listener(balancer, SslPolicy="ELBSecurityPolicy-FS-1-2-2019-08")
    with pytest.raises(ClientError, match="SSLPolicyNotFound"):
        account.clients.elbv2.modify_listener(ListenerArn=listener, SslPolicy="nonsense")
    newer = "ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04"
    changed = account.clients.elbv2.modify_listener(ListenerArn=listener, SslPolicy=newer)["Listeners"][0]
    assert changed["SslPolicy"] == newer


def test_a_protected_balancer_is_not_deleted(account: Account) -> None:
    balancer, elbv2 = account.balancer()["LoadBalancerArn"], account.clients.elbv2

    def protect(value: str) -> None:
        attributes: Any = [{"Key": "deletion_protection.enabled", "Value": value}]
        elbv2.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=attributes)

    protect("true")
    with pytest.raises(elbv2.exceptions.OperationNotPermittedException):
        elbv2.delete_load_balancer(LoadBalancerArn=balancer)
    protect("false")
    elbv2.delete_load_balancer(LoadBalancerArn=balancer)


def test_rules_may_trade_places(account: Account) -> None:
    listener, elbv2 = account.listener(account.balancer()["LoadBalancerArn"]), account.clients.elbv2
    arns = [
        elbv2.create_rule(ListenerArn=listener, Conditions=path("/x"), Priority=n, Actions=NOT_FOUND)[
            "Rules"
        ][0]["RuleArn"]
        for n in (1, 2)
    ]
    swapped: Any = [{"RuleArn": arn, "Priority": n} for arn, n in zip(arns, (2, 1), strict=True)]
    elbv2.set_rule_priorities(RulePriorities=swapped)
    rules = elbv2.describe_rules(RuleArns=arns)["Rules"]
    assert {rule["RuleArn"]: rule["Priority"] for rule in rules} == {arns[0]: "2", arns[1]: "1"}


def test_the_health_of_targets_is_what_the_checks_say(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, elbv2 = account.group("GRPC"), account.clients.elbv2
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.1", "Port": 81}, {"Id": "10.0.0.2"}])
    known: Any = [
        {
            "Target": {"Id": "10.0.0.1", "Port": 81},
            "HealthCheckPort": "81",
            "TargetHealth": {
                "State": "unhealthy",
                "Reason": "Target.ResponseCodeMismatch",
                "Description": "Health checks failed with these codes: [0] & <more>",
            },
        }
    ]
    monkeypatch.setattr(account.endpoint, "target_health", {group: known}.__getitem__)
    found = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert found[0] == known[0]
    assert found[1]["TargetHealth"]["State"] == "initial"


def test_a_group_that_is_not_there_has_no_health(account: Account) -> None:
    with pytest.raises(account.clients.elbv2.exceptions.TargetGroupNotFoundException):
        account.clients.elbv2.describe_target_health(
            TargetGroupArn="arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/x/1"
        )


def test_each_mutating_call_is_in_the_journal_and_reads_are_not(account: Account) -> None:
    before = account.changes.revision("elbv2")
    made = account.balancer()
    account.clients.elbv2.describe_load_balancers()
    assert account.changes.revision("elbv2") == before + 1
    last = [one for one in account.events(journal.ApiCall) if one.service == "elbv2"][-1]
    assert (last.operation, last.summary) == ("CreateLoadBalancer", made["LoadBalancerName"])
