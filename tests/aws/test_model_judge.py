"""Every action that is served is asked once, and botocore's models judge it; the others are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.session import Session

from testbed.aws import service_models
from tests.aws.conftest import Account
from tests.aws.model_judge import missing

NOTHING: Any = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
NOT_SERVED = {
    # What a trust store holds, and who shares it: nothing here verifies clients.
    "AddTrustStoreRevocations",
    "DeleteSharedTrustStoreAssociation",
    "DescribeTrustStoreAssociations",
    "DescribeTrustStoreRevocations",
    "GetResourcePolicy",
    "GetTrustStoreCaCertificatesBundle",
    "GetTrustStoreRevocationContent",
    "ModifyTrustStore",
    "RemoveTrustStoreRevocations",
}


class Things:
    """What the calls are about, made when one first needs it."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def __getattr__(self, name: str) -> Any:
        makers: dict[str, Callable[[], Any]] = {
            "balancer": lambda: self.account.balancer()["LoadBalancerArn"],
            "listener": lambda: self.account.listener(self.balancer, "HTTP", 80),
            "secured": lambda: self.account.listener(self.balancer, "HTTPS", 443),
            "group": self.account.group,
            "rule": lambda: self._rule(),
            "certificate": lambda: self.account.certificate("judged.example.com"),
            "zone": self.account.zone,
            "store": lambda: self._store(),
        }
        made = makers[name]()
        setattr(self, name, made)
        return made

    def _rule(self) -> str:
        condition: Any = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a"]}}
        made = self.account.clients.elbv2.create_rule(
            ListenerArn=self.listener, Priority=1, Conditions=[condition], Actions=NOTHING
        )
        return str(made["Rules"][0]["RuleArn"])

    def _store(self) -> str:
        made = self.account.clients.elbv2.create_trust_store(
            Name="judged", CaCertificatesBundleS3Bucket="b", CaCertificatesBundleS3Key="k"
        )
        return str(made["TrustStores"][0]["TrustStoreArn"])


@pytest.fixture
def things(account: Account) -> Things:
    return Things(account)


