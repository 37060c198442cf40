"""Objects of several controllers: whom a class or a status claims is not dead, and names are contested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.check import manifest_reading, rule_registry
from testbed.check.findings import Finding
from testbed.kubernetes import manifests
from testbed.releases import Named

HOST = "app.example.com"
ADDRESSES = {"hostname": "k8s-old-0123456789.elb.eu-west-1.amazonaws.com"}, {"ip": "172.20.1.2"}
CONTROLLERS = {
    "nginx": "k8s.io/ingress-nginx",
    "traefik": "traefik.io/ingress-controller",
    "auto": "eks.amazonaws.com/alb",
    "alb": "ingress.k8s.aws/alb",
}
DEAD = ("claims-without-address", "nobody-takes-it")


def found_in(items: list[dict[str, Any]], version: str = "v0.22") -> list[Finding]:
    loaded = manifests.parse(yaml.safe_dump_all(items), Path("all.yaml"))
    return rule_registry.check(manifest_reading.Reading.of(loaded, Named(version, "--external-dns")))


def ingress_class(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": name},
        "spec": {"controller": CONTROLLERS[name]},
    }


def ingress(
    name: str,
    class_name: str | None = None,
    annotated: str | None = None,
    address: dict[str, str] | None = None,
    path: str = "/",
) -> dict[str, Any]:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    read = {} if class_name == "nginx" else {"alb.ingress.kubernetes.io/target-type": "ip"}
    item = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "annotations": dict(read)},
        "spec": {
            "rules": [
                {"host": HOST, "http": {"paths": [{"path": path, "pathType": "Prefix", "backend": backend}]}}
            ]
        },
        **status(address),
    }
    if class_name:
        item["spec"]["ingressClassName"] = class_name
    if annotated:
        item["metadata"]["annotations"]["kubernetes.io/ingress.class"] = annotated
    return item


def service(
    name: str,
    load_balancer_class: str | None = None,
    kind: str | None = None,
    address: dict[str, str] | None = None,
) -> dict[str, Any]:
    spec: dict[str, Any] = {"type": "LoadBalancer", "ports": [{"port": 443}]}
    if load_balancer_class:
        spec["loadBalancerClass"] = load_balancer_class
    annotations = {"external-dns.kubernetes.io/hostname": HOST}
    if kind:
        annotations["service.beta.kubernetes.io/aws-load-balancer-type"] = kind
    metadata = {"name": name, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec, **status(address)}


def status(address: dict[str, str] | None) -> dict[str, Any]:
    return {"status": {"loadBalancer": {"ingress": [address]}}} if address else {}


WEB = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"ports": [{"port": 80, "targetPort": 8080}], "selector": {"app": "web"}},
}
NAMES = st.sampled_from(["a", "b", "c"])
ADDRESS = st.one_of(st.none(), st.sampled_from(ADDRESSES))
ITEMS = st.one_of(
    st.builds(ingress_class, st.sampled_from(list(CONTROLLERS))),
    st.builds(
        ingress,
        NAMES,
        st.one_of(st.none(), st.sampled_from([*CONTROLLERS, "kong"])),
        address=ADDRESS,
    ),
    st.builds(
        ingress,
        NAMES,
        annotated=st.sampled_from(["nginx", "haproxy", "alb"]),
        address=ADDRESS,
    ),
    st.builds(
        service,
        NAMES,
        st.one_of(st.none(), st.sampled_from(["eks.amazonaws.com/nlb", "service.k8s.aws/nlb", "tailscale"])),
        st.one_of(st.none(), st.sampled_from(["nlb", "external", "nlb-ip", "classic"])),
        ADDRESS,
    ),
)


def is_claimed(item: dict[str, Any], installed: set[str]) -> bool:
    """True if an installed IngressClass, a class of another controller or a status claims an object."""
    spec, annotations = item["spec"], item["metadata"].get("annotations", {})
    if item.get("status"):
        return True
    if item["kind"] == "Service":
        # Without class and type the cloud provider makes a Classic Load Balancer.
        kind = annotations.get("service.beta.kubernetes.io/aws-load-balancer-type")
        return bool(spec.get("loadBalancerClass")) or kind not in ("external", "nlb-ip")
    named = annotations.get("kubernetes.io/ingress.class", spec.get("ingressClassName"))
    return named is not None and (named in installed or named != "alb")


@settings(max_examples=80)
@given(st.lists(ITEMS, min_size=1, max_size=6, unique_by=lambda one: (one["kind"], one["metadata"]["name"])))
def test_no_object_is_declared_dead_that_a_class_or_a_status_claims(items: list[dict[str, Any]]) -> None:
    installed = {one["metadata"]["name"] for one in items if one["kind"] == "IngressClass"}
    claimed = {
        f"{one['kind']} default/{one['metadata']['name']}"
        for one in items
        if one["kind"] != "IngressClass" and is_claimed(one, installed)
    }
    for finding in found_in([WEB, *items]):
        if finding.rule in DEAD:
            assert not any(finding.what.startswith(f"{title} ") for title in claimed), finding


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("class_name", ["nginx", "auto"])
def test_the_rules_of_a_move_hold_between_two_ingresses(class_name: str, address: dict[str, str]) -> None:
    items = [
        WEB,
        ingress_class(class_name),
        ingress("old", class_name, address=address),
        ingress("new", "alb"),
    ]
    by_rule = {one.rule: one.what for one in found_in(items)}
    assert by_rule["rollback-needs-both-edits"].startswith(
        f"{HOST} is claimed by Ingress default/old and Ingress default/new"
    )
    assert "before Ingress default/new has an address" in by_rule["nobody-claims-between"]
    assert (
        "a single sync in which Ingress default/old has no address" in by_rule["lost-address-moves-the-name"]
    )
    assert "two-balancers-one-name" not in by_rule or class_name == "auto"


def test_many_ingresses_of_one_other_controller_share_its_balancer_and_contest_nothing() -> None:
    items = [WEB, *(ingress(name, "nginx", path=f"/{name}") for name in ("a", "b", "c"))]
    assert {one.rule for one in found_in(items)} == {"balancer-of-another-controller"}
    (said,) = found_in(items)
    assert "(2 more objects likewise)" in said.what


def test_an_nginx_ingress_that_publishes_the_address_of_its_service_contests_nothing() -> None:
    shared = ADDRESSES[0]
    items = [WEB, service("nginx", kind="nlb", address=shared), ingress("app", "nginx", address=shared)]
    assert "rollback-needs-both-edits" not in {one.rule for one in found_in(items)}


def test_an_object_that_has_an_address_is_taken_for_the_present_holder() -> None:
    items = [WEB, service("new", "eks.amazonaws.com/nlb"), ingress("old", "nginx", address=ADDRESSES[0])]
    (move,) = [one for one in found_in(items) if one.rule == "rollback-needs-both-edits"]
    assert move.what.startswith(f"{HOST} is claimed by Ingress default/old and Service default/new")


def test_a_target_annotation_is_an_address_and_two_equal_ones_contest_nothing() -> None:
    items = [ingress("a", "nginx"), ingress("b", "alb")]
    for one in items:
        one["metadata"]["annotations"]["external-dns.kubernetes.io/target"] = "edge.example.net"
    rules = {one.rule for one in found_in([WEB, *items])}
    assert not rules & {*DEAD, "rollback-needs-both-edits", "fresh-zone-decides-by-name"}


def test_two_albs_with_the_same_paths_are_a_move_and_with_other_paths_an_error() -> None:
    same = [ingress("a", "alb"), ingress("b", "alb")]
    assert "two-balancers-one-name" not in {one.rule for one in found_in([WEB, *same])}
    other = [ingress("a", "alb"), ingress("b", "alb", path="/api")]
    rules = {one.rule for one in found_in([WEB, *other])}
    assert {"two-balancers-one-name", "rollback-needs-both-edits"} <= rules


def test_weighted_records_stand_side_by_side_so_the_rules_of_one_record_are_silent() -> None:
    items = [ingress("a", "nginx"), ingress("b", "alb")]
    for one in items:
        for key, value in (("set-identifier", one["metadata"]["name"]), ("aws-weight", "50")):
            one["metadata"]["annotations"][f"external-dns.kubernetes.io/{key}"] = value
    rules = {one.rule for one in found_in([WEB, *items])}
    assert "weights-move-new-lookups-only" in rules
    assert not rules & {"rollback-needs-both-edits", "fresh-zone-decides-by-name"}


def test_an_address_and_a_balancers_name_part_the_families_in_a_new_zone() -> None:
    items = [ingress("a", "nginx", address=ADDRESSES[1]), ingress("b", "alb", address=ADDRESSES[0])]
    parted = {one.rule: one.what for one in found_in([WEB, *items])}["fresh-zone-parts-families"]
    assert "A leads to 172.20.1.2, AAAA to k8s-old-0123456789" in parted


@pytest.mark.parametrize(
    ("parameters", "is_one"),
    [(None, False), ({}, False), ({"group": {"name": "shared"}}, True), ("missing", True)],
)
def test_ingresses_of_auto_mode_share_an_alb_if_the_parameters_of_their_class_name_a_group(
    parameters: Any, is_one: bool
) -> None:
    auto = ingress_class("auto")
    items = [WEB, auto, ingress("a", "auto", path="/a"), ingress("b", "auto", path="/b")]
    if parameters is not None:
        api = "eks.amazonaws.com"
        auto["spec"]["parameters"] = {"apiGroup": api, "kind": "IngressClassParams", "name": "p"}
    if isinstance(parameters, dict):
        kind = {"apiVersion": "eks.amazonaws.com/v1", "kind": "IngressClassParams"}
        items.append({**kind, "metadata": {"name": "p"}, "spec": parameters})
    text = yaml.safe_dump_all(items)
    loaded = manifests.parse(text, Path("all.yaml"), custom=True)
    rules = {one.rule for one in rule_registry.check(manifest_reading.Reading.of(loaded))}
    assert ("two-balancers-one-name" not in rules) is is_one


def test_a_headless_service_publishes_its_pods_and_is_told_nothing() -> None:
    headless = service("db")
    headless["spec"] = {"clusterIP": "None", "ports": [{"port": 5432}]}
    assert found_in([headless]) == []
