"""What moto is given of ELBv2: as a client sees it behind the endpoint."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import xform_name

from testbed.aws import moto_elbv2_operations, service_models
from tests.aws.conftest import Account


def test_each_function_is_an_operation_that_elbv2_has() -> None:
    model = service_models.loader().load_service_model("elbv2", "service-2")
    functions = {
        name
        for name, one in vars(moto_elbv2_operations).items()
        if getattr(one, "__module__", "") == moto_elbv2_operations.__name__ and not name.startswith("_")
    }
    assert functions - {"add"} <= {xform_name(operation) for operation in model["operations"]}


def test_a_trust_store_is_found_by_name_and_arn_until_it_is_deleted(account: Account) -> None:
    elbv2 = account.clients.elbv2
    bundle = {"CaCertificatesBundleS3Bucket": "b", "CaCertificatesBundleS3Key": "k"}
    (made,) = elbv2.create_trust_store(Name="clients", **bundle)["TrustStores"]
    arn = made["TrustStoreArn"]
    assert elbv2.describe_trust_stores(Names=["clients"])["TrustStores"] == [made]
    assert elbv2.describe_trust_stores(TrustStoreArns=[arn])["TrustStores"] == [made]
    with pytest.raises(elbv2.exceptions.DuplicateTrustStoreNameException):
        elbv2.create_trust_store(Name="clients", **bundle)
    elbv2.delete_trust_store(TrustStoreArn=arn)
    with pytest.raises(elbv2.exceptions.TrustStoreNotFoundException):
        elbv2.delete_trust_store(TrustStoreArn=arn)


def test_the_ip_pools_of_a_balancer_are_described_until_they_are_removed(account: Account) -> None:
    elbv2, arn = account.clients.elbv2, account.balancer()["LoadBalancerArn"]
    pools: Any = {"Ipv4IpamPoolId": "ipam-pool-0123456789abcdef0"}
    elbv2.modify_ip_pools(LoadBalancerArn=arn, IpamPools=pools)
    (found,) = elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    assert found["IpamPools"] == pools
    assert elbv2.modify_ip_pools(LoadBalancerArn=arn, RemoveIpamPools=["ipv4"])["IpamPools"] == {}


def test_a_rule_keeps_its_transforms_while_its_conditions_change(account: Account) -> None:
    elbv2, listener = (
        account.clients.elbv2,
        account.listener(account.balancer()["LoadBalancerArn"], "HTTP", 80),
    )
    nothing: Any = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    given: Any = [
        {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/a", "Replace": "/b"}]}}
    ]
    condition: Any = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a"]}}
    arn = elbv2.create_rule(
        ListenerArn=listener, Priority=1, Conditions=[condition], Actions=nothing, Transforms=given
    )["Rules"][0]["RuleArn"]
    elbv2.modify_rule(RuleArn=arn, Conditions=[{**condition, "PathPatternConfig": {"Values": ["/c"]}}])
    assert elbv2.describe_rules(RuleArns=[arn])["Rules"][0]["Transforms"] == given