TARGETS = [{"Id": "10.0.0.1", "Port": 80}]
RECORD = {"TTL": 60, "Type": "A", "ResourceRecords": [{"Value": "192.0.2.1"}]}
ELBV2: dict[str, Callable[[Things], dict[str, Any]]] = {
    "AddListenerCertificates": lambda t: {
        "ListenerArn": t.secured,
        "Certificates": [{"CertificateArn": t.certificate}],
    },
    "AddTags": lambda t: {"ResourceArns": [t.balancer], "Tags": [{"Key": "a", "Value": "b"}]},
    "CreateListener": lambda t: {
        "LoadBalancerArn": t.balancer,
        "Protocol": "HTTP",
        "Port": 81,
        "DefaultActions": NOTHING,
    },
    "CreateLoadBalancer": lambda t: {"Name": "judged", "Subnets": t.account.subnets},
    "CreateRule": lambda t: {
        "ListenerArn": t.listener,
        "Priority": 7,
        "Actions": NOTHING,
        "Conditions": [{"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example.com"]}}],
    },
    "CreateTargetGroup": lambda t: {"Name": "judged", "Protocol": "HTTP", "Port": 80, "VpcId": t.account.vpc},
    "CreateTrustStore": lambda t: {
        "Name": "judged-too",
        "CaCertificatesBundleS3Bucket": "b",
        "CaCertificatesBundleS3Key": "k",
    },
    "DeleteListener": lambda t: {"ListenerArn": t.listener},
    "DeleteLoadBalancer": lambda t: {"LoadBalancerArn": t.balancer},
    "DeleteRule": lambda t: {"RuleArn": t.rule},
    "DeleteTargetGroup": lambda t: {"TargetGroupArn": t.group},
    "DeleteTrustStore": lambda t: {"TrustStoreArn": t.store},
    "DeregisterTargets": lambda t: {"TargetGroupArn": t.group, "Targets": TARGETS},
    "DescribeAccountLimits": lambda t: {},
    "DescribeCapacityReservation": lambda t: {"LoadBalancerArn": t.balancer},
    "DescribeListenerAttributes": lambda t: {"ListenerArn": t.listener},
    "DescribeListenerCertificates": lambda t: {"ListenerArn": t.secured},
    "DescribeListeners": lambda t: {"ListenerArns": [t.secured]},
    "DescribeLoadBalancerAttributes": lambda t: {"LoadBalancerArn": t.balancer},
    "DescribeLoadBalancers": lambda t: {"LoadBalancerArns": [t.balancer]},
    "DescribeRules": lambda t: {"RuleArns": [t.rule]},
    "DescribeSSLPolicies": lambda t: {},
    "DescribeTags": lambda t: {"ResourceArns": [t.balancer]},
    "DescribeTargetGroupAttributes": lambda t: {"TargetGroupArn": t.group},
    "DescribeTargetGroups": lambda t: {"TargetGroupArns": [t.group]},
    "DescribeTargetHealth": lambda t: {"TargetGroupArn": t.group, "Targets": TARGETS},
    "DescribeTrustStores": lambda t: {"TrustStoreArns": [t.store]},
    "ModifyCapacityReservation": lambda t: {"LoadBalancerArn": t.balancer, "ResetCapacityReservation": True},
    "ModifyIpPools": lambda t: {"LoadBalancerArn": t.balancer, "RemoveIpamPools": ["ipv4"]},
    "ModifyListener": lambda t: {"ListenerArn": t.listener, "Port": 82},
    "ModifyListenerAttributes": lambda t: {
        "ListenerArn": t.listener,
        "Attributes": [{"Key": "tcp.idle_timeout.seconds", "Value": "60"}],
    },
    "ModifyLoadBalancerAttributes": lambda t: {
        "LoadBalancerArn": t.balancer,
        "Attributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "61"}],
    },
    "ModifyRule": lambda t: {"RuleArn": t.rule, "Actions": NOTHING},
    "ModifyTargetGroup": lambda t: {"TargetGroupArn": t.group, "HealthCheckPath": "/b"},
    "ModifyTargetGroupAttributes": lambda t: {
        "TargetGroupArn": t.group,
        "Attributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "3600"}],
    },
    "RegisterTargets": lambda t: {"TargetGroupArn": t.account.group(), "Targets": TARGETS},
    "RemoveListenerCertificates": lambda t: {
        "ListenerArn": t.secured,
        "Certificates": [{"CertificateArn": t.certificate}],
    },
    "RemoveTags": lambda t: {"ResourceArns": [t.balancer], "TagKeys": ["a"]},
    "SetIpAddressType": lambda t: {"LoadBalancerArn": t.balancer, "IpAddressType": "ipv4"},
    "SetRulePriorities": lambda t: {"RulePriorities": [{"RuleArn": t.rule, "Priority": 9}]},
    "SetSecurityGroups": lambda t: {
        "LoadBalancerArn": t.balancer,
        "SecurityGroups": [t.account.clients.ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]],
    },
    "SetSubnets": lambda t: {"LoadBalancerArn": t.balancer, "Subnets": t.account.subnets},
}
ROUTE53: dict[str, Callable[[Things], dict[str, Any]]] = {
    "ChangeResourceRecordSets": lambda t: {
        "HostedZoneId": t.zone,
        "ChangeBatch": {
            "Changes": [
                {
                    "Action": "CREATE",
                    "ResourceRecordSet": {**RECORD, "Name": f"a.{t.account.zone_name(t.zone)}"},
                }
            ]
        },
    },
    "ChangeTagsForResource": lambda t: {
        "ResourceType": "hostedzone",
        "ResourceId": t.zone,
        "AddTags": [{"Key": "a", "Value": "b"}],
    },
    "CreateHostedZone": lambda t: {"Name": "judged.test", "CallerReference": "judged"},
    "CreateResourceRecordSetProtections": lambda t: {
        "HostedZoneId": t.zone,
        "Protections": [{"RecordName": "a", "RecordType": "A"}],
    },
    "DeleteHostedZone": lambda t: {"Id": t.account.zone()},
    "GetChange": lambda t: {
        "Id": t.account.clients.route53.create_hosted_zone(Name="x.test", CallerReference="x")["ChangeInfo"][
            "Id"
        ]
    },
    "GetHostedZone": lambda t: {"Id": t.zone},
    "GetHostedZoneCount": lambda t: {},
    "ListHostedZones": lambda t: {},
    "ListHostedZonesByName": lambda t: {"DNSName": t.account.zone_name(t.zone)},
    "ListResourceRecordSetProtections": lambda t: {"HostedZoneId": t.zone},
    "ListResourceRecordSets": lambda t: {"HostedZoneId": t.zone, "MaxItems": "1"},
    "ListTagsForResource": lambda t: {"ResourceType": "hostedzone", "ResourceId": t.zone},
    "ListTagsForResources": lambda t: {"ResourceType": "hostedzone", "ResourceIds": [t.zone]},
    "UpdateHostedZoneComment": lambda t: {"Id": t.zone, "Comment": "a"},
}
ACM: dict[str, Callable[[Things], dict[str, Any]]] = {
    "AddTagsToCertificate": lambda t: {"CertificateArn": t.certificate, "Tags": [{"Key": "a", "Value": "b"}]},
    "DeleteCertificate": lambda t: {"CertificateArn": t.account.certificate("deleted.example.com")},
    "DescribeCertificate": lambda t: {"CertificateArn": t.certificate},
    "GetCertificate": lambda t: {"CertificateArn": t.certificate},
    "ListCertificates": lambda t: {},
    "ListTagsForCertificate": lambda t: {"CertificateArn": t.certificate},
    "RequestCertificate": lambda t: {"DomainName": "asked.example.com", "ValidationMethod": "DNS"},
}
EC2: dict[str, Callable[[Things], dict[str, Any]]] = {
    "DescribeAvailabilityZones": lambda t: {},
    "DescribeInstances": lambda t: {},
    "DescribeNetworkInterfaces": lambda t: {},
    "DescribeSecurityGroups": lambda t: {},
    "DescribeSubnets": lambda t: {"SubnetIds": t.account.subnets},
    "DescribeVpcs": lambda t: {"VpcIds": [t.account.vpc]},
    "GetSecurityGroupsForVpc": lambda t: {"VpcId": t.account.vpc},
}
CALLS = {"elbv2": ELBV2, "route53": ROUTE53, "acm": ACM, "ec2": EC2}


