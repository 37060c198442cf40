"""Each fact parts two releases: the last one without it and the first one with it do different things."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.kubernetes import ObjectStore
from testbed.kubernetes.api_errors import Denied
from testbed.lb_controller.controllers import load_balancer_status
from testbed.lb_controller.core import annotation_dates, feature_gates, stack_json
from testbed.lb_controller.core.annotations import INGRESS_PREFIX
from testbed.lb_controller.core.build_inputs import (
    BuildError,
    ClusterState,
    ControllerOptions,
    Group,
    GroupID,
    Member,
)
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.feature_gates import Gate
from testbed.lb_controller.core.stack import Listener, Stack
from testbed.lb_controller.deploy import drift
from testbed.lb_controller.deploy.deploy_session import DeployError, as_deploy_error
from testbed.lb_controller.gateway import gateway_stack
from testbed.lb_controller.ingress import groups, ingress_classes, webhook
from testbed.lb_controller.ingress.alb_stack import build_ingress_group
from testbed.lb_controller.ingress.ingress_classes import IngressObjects
from testbed.lb_controller.offline.vpc import Vpc
from testbed.lb_controller.service import nlb_stack, service_mutator, service_ownership
from tests.lb_controller.deploy.test_drift import described, wanted_rules
from tests.lb_controller.examples import ingress, path, service

Json = dict[str, Any]
Shown = Callable[[Release], Any]

EXTERNAL = {"type": "external", "nlb_target_type": "ip"}
# Deployed with a request to the endpoint; the deployer's own tests show them release by release.
SHOWN_BY_THE_DEPLOYER = {Fact.TRANSFORMS, Fact.DEFAULT_CERTIFICATE_LISTED}
# The version in which a kind is read: tests/check/test_gateway_traps.py.
SHOWN_BY_CHECK = {Fact.GATEWAY_KINDS_OF_V1}


def cluster(*services: Json, has_ipv6: bool = False) -> ClusterState:
    vpc = Vpc(has_ipv6=has_ipv6)
    named = {(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in services}
    return ClusterState(
        services=named, subnets=vpc.subnets, vpc_cidrs=vpc.cidrs, vpc_ipv6_cidrs=vpc.ipv6_cidrs
    )


def built(build: Callable[[], Stack]) -> Any:
    try:
        return stack_json.to_json(build())
    except BuildError as error:
        return str(error)


def of_ingresses(*members: Json, behind: Json | None = None) -> Shown:
    """The stack of a group at a release."""
    known = cluster(behind or service(kind="NodePort"))
    group = Group(
        id=GroupID("", "app"),
        members=tuple(Member(ingress=item) for item in members),
    )
    return lambda release: built(
        lambda: build_ingress_group(group, known, ControllerOptions(release=release))
    )


def of_service(item: Json, *, has_ipv6: bool = False) -> Shown:
    """The stack of a Service at a release."""
    known = cluster(item, has_ipv6=has_ipv6)
    return lambda release: built(
        lambda: nlb_stack.build_service(item, known, ControllerOptions(release=release))
    )


def of_class(**fields: Any) -> Shown:
    """The parameters of a class as a release reads them."""
    return lambda release: _loaded(release, fields)


def _loaded(release: Release, fields: Json) -> Any:
    item = ingress("a", path("/"), spec={"ingressClassName": "p"})
    del item["metadata"]["annotations"]["kubernetes.io/ingress.class"]
    parameters = {"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": "p"}
    objects = [
        {"kind": "IngressClass", "metadata": {"name": "p"},
         "spec": {"controller": "ingress.k8s.aws/alb", "parameters": parameters}},
        {"kind": "IngressClassParams", "metadata": {"name": "p"}, "spec": fields},
    ]  # fmt: skip
    return ingress_classes.load(item, IngressObjects.of(objects), release).class_params


def loaded(*orders: str) -> Shown:
    members = [
        Member(ingress=ingress(str(number), **{"group.order": order})) for number, order in enumerate(orders)
    ]

    def sort(release: Release) -> str:
        try:
            return str(len(groups.sort_members(members, release)))
        except BuildError as error:
            return str(error)

    return sort


def admitted(release: Release) -> bool:
    store = ObjectStore()
    store.webhooks.append(webhook.webhook(store, ControllerOptions(release=release)))
    item = ingress("a", path("/", port="use-annotation"), **{"conditions.web": "no JSON"})
    try:
        store.put(item)
    except Denied:
        return False
    return True


def left_group(release: Release) -> Any:
    leaving = ingress("a", load_balancer_attributes="deletion_protection.enabled=true")
    group = Group(id=GroupID("", "app"), inactive=(leaving,))
    return built(lambda: build_ingress_group(group, cluster(), ControllerOptions(release=release)))


def status(release: Release) -> Any:
    stack = Stack(
        id="a", cluster_name="c", tag_prefix="t",
        listeners=(Listener(port=80, protocol="HTTP", default_actions=()),),
    )  # fmt: skip
    return load_balancer_status.of_ingress("name", stack, release)


def refusal(release: Release) -> str:
    error = ClientError({"Error": {"Code": "C", "Message": "m"}, "ResponseMetadata": {}}, "CreateRule")  # type: ignore[typeddict-item]
    with pytest.raises(DeployError) as raised, as_deploy_error(release):
        raise error
    return str(raised.value)


def owned(item: Json) -> Shown:
    return lambda release: service_ownership.is_supported(item, ControllerOptions(release=release))


def claimed(release: Release) -> bool:
    return service_mutator.claims(service(kind="LoadBalancer"), ControllerOptions(release=release))


def reordered(release: Release) -> Any:
    old = wanted_rules([("a", "200"), ("b", "200")])
    wanted = wanted_rules([("b", "200"), ("a", "200")])
    return drift.rule_changes(wanted, described(old), str, release).priorities


FRONTEND = {"enable_frontend_nlb": "true", "frontend_nlb_tags": "a=b", "tags": "c=d", "target_type": "ip"}
PLAIN = service()
DIFFERENCES: dict[Fact, Shown] = {
    Fact.PATH_TYPES: of_ingresses(ingress("a", path("/a", kind="Prefix"))),
    Fact.PATHS_SORTED_BY_TYPE: of_ingresses(
        ingress("a", path("/a", kind="Prefix"), path("/long", kind="Exact"), target_type="ip")
    ),
    Fact.CLASS_PARAMETERS: of_class(scheme="internal"),
    Fact.INGRESS_WEBHOOK: admitted,
    Fact.MISSING_BACKENDS_TOLERATED: of_ingresses(ingress("a", path("/", service="gone"))),
    Fact.CERTIFICATES_IN_ORDER: of_ingresses(
        ingress("a", path("/"), listen_ports='[{"HTTPS": 443}]', certificate_arn="arn:b,arn:a")
    ),
    Fact.DEFAULT_CERTIFICATE_FOR_SNI: of_ingresses(
        ingress("a", path("/"), listen_ports='[{"HTTPS": 443}]', certificate_arn="arn:a,arn:b,arn:a")
    ),
    Fact.POSITIVE_UNIQUE_ORDERS: loaded("5", "5"),
    Fact.PROTECTED_GROUP_STAYS: left_group,
    Fact.BACKEND_SECURITY_GROUP: of_ingresses(ingress("a", path("/"))),
    Fact.TARGET_PORTS_RESTRICTED: of_ingresses(ingress("a", path("/"))),
    Fact.EMPTY_PORT_REFUSED: of_ingresses(ingress("a", path("/"), target_type="instance"), behind=PLAIN),
    Fact.EMPTY_PORT_EXPLAINED: of_ingresses(ingress("a", path("/"), target_type="instance"), behind=PLAIN),
    Fact.BINDING_HAS_PROTOCOL: of_ingresses(ingress("a", path("/"))),
    Fact.DUALSTACK_NEEDS_IPV6_SUBNETS: of_ingresses(ingress("a", path("/"), ip_address_type="dualstack")),
    Fact.NUMBERS_OF_32_BITS: of_ingresses(ingress("a", path("/"), healthy_threshold_count="two")),
    Fact.PORTS_IN_INGRESS_STATUS: status,
    Fact.TYPE_EXTERNAL: owned(service(kind="LoadBalancer", **EXTERNAL)),
    Fact.NLB_INTERNAL_BY_DEFAULT: of_service(service(kind="LoadBalancer", type="nlb-ip")),
    Fact.ALPN_BEFORE_PLAIN_TARGETS: of_service(
        service(kind="LoadBalancer", type="nlb-ip", ssl_cert="arn:a", alpn_policy="HTTP2Only")
    ),
    Fact.LOAD_BALANCER_CLASS: owned(
        service(kind="LoadBalancer", spec={"loadBalancerClass": "service.k8s.aws/nlb"})
    ),
    Fact.SERVICE_WEBHOOK: claimed,
    Fact.SOURCE_NAT_PREFIX: of_service(service(kind="LoadBalancer", **EXTERNAL)),
    Fact.ERRORS_OF_SDK_V2: refusal,
    Fact.RULES_WITHOUT_GAP: reordered,
    Fact.FRONTEND_NLB_TAGS: of_ingresses(ingress("a", path("/"), **FRONTEND)),
    Fact.FRONTEND_NLB_OWN_SUBNETS: of_ingresses(
        ingress("a", path("/"), enable_frontend_nlb="true", scheme="internet-facing")
    ),
    Fact.ICMP_FRAGMENTATION_NEEDED: of_service(
        service(kind="LoadBalancer", **EXTERNAL, enable_icmp_for_path_mtu_discovery="on")
    ),
    Fact.CLASS_ATTRIBUTES: of_class(loadBalancerAttributes=[{"key": "a", "value": "b"}]),
    Fact.CLASS_INBOUND_CIDRS: of_class(inboundCIDRs=["192.0.2.0/24"]),
    Fact.CLASS_SSL_POLICY: of_class(sslPolicy="other"),
    Fact.CLASS_SUBNETS: of_class(subnets={"ids": ["subnet-public-a"]}),
    Fact.CLASS_CERTIFICATES: of_class(certificateArn=["arn:a"]),
    Fact.CLASS_PREFIX_LISTS: of_class(prefixListsIDs=["pl-1"]),
    Fact.CLASS_TARGET_TYPE: of_class(targetType="instance"),
    Fact.CLASS_ALB_NAME: of_class(loadBalancerName="shop"),
    Fact.CLASS_LISTENERS: of_class(
        listeners=[{"protocol": "HTTP", "port": 80, "listenerAttributes": [{"key": "a", "value": "b"}]}]
    ),
    Fact.CLASS_CAPACITY: of_class(minimumLoadBalancerCapacity={"capacityUnits": 3000}),
    Fact.CLASS_IPAM: of_class(ipamConfiguration={"ipv4IPAMPoolId": "ipam-pool-1"}),
    Fact.CLASS_SSL_REDIRECT: of_class(sslRedirectPort="443"),
    Fact.CLASS_WEB_ACL: of_class(wafv2AclArn="arn:a"),
    Fact.CLASS_WEB_ACL_NAME: of_class(wafv2AclName="a"),
}


def served(kind: str) -> Shown:
    """Whether Gateways of a balancer type are served, with the feature gates on."""
    gates = {gate.value: True for gate in (Gate.ALB_GATEWAY_API, Gate.NLB_GATEWAY_API)}
    return lambda release: gateway_stack.why_not_served(
        kind, ControllerOptions(release=release, feature_gates=gates)
    )


DIFFERENCES |= {
    Fact.GATEWAYS_OF_LAYER_4: served("network"),
    Fact.GATEWAYS_OF_LAYER_7: served("application"),
}


def neighbours(fact: Fact) -> tuple[Release, Release]:
    """The last release on one side of the fact's date, and the first on the other."""
    tag = fact.dates.since or fact.dates.until
    assert tag
    releases = list(LB_CONTROLLER_RELEASES.values())
    place = LB_CONTROLLER_RELEASES[tag].place
    return releases[place - 1], releases[place]


