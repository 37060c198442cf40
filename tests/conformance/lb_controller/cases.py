"""Reading the conformance cases of the AWS Load Balancer Controller, and comparing with them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.lb_controller.core.build_inputs import (
    BuildError,
    Certificate,
    ClusterState,
    ControllerOptions,
    ExistingLoadBalancer,
    Group,
    GroupID,
    Member,
    Subnet,
)

FOLDER = "aws-lb"
SERVICE_TAG = "service.k8s.aws/stack"
CLUSTER_TAG = "elbv2.k8s.aws/cluster"
ANY_CERTIFICATE = {"existingCertificate": True}


def folder() -> Path:
    """Where the cases lie: beside the repository, or where TESTBED_CONFORMANCE says."""
    beside = Path(__file__).parents[4] / "shared" / "conformance"
    return Path(os.environ.get("TESTBED_CONFORMANCE") or beside) / FOLDER


@dataclass(frozen=True, slots=True)
class Case:
    """One case with its references (`#n`) resolved on reading."""

    area: str
    raw: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.raw["id"])

    @property
    def test(self) -> str:
        """The upstream test function."""
        return str(self.raw["upstream"]["test"])

    @property
    def expect(self) -> dict[str, Any]:
        return self.resolve(self.raw["expect"])

    @property
    def given(self) -> dict[str, Any]:
        return self.resolve(self.raw.get("given") or {})

    @property
    def controller(self) -> dict[str, Any]:
        return self.raw.get("controller") or {}

    @property
    def manifests(self) -> list[dict[str, Any]]:
        return self.raw.get("manifests") or []

    def resolve(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("#") and value[1:].isdecimal():
            return self.manifests[int(value[1:])]
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if isinstance(value, dict):
            return {key: self.resolve(item) for key, item in value.items()}
        return value

    def group(self) -> Group:
        """The group, its members as given; for wrapped cases all Ingresses in one implicit group."""
        raw = self.raw.get("group")
        if raw is None:
            ingresses = [item for item in self.manifests if item["kind"] == "Ingress"]
            first = ingresses[0]["metadata"]
            group_id = GroupID(first["namespace"], first["name"])
            return Group(id=group_id, members=tuple(Member(ingress=item) for item in ingresses))
        resolved = self.resolve(raw)
        group_id = resolved.get("id") or {"namespace": "", "name": ""}
        return Group(
            id=GroupID(group_id.get("namespace") or "", group_id["name"]),
            members=tuple(member_of(item) for item in resolved.get("members") or ()),
            inactive=tuple(resolved.get("inactiveMembers") or ()),
        )

    def options(self, **further: Any) -> ControllerOptions:
        """The controller's flags."""
        names = {
            "clusterName": "cluster_name",
            "vpcID": "vpc_id",
            "enableBackendSG": "enable_backend_security_group",
            "backendSecurityGroup": "backend_security_group",
            "defaultSSLPolicy": "default_ssl_policy",
            "defaultTargetType": "default_target_type",
            "defaultLoadBalancerScheme": "default_scheme",
            "defaultIPAddressType": "default_ip_address_type",
            "enableIPTargetType": "enable_ip_target_type",
            "tolerateNonExistentBackendService": "tolerate_missing_service",
            "tolerateNonExistentBackendAction": "tolerate_missing_action",
            "disableRestrictedSGRules": "disable_restricted_security_group_rules",
            "enableManageBackendSGRules": "enable_manage_backend_security_group_rules",
            "loadBalancerClass": "load_balancer_class",
            "featureGates": "feature_gates",
            "defaultTags": "default_tags",
            "externalManagedTags": "external_managed_tags",
            "ingressClass": "ingress_class",
            "configuredIngressClass": "ingress_class",
        }
        flags: dict[str, Any] = {}
        for source in (self.controller, self.given):
            flags |= {
                names[key]: value for key, value in source.items() if key in names and value is not None
            }
        if "external_managed_tags" in flags:
            flags["external_managed_tags"] = frozenset(flags["external_managed_tags"])
        return ControllerOptions(**{**flags, **further})

    def cluster(self) -> ClusterState:
        """What stands in the cluster and in AWS."""
        given = self.given
        services = [item for item in self.manifests if item["kind"] == "Service"]
        services += given.get("svcs") or ()
        existing = given.get("existingLoadBalancers") or ()
        return ClusterState(
            services={
                (item["metadata"].get("namespace") or "", item["metadata"].get("name") or ""): item
                for item in services
            },
            subnets=tuple(
                # Upstream's fake answers dualstack load balancers with any subnets.
                replace(subnet_of(item), ipv6_cidrs=("2001:db8::/64",))
                for item in given.get("autoDiscoveredSubnets") or ()
            ),
            named_subnets=tuple(subnet_of(item) for item in given.get("namedSubnets") or ()),
            existing=tuple(self._existing(item) for item in existing),
            security_groups=self._security_groups(),
            vpc_cidrs=self._vpc_cidrs("cidrBlock"),
            vpc_ipv6_cidrs=self._vpc_cidrs("ipv6CidrBlock"),
            certificates=(Certificate(arn="any", names=("*",)),),
        )

    def _existing(self, raw: dict[str, Any]) -> ExistingLoadBalancer:
        """A standing balancer; upstream's fakes do not look at the tags and ids that they are asked for."""
        balancer = raw["loadBalancer"]
        zones = self.given.get("namedSubnets") or balancer.get("availabilityZones") or ()
        first = self.manifests[0]["metadata"]
        tags = {
            CLUSTER_TAG: self.controller.get("clusterName") or "",
            SERVICE_TAG: f"{first.get('namespace') or ''}/{first['name']}",
        }
        return ExistingLoadBalancer(
            arn=balancer.get("loadBalancerArn") or "",
            scheme=balancer.get("scheme") or "",
            subnet_ids=tuple(zone["subnetId"] for zone in zones),
            security_groups=tuple(balancer.get("securityGroups") or ()),
            tags={**(raw.get("tags") or {}), **tags},
        )

    def _security_groups(self) -> dict[str, str]:
        calls = self.given.get("resolveSecurityGroups") or ()
        pairs = [pair for call in calls for pair in zip(call["args"], call.get("want") or (), strict=False)]
        return {name: group for name, group in pairs if name != group}

    def _vpc_cidrs(self, field: str) -> tuple[str, ...]:
        block = "c" + field[1:] if field.startswith("c") else field
        answers = [call.get("wantVPCInfo") or {} for call in self.given.get("vpcInfo") or ()]
        return tuple(item[block] for info in answers for item in info.get(f"{block}AssociationSet") or ())