@pytest.mark.parametrize(
    ("service", "operation"),
    [(service, operation) for service, calls in CALLS.items() for operation in calls],
)
def test_an_answer_has_all_that_its_model_requires(things: Things, service: str, operation: str) -> None:
    # The clients of the account ask the judge about each of their answers: see conftest.
    client = getattr(things.account.clients, service)
    getattr(client, xform_name(operation))(**CALLS[service][operation](things))


def test_every_action_of_elbv2_is_judged_or_is_known_not_to_be_served() -> None:
    model = service_models.loader().load_service_model("elbv2", "service-2")
    assert set(model["operations"]) == set(ELBV2) | NOT_SERVED


@pytest.mark.parametrize("operation", sorted(NOT_SERVED))
def test_an_action_that_is_not_served_is_refused_as_aws_refuses(account: Account, operation: str) -> None:
    arn = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:truststore/a/1"
    given = {
        "TrustStoreArn": arn,
        "ResourceArn": arn,
        "RevocationId": 1,
        "RevocationIds": [1],
        "CaCertificatesBundleS3Bucket": "b",
        "CaCertificatesBundleS3Key": "k",
    }
    taken = account.clients.elbv2.meta.service_model.operation_model(operation).input_shape.members
    call = getattr(account.clients.elbv2, xform_name(operation))
    asked = {key: value for key, value in given.items() if key in taken}
    with pytest.raises(ClientError) as refused:
        call(**asked)
    assert refused.value.response["Error"]["Code"] == "InternalFailure"
    assert operation in refused.value.response["Error"]["Message"]


def test_the_judge_finds_what_is_missing_at_any_depth() -> None:
    model = Session().get_service_model("route53").operation_model("ListResourceRecordSets")
    assert model.output_shape is not None
    answer = {"ResourceRecordSets": [{"Name": "a."}], "IsTruncated": False}
    assert list(missing(model.output_shape, answer, "")) == [".MaxItems", ".ResourceRecordSets.Type"]
