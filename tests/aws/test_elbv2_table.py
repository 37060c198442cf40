"""ELBv2 and ACM, row by row of what AWS documents and its stand-ins answer otherwise."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from testbed.aws import capacity_reservations
from testbed.aws.balancer_names import CANONICAL_ZONES
from testbed.settings import REGION, Production
from tests.aws.conftest import Account
from tests.aws.stand_in_table import Refused, Row, check, unchecked

_numbers = itertools.count(1)
VALIDATION = Refused("ValidationError")
NO_ACTION = Refused("InvalidLoadBalancerAction")
NOTHING: Any = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}


@dataclass
class Asking:
    """Who asks, and what there is: made when a row first wants it."""

    account: Account
    elbv2: Any
    acm: Any
    made: dict[str, Any] = field(default_factory=dict)

    def name(self) -> str:
        return f"t{next(_numbers)}"

    def balancer(self, kind: str = "application", **more: Any) -> str:
        given = {"Name": self.name(), "Type": kind, "Subnets": self.account.subnets, **more}
        return str(self.elbv2.create_load_balancer(**given)["LoadBalancers"][0]["LoadBalancerArn"])

    def group(self, protocol: str | None = "HTTP", **more: Any) -> str:
        given = {"Name": self.name(), "Protocol": protocol, "Port": 80, "VpcId": self.account.vpc, **more}
        given = {key: value for key, value in given.items() if value is not None}
        return str(self.elbv2.create_target_group(**given)["TargetGroups"][0]["TargetGroupArn"])

    def listener(
        self, balancer: str, protocol: str = "HTTP", port: int = 80, *actions: Any, **more: Any
    ) -> str:
        given = {"Protocol": protocol, "Port": port, "DefaultActions": list(actions) or [NOTHING], **more}
        made = self.elbv2.create_listener(LoadBalancerArn=balancer, **given)
        return str(made["Listeners"][0]["ListenerArn"])

    def rule(self, *conditions: Any, actions: Any = None, priority: int = 1, **more: Any) -> Any:
        """A rule on the listener of this row; its condition is a path unless others are given."""
        given = list(conditions) or [path("/a")]
        made = self.elbv2.create_rule(
            ListenerArn=self.web(), Priority=priority, Conditions=given, Actions=actions or [NOTHING], **more
        )
        return made["Rules"][0]

    def web(self) -> str:
        """The HTTP listener of this row."""
        if "web" not in self.made:
            self.made["web"] = self.listener(self.balancer())
        return str(self.made["web"])

    def tcp(self) -> str:
        """The TCP listener of this row."""
        if "tcp" not in self.made:
            group = self.group("TCP")
            self.made["tcp"] = self.listener(self.balancer("network"), "TCP", 80, to(group))
        return str(self.made["tcp"])

    def states(self, group: str, **more: Any) -> list[tuple[str, str]]:
        answer = self.elbv2.describe_target_health(TargetGroupArn=group, **more)
        healths = [one["TargetHealth"] for one in answer["TargetHealthDescriptions"]]
        return [(health["State"], health.get("Reason", "")) for health in healths]


@pytest.fixture
def asking(account: Account, monkeypatch: pytest.MonkeyPatch) -> Asking:
    # Pending for longer than a row takes, however busy the machine is.
    monkeypatch.setattr(capacity_reservations, "PRODUCTION", Production(capacity_provisioning=1e9))
    return Asking(account, unchecked(account.url, "elbv2"), unchecked(account.url, "acm"))


def path(*values: str) -> Any:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


def to(group: str) -> Any:
    return {"Type": "forward", "TargetGroupArn": group}


def weighted(*weights: tuple[str, int]) -> Any:
    groups = [{"TargetGroupArn": group, "Weight": weight} for group, weight in weights]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


def redirect(**config: str) -> Any:
    return {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", **config}}


def nlb(asking: Asking) -> Any:
    arn = asking.balancer("network")
    made = asking.elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]
    suffix = f".elb.{REGION}.amazonaws.com"
    return (
        ":loadbalancer/net/" in arn,
        made["DNSName"].endswith(suffix),
        made["CanonicalHostedZoneId"] == CANONICAL_ZONES[REGION][1],
    )


def twice(asking: Asking, make: str, **changes: Any) -> Any:
    """Ask for one name twice; the second time with these changes."""
    name = asking.name()
    if make == "balancer":
        return asking.balancer(Name=name) == asking.balancer(**{"Name": name, **changes})
    return asking.group(Name=name) == asking.group(**{"Name": name, **changes})


def read_back(asking: Asking) -> Any:
    groups = [asking.group(), asking.group()]
    given = weighted((groups[0], 1), (groups[1], 9))
    arn = asking.rule(actions=[given])["RuleArn"]
    found = asking.elbv2.describe_rules(RuleArns=[arn])["Rules"][0]["Actions"][0]
    return found["ForwardConfig"]["TargetGroups"] == given["ForwardConfig"]["TargetGroups"]


def transforms(asking: Asking) -> Any:
    rewrites = [{"Regex": "^/a", "Replace": "/b"}]
    given = [{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": rewrites}}]
    arn = asking.rule(Transforms=given)["RuleArn"]
    first = asking.elbv2.describe_rules(RuleArns=[arn])["Rules"][0]["Transforms"]
    asking.elbv2.modify_rule(RuleArn=arn, ResetTransforms=True)
    return first == given, asking.elbv2.describe_rules(RuleArns=[arn])["Rules"][0].get("Transforms", [])


def regexes(asking: Asking) -> Any:
    config = {"RegexValues": ["^/v[0-9]+/"]}
    condition = {"Field": "path-pattern", "PathPatternConfig": config}
    return asking.rule(condition)["Conditions"][0]["PathPatternConfig"]["RegexValues"]


def swapped(asking: Asking) -> Any:
    arns = [asking.rule(priority=number)["RuleArn"] for number in (1, 2)]
    order = [{"RuleArn": arn, "Priority": number} for arn, number in zip(arns, (2, 1), strict=True)]
    asking.elbv2.set_rule_priorities(RulePriorities=order)
    rules = {
        rule["RuleArn"]: rule["Priority"] for rule in asking.elbv2.describe_rules(RuleArns=arns)["Rules"]
    }
    return [rules[arn] for arn in arns]


def default_rule(asking: Asking) -> str:
    rules = asking.elbv2.describe_rules(ListenerArn=asking.web())["Rules"]
    return next(rule["RuleArn"] for rule in rules if rule["IsDefault"])


def checks(asking: Asking, protocol: str, **more: Any) -> Any:
    arn = asking.group(protocol, **more)
    found = asking.elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
    return found.get("HealthCheckPath"), found.get("Matcher"), found["HealthCheckTimeoutSeconds"]


def on_two_balancers(asking: Asking) -> Any:
    group = asking.group()
    asking.listener(asking.balancer(), "HTTP", 80, to(group))
    return asking.listener(asking.balancer(), "HTTP", 80, to(group))


def two_on_a_port(asking: Asking) -> Any:
    balancer = asking.balancer()
    asking.listener(balancer)
    return asking.listener(balancer)


def modified(asking: Asking, listener: str, **changes: Any) -> Any:
    found = asking.elbv2.modify_listener(ListenerArn=listener, **changes)["Listeners"][0]
    return found["Protocol"], "SslPolicy" in found, len(found.get("Certificates", []))


def there_and_back(asking: Asking, listener: str, secure: str, plain: str) -> Any:
    certificate = [{"CertificateArn": asking.account.certificate("back.example.com")}]
    there = modified(asking, listener, Protocol=secure, Certificates=certificate)
    return there, modified(asking, listener, Protocol=plain)


def plain_listeners(asking: Asking) -> Any:
    found = [
        asking.elbv2.describe_listeners(ListenerArns=[arn])["Listeners"][0]
        for arn in (asking.web(), asking.tcp())
    ]
    return [("SslPolicy" in one, one["ListenerArn"].split(":listener/")[1][:4]) for one in found]


def drained(asking: Asking) -> Any:
    group = asking.group(TargetType="ip")
    target = [{"Id": "10.0.0.1", "Port": 80}]
    asking.elbv2.register_targets(TargetGroupArn=group, Targets=target)
    healthy = {"Target": target[0], "HealthCheckPort": "80", "TargetHealth": {"State": "healthy"}}
    health = asking.account.endpoint.target_health
    asking.account.endpoint.target_health = lambda arn: [healthy] if arn == group else []
    try:
        asking.elbv2.deregister_targets(TargetGroupArn=group, Targets=target)
        return asking.states(group)
    finally:
        asking.account.endpoint.target_health = health


def registered(asking: Asking, identity: str, target_type: str = "ip") -> Any:
    group = asking.group(TargetType=target_type)
    asking.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": identity, "Port": 80}])
    return asking.states(group)


def deleted_in_use(asking: Asking) -> Any:
    group = asking.group()
    asking.listener(asking.balancer(), "HTTP", 80, to(group))
    return asking.elbv2.delete_target_group(TargetGroupArn=group)


def protected(asking: Asking) -> Any:
    arn = asking.balancer()
    asking.elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}]
    )
    return asking.elbv2.delete_load_balancer(LoadBalancerArn=arn)


def capacity(asking: Asking) -> Any:
    arn = asking.balancer()
    before = asking.elbv2.describe_capacity_reservation(LoadBalancerArn=arn)
    asked = {"CapacityUnits": 100}
    asking.elbv2.modify_capacity_reservation(LoadBalancerArn=arn, MinimumLoadBalancerCapacity=asked)
    with pytest.raises(ClientError, match="CapacityReservationPending"):
        asking.elbv2.modify_capacity_reservation(LoadBalancerArn=arn, MinimumLoadBalancerCapacity=asked)
    after = asking.elbv2.describe_capacity_reservation(LoadBalancerArn=arn)
    states = [one["CapacityReservationState"][0]["State"]["Code"] for one in (before, after)]
    return states, after["MinimumLoadBalancerCapacity"], after["DecreaseRequestsRemaining"]


def requested(asking: Asking, **more: Any) -> str:
    given = {"DomainName": "row.example.com", "ValidationMethod": "DNS", **more}
    return str(asking.acm.request_certificate(**given)["CertificateArn"])


def status_of(asking: Asking, arn: str) -> Any:
    return asking.acm.describe_certificate(CertificateArn=arn)["Certificate"]


def records(asking: Asking) -> Any:
    arn = requested(asking, SubjectAlternativeNames=["x.example.com", "*.x.example.com"])
    options = status_of(asking, arn)["DomainValidationOptions"]
    found = [(one["ResourceRecord"]["Name"], one["ResourceRecord"]["Value"]) for one in options]
    return len(set(found)), all(name.endswith(".example.com.") for name, _ in found)


def over_tls(asking: Asking, **more: Any) -> Any:
    certificate = [{"CertificateArn": requested(asking)}]
    return asking.listener(asking.balancer(), "HTTPS", 443, Certificates=certificate, **more)


def deleted_certificate(asking: Asking) -> Any:
    arn = asking.account.certificate("inuse.example.com")
    asking.listener(asking.balancer(), "HTTPS", 443, Certificates=[{"CertificateArn": arn}])
    return asking.acm.delete_certificate(CertificateArn=arn)


ROWS = [
    Row("NLB: ARN, name, zone id", nlb, (True, True, True)),
    Row("one name, same settings: one balancer", lambda a: twice(a, "balancer"), True),
    Row("one name, defaults written out", lambda a: twice(a, "balancer", Scheme="internet-facing"), True),
    Row(
        "one name, another scheme",
        lambda a: twice(a, "balancer", Scheme="internal"),
        Refused("DuplicateLoadBalancerName", "but with different settings"),
    ),
    Row("one name, same settings: one target group", lambda a: twice(a, "group"), True),
    Row(
        "one name, another port of a target group",
        lambda a: twice(a, "group", Port=81),
        Refused("DuplicateTargetGroupName", "but with different settings"),
    ),
    Row("a name of 33", lambda a: a.balancer(Name="a" * 33), VALIDATION),
    Row("a name internal-x", lambda a: a.balancer(Name="internal-x"), VALIDATION),
    Row("a name a_b", lambda a: a.balancer(Name="a_b"), VALIDATION),
    Row("a target group's name of 33", lambda a: a.group(Name="a" * 33), VALIDATION),
    Row("an ALB with one subnet", lambda a: a.balancer(Subnets=a.account.subnets[:1]), VALIDATION),
    Row("an NLB with one subnet", lambda a: bool(a.balancer("network", Subnets=a.account.subnets[:1])), True),
    Row(
        "a new balancer provisions",
        lambda a: a.elbv2.create_load_balancer(Name=a.name(), Subnets=a.account.subnets)["LoadBalancers"][0][
            "State"
        ]["Code"],
        "provisioning",
    ),
    Row("D8 the same priority", lambda a: (a.rule(), a.rule()), Refused("PriorityInUse")),
    Row("D8 priority 0", lambda a: a.rule(priority=0), VALIDATION),
    Row("D8 priority 50001", lambda a: a.rule(priority=50001), VALIDATION),
    Row("D8 six values in a rule", lambda a: a.rule(path(*"abcdef")), VALIDATION),
    Row("D8 six wildcards in a rule", lambda a: a.rule(path("/*/*/*/*/*/*")), VALIDATION),
    Row("D8 a path of 129", lambda a: a.rule(path("/" + "a" * 128)), VALIDATION),
    Row(
        "no condition",
        lambda a: a.elbv2.create_rule(ListenerArn=a.web(), Priority=1, Conditions=[], Actions=[NOTHING]),
        VALIDATION,
    ),
    Row("two path-patterns", lambda a: a.rule(path("/a"), path("/b")), VALIDATION),
    Row(
        "source-ip 10.0.0.1",
        lambda a: a.rule({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.1"]}}),
        VALIDATION,
    ),
    Row(
        "source-ip 10.0.0.1/32",
        lambda a: a.rule({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.1/32"]}})["Priority"],
        "1",
    ),
    Row("two forwards", lambda a: a.rule(actions=[to(a.group()), to(a.group())]), NO_ACTION),
    Row("weight 1000", lambda a: a.rule(actions=[weighted((a.group(), 1000))]), VALIDATION),
    Row("six groups", lambda a: a.rule(actions=[weighted(*((a.group(), 1) for _ in range(6)))]), NO_ACTION),
    Row(
        "a redirect to itself",
        lambda a: a.rule(actions=[redirect()]),
        Refused("InvalidLoadBalancerAction", "creates a loop"),
    ),
    Row("HTTP_307", lambda a: a.rule(actions=[redirect(StatusCode="HTTP_307", Port="443")]), VALIDATION),
    Row(
        "a body of 1025",
        lambda a: a.rule(
            actions=[
                {
                    "Type": "fixed-response",
                    "FixedResponseConfig": {"StatusCode": "404", "MessageBody": "x" * 1025},
                }
            ]
        ),
        VALIDATION,
    ),
    Row(
        "a TCP group in a rule",
        lambda a: a.rule(actions=[to(a.group("TCP"))]),
        Refused("IncompatibleProtocols"),
    ),
    Row("path regex", regexes, ["^/v[0-9]+/"]),
    Row("a weighted forward read back", read_back, True),
    Row("transforms", transforms, (True, [])),
    Row("SetRulePriorities, swap", swapped, ["2", "1"]),
    Row(
        "DeleteRule of the default rule",
        lambda a: a.elbv2.delete_rule(RuleArn=default_rule(a)),
        Refused("OperationNotPermitted"),
    ),
    Row(
        "DeleteRule of no rule",
        lambda a: a.elbv2.delete_rule(RuleArn=default_rule(a)[:-1] + "x"),
        Refused("RuleNotFound"),
    ),
    Row(
        "D9 GRPC defaults",
        lambda a: checks(a, "HTTP", ProtocolVersion="GRPC"),
        ("/AWS.ALB/healthcheck", {"GrpcCode": "12"}, 5),
    ),
    Row(
        "D9 GRPC with HttpCode",
        lambda a: a.group(ProtocolVersion="GRPC", Matcher={"HttpCode": "200"}),
        VALIDATION,
    ),
    Row("D9 HTTP1 with GrpcCode", lambda a: a.group(Matcher={"GrpcCode": "0"}), VALIDATION),
    Row("D9 TCP with ProtocolVersion", lambda a: a.group("TCP", ProtocolVersion="HTTP1"), VALIDATION),
    Row("D9 HTTP3", lambda a: a.group(ProtocolVersion="HTTP3"), VALIDATION),
    Row("D9 port 65536", lambda a: a.group(Port=65536), VALIDATION),
    Row("D9 TCP defaults", lambda a: checks(a, "TCP"), (None, None, 10)),
    Row(
        "D9 lambda is a valid target type",
        lambda a: bool(a.group(None, Port=None, VpcId=None, TargetType="lambda")),
        True,
    ),
    Row(
        "an HTTP listener to a GRPC group",
        lambda a: a.rule(actions=[to(a.group(ProtocolVersion="GRPC"))]),
        NO_ACTION,
    ),
    Row("HTTPS without a certificate", lambda a: a.listener(a.balancer(), "HTTPS", 443), VALIDATION),
    Row("two listeners on one port", two_on_a_port, Refused("DuplicateListener")),
    Row(
        "a TCP listener to an HTTP group",
        lambda a: a.listener(a.balancer("network"), "TCP", 80, to(a.group())),
        Refused("IncompatibleProtocols"),
    ),
    Row("fixed-response on an NLB", lambda a: a.listener(a.balancer("network"), "TCP"), NO_ACTION),
    Row("a target group on two balancers", on_two_balancers, Refused("TargetGroupAssociationLimit")),
    Row(
        "ModifyListener: HTTP to a TCP group",
        lambda a: modified(a, a.web(), DefaultActions=[to(a.group("TCP"))]),
        Refused("IncompatibleProtocols"),
    ),
    Row(
        "ModifyListener: TCP to an HTTP group",
        lambda a: modified(a, a.tcp(), DefaultActions=[to(a.group())]),
        Refused("IncompatibleProtocols"),
    ),
    Row("ModifyListener: HTTP becomes TCP", lambda a: modified(a, a.web(), Protocol="TCP"), VALIDATION),
    Row("ModifyListener: TCP becomes HTTP", lambda a: modified(a, a.tcp(), Protocol="HTTP"), VALIDATION),
    Row(
        "ModifyListener: HTTP to HTTPS and back",
        lambda a: there_and_back(a, a.web(), "HTTPS", "HTTP"),
        (("HTTPS", True, 1), ("HTTP", False, 0)),
    ),
    Row(
        "ModifyListener: TCP to TLS and back",
        lambda a: there_and_back(a, a.tcp(), "TLS", "TCP"),
        (("TLS", True, 1), ("TCP", False, 0)),
    ),
    Row(
        "ModifyListener: TLS without a certificate",
        lambda a: modified(a, a.tcp(), Protocol="TLS"),
        VALIDATION,
    ),
    Row(
        "plain listeners have no policy; an NLB's ARN says net",
        plain_listeners,
        [(False, "app/"), (False, "net/")],
    ),
    Row(
        "D10 an unregistered target",
        lambda a: a.states(a.group(TargetType="ip"), Targets=[{"Id": "10.9.9.9", "Port": 80}]),
        [("unused", "Target.NotRegistered")],
    ),
    Row("D10 after RegisterTargets", lambda a: registered(a, "10.0.0.1")[0][0], "initial"),
    Row("D10 after DeregisterTargets", drained, [("draining", "Target.DeregistrationInProgress")]),
    Row(
        "deregister what is not there",
        lambda a: a.elbv2.deregister_targets(
            TargetGroupArn=a.group(TargetType="ip"), Targets=[{"Id": "10.0.0.1"}]
        )["ResponseMetadata"]["HTTPStatusCode"],
        200,
    ),
    Row("a public address in an ip group", lambda a: registered(a, "8.8.8.8"), VALIDATION),
    Row("an instance in an ip group", lambda a: registered(a, "i-0123456789abcdef0"), VALIDATION),
    Row("an address in an instance group", lambda a: registered(a, "10.0.0.1", "instance"), VALIDATION),
    Row("D11 delete a target group in use", deleted_in_use, Refused("ResourceInUse")),
    Row("D11 delete under deletion protection", protected, Refused("OperationNotPermitted")),
    Row("ModifyCapacityReservation", capacity, (["provisioned", "pending"], {"CapacityUnits": 100}, 2)),
    Row(
        "DescribeCapacityReservation of no balancer",
        lambda a: a.elbv2.describe_capacity_reservation(LoadBalancerArn=a.balancer()[:-1] + "x"),
        Refused("LoadBalancerNotFound"),
    ),
    Row(
        "DescribeTrustStores of no store",
        lambda a: a.elbv2.describe_trust_stores(Names=["nobody"]),
        Refused("TrustStoreNotFound"),
    ),
    Row("DescribeTrustStores", lambda a: a.elbv2.describe_trust_stores()["TrustStores"], []),
    Row(
        "ModifyIpPools",
        lambda a: a.elbv2.modify_ip_pools(
            LoadBalancerArn=a.balancer(), IpamPools={"Ipv4IpamPoolId": "ipam-pool-0123456789abcdef0"}
        )["IpamPools"],
        {"Ipv4IpamPoolId": "ipam-pool-0123456789abcdef0"},
    ),
    Row(
        "an action that is not served",
        lambda a: a.elbv2.get_resource_policy(ResourceArn="arn"),
        Refused("InternalFailure", "GetResourcePolicy is not modelled", 500),
    ),
    Row("D12 no validation record", lambda a: status_of(a, requested(a))["Status"], "PENDING_VALIDATION"),
    Row("D12 a record for each domain, one for it and its wildcard", records, (2, True)),
    Row("a listener with a pending certificate", over_tls, Refused("UnsupportedCertificate")),
    Row(
        "a listener with a certificate that is not there",
        lambda a: a.listener(
            a.balancer(),
            "HTTPS",
            443,
            Certificates=[{"CertificateArn": f"arn:aws:acm:{REGION}:123456789012:certificate/x"}],
        ),
        Refused("CertificateNotFound"),
    ),
    Row("a certificate in use, delete", deleted_certificate, Refused("ResourceInUseException")),
    Row(
        "GetCertificate while pending",
        lambda a: a.acm.get_certificate(CertificateArn=requested(a)),
        Refused("RequestInProgressException"),
    ),
    Row(
        "the same IdempotencyToken",
        lambda a: requested(a, IdempotencyToken="t") == requested(a, IdempotencyToken="t"),
        True,
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_elbv2_and_acm_answer_as_aws_documents(row: Row, asking: Asking) -> None:
    check(row, asking)
