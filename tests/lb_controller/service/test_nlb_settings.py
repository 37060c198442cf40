from __future__ import annotations

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.lb_controller.core.annotations import of_service
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ControllerOptions,
    ExistingLoadBalancer,
)
from testbed.lb_controller.service import nlb_settings
from tests.lb_controller.examples import cluster, service


@pytest.mark.parametrize(
    ("release", "annotations", "scheme"),
    [
        (LB_CONTROLLER_RELEASES.newest, {}, "internal"),
        (LB_CONTROLLER_RELEASES.newest, {"internal": "false"}, "internet-facing"),
        (LB_CONTROLLER_RELEASES.newest, {"scheme": "internal", "internal": "false"}, "internal"),
        (LB_CONTROLLER_RELEASES.oldest, {}, "internet-facing"),
        (LB_CONTROLLER_RELEASES.oldest, {"scheme": "internal"}, "internet-facing"),
        (LB_CONTROLLER_RELEASES.oldest, {"internal": "true"}, "internal"),
    ],
)
def test_the_scheme_is_the_annotation_then_the_older_one_then_the_default(
    release: Release, annotations: dict[str, str], scheme: str
) -> None:
    item = service(kind="LoadBalancer", **annotations)

    assert nlb_settings.scheme(item, cluster(), ControllerOptions(release=release), {}) == scheme


def test_an_existing_nlb_keeps_its_scheme_if_no_annotation_sets_one() -> None:
    tags = {"stack": "web"}
    standing = ExistingLoadBalancer(arn="nlb", scheme="internet-facing", type="network", tags=tags)
    known = cluster(existing=(standing,))

    assert nlb_settings.scheme(service(), known, ControllerOptions(), tags) == "internet-facing"


def test_annotations_for_single_attributes_win_over_the_list() -> None:
    item = service(
        attributes="load_balancing.cross_zone.enabled=false,deletion_protection.enabled=true",
        cross_zone_load_balancing_enabled="true",
        access_log_s3_bucket_name="logs",
    )

    assert nlb_settings.attributes(of_service(item)) == {
        "load_balancing.cross_zone.enabled": "true",
        "deletion_protection.enabled": "true",
        "access_logs.s3.bucket": "logs",
    }


def test_a_client_routing_policy_that_aws_does_not_know_is_refused() -> None:
    item = service(attributes="dns_record.client_routing_policy=any")

    with pytest.raises(BuildError, match=r"invalid dns_record\.client_routing_policy"):
        nlb_settings.attributes(of_service(item))


def test_tags_of_the_flag_win_and_reserved_ones_are_refused() -> None:
    annotations = of_service(service(additional_resource_tags="team=shop,stage=test"))

    found = nlb_settings.resource_tags(annotations, ControllerOptions(default_tags={"stage": "prod"}))

    assert found == {"team": "shop", "stage": "prod"}
    reserved = ControllerOptions(external_managed_tags=frozenset({"team"}))
    with pytest.raises(BuildError, match="external managed tag key team cannot be specified on Service"):
        nlb_settings.resource_tags(annotations, reserved)
