from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.dated_releases import Release
from testbed.external_dns.core.facts import release_of
from testbed.external_dns.process.flags import parse
from testbed.external_dns.sources.gateway_routes import accepted, matching_host
from testbed.external_dns.sources.source import SourceContext
from testbed.external_dns.sources.source_table import SOURCES, unserved

Json = dict[str, Any]
NEWEST, PREFIX = release_of("v0.22"), "external-dns.kubernetes.io/"
GROUP = "gateway.networking.k8s.io"
ALB = "k8s-shop-edge.elb.amazonaws.com"


def gateway(name: str = "edge", *, address: str = ALB, **listener: Any) -> Json:
    own = {"name": "https", "port": 443, "protocol": "HTTPS", **listener}
    return {
        "kind": "Gateway",
        "metadata": {"namespace": "shop", "name": name},
        "spec": {"listeners": [own]},
        "status": {"addresses": [{"type": "Hostname", "value": address}]},
    }


def route(
    *hosts: str, kind: str = "HTTPRoute", parents: tuple[str, ...] = ("edge",), **annotations: str
) -> Json:
    item: Json = {
        "kind": kind,
        "metadata": {
            "namespace": "shop",
            "name": "web",
            "generation": 2,
            "annotations": {PREFIX + key.replace("_", "-"): text for key, text in annotations.items()},
        },
        "spec": {"hostnames": list(hosts), "parentRefs": [{"name": one} for one in parents]},
    }
    return dict(accepted(item))


def claims(
    item: Json, *others: Json, flags: tuple[str, ...] = (), release: Release = NEWEST
) -> dict[str, tuple[str, ...]]:
    source = f"gateway-{item['kind'].lower()}"
    policy = ("--policy=sync",)
    options = parse([f"--source={source}", *policy, *flags], release, {})
    cluster = others or (gateway(),)

    def listed(kind: str) -> list[Json]:
        return [one for one in cluster if one["kind"] == kind]

    found = SOURCES[source](SourceContext(release, options, others=listed)).endpoints([item])
    assert {one.resource for one in found} <= {f"{item['kind'].lower()}/shop/web"}
    return {one.name: one.targets for one in found}


def test_a_route_gets_the_address_of_its_gateway() -> None:
    assert claims(route("api.example.com")) == {"api.example.com": (ALB,)}
    assert claims(route("api.example.com", kind="GRPCRoute")) == {"api.example.com": (ALB,)}


def test_a_route_that_no_gateway_accepted_claims_nothing() -> None:
    item = route("api.example.com")
    item["status"]["parents"][0]["conditions"][0]["status"] = "False"
    assert claims(item) == {}
    assert claims({**item, "status": {}}) == {}


def test_names_of_route_and_listener_must_meet_and_the_narrower_counts() -> None:
    assert claims(route("api.example.com"), gateway(hostname="*.example.com")) == {"api.example.com": (ALB,)}
    assert claims(route("*.example.com"), gateway(hostname="api.example.com")) == {"api.example.com": (ALB,)}
    assert claims(route("api.example.org"), gateway(hostname="*.example.com")) == {}
    assert claims(route(), gateway(hostname="api.example.com")) == {"api.example.com": (ALB,)}
    assert claims(route(), gateway()) == {}


def test_the_annotation_target_counts_on_the_gateway_and_not_on_the_route() -> None:
    edge = gateway()
    edge["metadata"]["annotations"] = {PREFIX + "target": "cdn.example.net"}
    item = route("api.example.com", target="elsewhere.example.net")
    assert claims(item, edge) == {"api.example.com": ("cdn.example.net",)}


def test_a_hostname_annotation_counts_on_the_route_alone() -> None:
    edge = gateway()
    edge["metadata"]["annotations"] = {PREFIX + "hostname": "gone.example.com"}
    assert claims(route(hostname="api.example.com"), edge) == {"api.example.com": (ALB,)}


def test_a_route_on_two_gateways_has_one_endpoint_with_both_targets() -> None:
    both = gateway(), gateway("other", address="a.elb.amazonaws.com")
    item = route("api.example.com", parents=("edge", "other"))
    assert claims(item, *both) == {"api.example.com": ("a.elb.amazonaws.com", ALB)}


@pytest.mark.parametrize(
    ("release", "counts"), [("v0.16", True), ("v0.17", False), ("v0.22", False)], ids=str
)
def test_a_parent_that_the_route_no_longer_names_counts_before_v0_17(release: str, counts: bool) -> None:
    item = route("api.example.com", parents=("edge", "other"))
    item["spec"]["parentRefs"] = [{"name": "edge"}]
    both = gateway(), gateway("other", address="a.elb.amazonaws.com")
    found = claims(item, *both, release=release_of(release))["api.example.com"]
    assert ("a.elb.amazonaws.com" in found) is counts