def load() -> Iterator[Case]:
    """All cases, file by file; none where the folder is missing."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in sorted(folder().glob("*.yaml")):
        document = yaml.load(path.read_text(), Loader=loader)
        for raw in document["cases"]:
            yield Case(document["area"], raw)


def member_of(raw: dict[str, Any]) -> Member:
    """A classified Ingress."""
    return Member(
        ingress=raw["ingress"],
        ingress_class=raw.get("ingressClass"),
        class_params=raw.get("ingressClassParams"),
    )


def subnet_of(raw: dict[str, Any]) -> Subnet:
    """A subnet as EC2 describes it."""
    tags = {tag["key"]: tag["value"] for tag in raw.get("tags") or ()}
    return Subnet(
        id=raw["subnetId"],
        availability_zone=raw.get("availabilityZone") or "",
        cidr=raw.get("cidrBlock") or "",
        tags=tags,
    )


def outcome(case: Case, run: Callable[[], Any]) -> Any:
    """What `run` returns, after its error was held against the expected one.

    Ends the calling test by an assertion; returns `pytest.skip`-less None if an error was due and came.
    """
    wanted = case.expect.get("error")
    if wanted is None:
        return run()
    with pytest.raises(BuildError) as raised:
        run()
    text = str(raised.value)
    match wanted["match"]:
        case "exact":
            assert text == wanted["text"]
        case "suffix":
            assert text.endswith(wanted["text"])
        case "contains":
            assert wanted["text"] in text
        case other:
            assert other in ("any", "helper-only")
    return FAILED


FAILED = object()
"""What `outcome` returns if the expected error came."""


def agree(case: Case, run: Callable[[], Any], wanted: str = "value") -> None:
    """Assert that `run` fails as expected, or returns what is expected; zero values count as absent."""
    got = outcome(case, run)
    if got is not FAILED:
        assert plain(got) == plain(case.expect.get(wanted))


def plain(value: Any) -> Any:
    """The value without Go's zero values, and with any certificate in the place of a known one."""
    if isinstance(value, dict):
        if value == ANY_CERTIFICATE:
            return "certificate"
        if set(value) == {"certificateARN"}:
            return {"certificateARN": "certificate"}
        found = {key: plain(item) for key, item in value.items()}
        return {key: item for key, item in found.items() if item not in (None, "", False, 0, [], {})} or None
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value] or None
    if value in ("", False, 0):
        return None
    return value
