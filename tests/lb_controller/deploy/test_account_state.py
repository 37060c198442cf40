from __future__ import annotations

from typing import Any

import trustme

from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.deploy.account_state import CLUSTER_TAG, Account
from tests.lb_controller.deploy.deployed_stacks import deployer, stack
from tests.lb_controller.examples import service


def test_the_state_holds_the_clusters_own_load_balancers_only(aws: Any) -> None:
    deployer(aws).deploy(stack(aws))
    account = Account(aws.elbv2, None, "testbed", aws.subnets)
    stranger = Account(aws.elbv2, None, "another", aws.subnets)

    state = account.state([service()])

    [existing] = state.existing
    assert (existing.scheme, existing.type) == ("internet-facing", "application")
    assert existing.tags[CLUSTER_TAG] == "testbed"
    assert set(existing.subnet_ids) == {one.id for one in aws.subnets}
    assert stranger.state([]).existing == ()
    assert state.services.keys() == {("default", "web")}
    assert state.target_groups.keys() == {"k8s-a-http1", "k8s-b-grpc"}


def test_a_certificate_is_described_once(aws: Any) -> None:
    issued = trustme.CA().issue_cert("shop.example.com")
    arn = aws.acm.import_certificate(
        Certificate=issued.cert_chain_pems[0].bytes(), PrivateKey=issued.private_key_pem.bytes()
    )["CertificateArn"]
    account = Account(aws.elbv2, aws.acm, ControllerOptions().cluster_name, aws.subnets)
    described = []
    aws.acm.meta.events.register(
        "before-call.acm.DescribeCertificate", lambda **_: described.append("DescribeCertificate")
    )

    first, second = account.state([]).certificates, account.state([]).certificates

    assert first == second
    assert {one.arn: one.names for one in first}[arn] == ("shop.example.com",)
    assert len(described) == len(first)