def test_every_fact_is_shown() -> None:
    assert {*DIFFERENCES, *SHOWN_BY_THE_DEPLOYER, *SHOWN_BY_CHECK} == set(Fact)


@pytest.mark.parametrize("fact", DIFFERENCES, ids=lambda fact: fact.name.lower())
def test_a_fact_parts_its_neighbours(fact: Fact) -> None:
    before, after = neighbours(fact)
    shown = DIFFERENCES[fact]
    assert before.has(fact) != after.has(fact)
    assert shown(before) != shown(after)


def knowledge(release: Release) -> tuple[Any, ...]:
    """All that code asks a release for."""
    read = frozenset(
        name
        for name in annotation_dates.names()
        if release.is_since(annotation_dates.first_release(name) or "")
    )
    return release.facts(Fact), read, tuple(feature_gates.default(gate, release) for gate in Gate)


def alike() -> Iterator[tuple[Release, Release]]:
    releases = list(LB_CONTROLLER_RELEASES.values())
    for before, after in itertools.pairwise(releases):
        if knowledge(before) == knowledge(after):
            yield before, after


ALIKE = list(alike())
TEXTS = st.sampled_from(["ip", "true", "443", "a=b", '[{"HTTP": 80}]', "internal", "x", ""])
OF_INGRESSES = [
    name.removeprefix(f"{INGRESS_PREFIX}/").removesuffix(".") for name in annotation_dates.names()
    if name.startswith(INGRESS_PREFIX)
]  # fmt: skip


@given(
    st.sampled_from(ALIKE),
    st.dictionaries(st.sampled_from(OF_INGRESSES), TEXTS, max_size=4),
    st.sampled_from(["Exact", "Prefix", "ImplementationSpecific"]),
)
def test_releases_of_equal_knowledge_build_equal_stacks(
    pair: tuple[Release, Release], annotations: dict[str, str], kind: str
) -> None:
    shown = of_ingresses(ingress("a", path("/a", kind=kind), **annotations))
    assert shown(pair[0]) == shown(pair[1])
    nlb = of_service(service(kind="LoadBalancer", type="nlb-ip", **annotations))
    assert nlb(pair[0]) == nlb(pair[1])