def test_a_condition_of_an_older_generation_counts_but_for_v0_17() -> None:
    item = route("api.example.com")
    item["metadata"]["generation"] = 3
    assert claims(item, release=release_of("v0.17")) == {}
    assert claims(item, release=release_of("v0.18")) != {}


def test_an_unknown_hostname_source_falls_back_to_all_names() -> None:
    def names(source: str) -> set[str]:
        return set(claims(route("a.example.com", hostname="b.example.com", gateway_hostname_source=source)))

    assert names("annotation-only") == {"b.example.com"}
    assert names("defined-hosts-only") == {"a.example.com"}
    assert names("anything") == {"a.example.com", "b.example.com"}


def test_a_listener_takes_routes_by_namespace_kind_and_protocol() -> None:
    item = route("api.example.com")
    item["metadata"]["namespace"] = "pay"
    item["spec"]["parentRefs"] = item["status"]["parents"][0]["parentRef"] = {}
    reference = {"name": "edge", "namespace": "shop"}
    item["spec"]["parentRefs"] = [reference]
    item["status"]["parents"][0]["parentRef"] = reference
    team = {"kind": "Namespace", "metadata": {"name": "pay", "labels": {"team": "pay"}}}

    def count(**allowed: Any) -> int:
        options = parse(["--source=gateway-httproute", "--policy=sync"], NEWEST, {})
        cluster = gateway(allowedRoutes=allowed), team

        def listed(kind: str) -> list[Json]:
            return [one for one in cluster if one["kind"] == kind]

        source = SOURCES["gateway-httproute"](SourceContext(NEWEST, options, others=listed))
        return len(source.endpoints([item]))

    assert count() == 0
    assert count(namespaces={"from": "All"}) == 1
    selector = {"matchLabels": {"team": "pay"}}
    assert count(namespaces={"from": "Selector", "selector": selector}) == 1
    expression = {"key": "team", "operator": "NotIn", "values": ["pay"]}
    assert count(namespaces={"from": "Selector", "selector": {"matchExpressions": [expression]}}) == 0
    assert count(namespaces={"from": "All"}, kinds=[{"kind": "GRPCRoute"}]) == 0
    tcp = gateway(protocol="TCP")
    assert claims(route("api.example.com"), tcp) == {}
    assert claims(route(kind="TCPRoute", hostname="a.example.com"), tcp) == {"a.example.com": (ALB,)}


@pytest.mark.parametrize(
    ("flag", "is_read"),
    [
        ("--gateway-name=edge", True),
        ("--gateway-name=other", False),
        ("--gateway-namespace=shop", True),
        ("--gateway-namespace=pay", False),
        ("--gateway-label-filter=team=pay", False),
    ],
)
def test_flags_choose_the_gateways(flag: str, is_read: bool) -> None:
    assert bool(claims(route("api.example.com"), flags=(flag,))) is is_read


@pytest.mark.parametrize(
    ("release", "source", "missing"),
    [
        ("v0.14", "gateway-httproute", []),
        ("v0.14", "gateway-grpcroute", [("GRPCRoute", f"{GROUP}/v1alpha2")]),
        ("v0.20", "gateway-httproute", []),
        ("v0.20", "gateway-grpcroute", []),
        ("v0.21", "gateway-tlsroute", [("TLSRoute", f"{GROUP}/v1alpha2")]),
        ("v0.22", "gateway-tlsroute", []),
        ("v0.22", "gateway-tcproute", [("TCPRoute", f"{GROUP}/v1alpha2")]),
        ("v0.22", "service", []),
    ],
)
def test_a_release_reads_its_own_versions_of_the_kinds(
    release: str, source: str, missing: list[tuple[str, str]]
) -> None:
    served = {
        *((f"{GROUP}/{one}", kind) for kind in ("Gateway", "HTTPRoute") for one in ("v1", "v1beta1")),
        *((f"{GROUP}/v1", f"{one}Route") for one in ("GRPC", "TLS", "TCP", "UDP")),
    }
    found = unserved([source], release_of(release), lambda version, kind: (version, kind) in served)
    assert list(found) == missing


NAMES = st.sampled_from(["", "a.example.com", "*.example.com", "*.a.example.com", "b.a.example.com", "x.org"])


@given(NAMES, NAMES)
def test_two_names_meet_in_the_same_one_whichever_comes_first(one: str, other: str) -> None:
    assert matching_host(one, other) == matching_host(other, one)
    assert matching_host(one, other) in ("", one, other)


def test_an_address_and_a_wrong_name_match_nothing() -> None:
    assert matching_host("", "10.0.0.1") == ""
    assert matching_host("", "a_b.example.com") == ""
    assert matching_host("*.example.com", "example.com") == ""
