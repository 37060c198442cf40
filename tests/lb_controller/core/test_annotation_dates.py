"""The first release that reads each annotation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.lb_controller.core import annotation_dates
from testbed.lb_controller.core.annotations import INGRESS_PREFIX, SERVICE_PREFIX
from testbed.lb_controller.core.build_inputs import ClusterState
from tests.lb_controller.examples import ingress, service

RELEASES = st.sampled_from(list(LB_CONTROLLER_RELEASES.values()))
NAMES = [*annotation_dates.names(), "team", "external-dns.alpha/hostname"]
KEYS = st.lists(st.sampled_from(NAMES), max_size=8)


def of(tag: str) -> Release:
    return LB_CONTROLLER_RELEASES[tag]


@pytest.mark.parametrize(
    ("key", "tag"),
    [
        (f"{INGRESS_PREFIX}/scheme", "v2.1.0"),
        (f"{INGRESS_PREFIX}/actions.web", "v2.1.0"),
        (f"{INGRESS_PREFIX}/load-balancer-name", "v2.2.0"),
        (f"{INGRESS_PREFIX}/listener-attributes.HTTPS-443", "v2.9.0"),
        (f"{INGRESS_PREFIX}/transforms.web", "v2.14.1"),
        (f"{INGRESS_PREFIX}/frontend-nlb-healthcheck-path", "v2.13.0"),
        (f"{SERVICE_PREFIX}/aws-load-balancer-scheme", "v2.2.0"),
        (f"{SERVICE_PREFIX}/aws-load-balancer-security-groups", "v2.6.0"),
        (f"{SERVICE_PREFIX}/actions.TCP-443", "v2.16.0"),
        (f"{INGRESS_PREFIX}/schema", None),
        ("external-dns.alpha.kubernetes.io/hostname", None),
    ],
)
def test_an_annotation_has_the_release_that_first_reads_it(key: str, tag: str | None) -> None:
    assert annotation_dates.first_release(key) == tag


def test_every_date_is_a_release_of_the_table() -> None:
    tags = {annotation_dates.first_release(name) for name in annotation_dates.names()}
    assert tags <= set(LB_CONTROLLER_RELEASES)


@given(RELEASES, KEYS)
def test_what_a_release_does_not_know_is_left_out_and_named_and_nothing_else(
    release: Release, keys: list[str]
) -> None:
    item = {"metadata": {"name": "a", "annotations": dict.fromkeys(keys, "x")}}
    read = annotation_dates.read_by(release, item)["metadata"]["annotations"]
    ignored = annotation_dates.ignored(item, release)
    assert {*read, *(one.key for one in ignored)} == set(keys)
    assert not {*read} & {one.key for one in ignored}
    assert all(of(one.since).place > release.place for one in ignored)


@given(KEYS)
def test_the_newest_release_reads_every_annotation(keys: list[str]) -> None:
    item = {"metadata": {"name": "a", "annotations": dict.fromkeys(keys, "x")}}
    assert annotation_dates.read_by(LB_CONTROLLER_RELEASES.newest, item) is item


def test_the_services_behind_an_ingress_are_read_by_the_release_too() -> None:
    web = service()
    web["metadata"]["annotations"] = {f"{INGRESS_PREFIX}/target-node-labels": "a=b", "team": "x"}
    known = ClusterState(services={("default", "web"): web})
    old = annotation_dates.cluster_read_by(of("v2.1.0"), known).services
    assert list(old) == [("default", "web")]
    assert old["default", "web"]["metadata"]["annotations"] == {"team": "x"}
    assert ("default", "other") not in old
    new = annotation_dates.cluster_read_by(of("v2.2.0"), known).services
    assert new["default", "web"] == web


def test_an_object_without_annotations_is_left_as_it_is() -> None:
    item = ingress("a")
    assert annotation_dates.read_by(of("v2.1.0"), item) is item
