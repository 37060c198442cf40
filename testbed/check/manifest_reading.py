"""The manifests as the controllers read them: claims of names, load balancers, ExternalDNS's flags.

Files are read in the order of their names, and a later definition of an object replaces an earlier one, as
`kubectl apply -f` would do. The rules judge the state after the last file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from testbed.check.planned_group import PlannedGroup
from testbed.check.shared_balancers import SharedBalancers, are_one_record
from testbed.dated_releases import Release
from testbed.errors import BadInput, Location
from testbed.external_dns.core.facts import Fact, annotation_prefix, managed_types
from testbed.external_dns.offline import annotation_prefixes
from testbed.external_dns.offline.deployment import (
    ExternalDns,
    external_dns,
    external_dns_deployments,
    refused_line,
)
from testbed.external_dns.offline.zone_file import ZoneFile
from testbed.external_dns.process import flags
from testbed.external_dns.process.flags import EmulatedFlags, Flags
from testbed.kubernetes import manifests as files
from testbed.kubernetes import object_fields
from testbed.kubernetes.deployed_controller import DeployedController
from testbed.kubernetes.manifests import Manifest
from testbed.lb_controller.offline import stack_plan as planning
from testbed.lb_controller.offline.deployment import lb_controller, options_of
from testbed.lb_controller.offline.stack_plan import Plan, PlannedStack
from testbed.lb_controller.offline.unplanned import Unplanned
from testbed.releases import EXTERNAL_DNS, LB_CONTROLLER, Choice, Named

ALB = "alb.ingress.kubernetes.io/"
NLB = "service.beta.kubernetes.io/aws-load-balancer-"
ACCOUNT = (
    *(ALB + name for name in ("subnets", "security-groups", "customer-owned-ipv4-pool", "wafv2-acl-arn")),
    *(NLB + name for name in ("subnets", "security-groups", "eip-allocations", "private-ipv4-addresses")),
)
"""Annotations with ids that only the user's account knows; they are assumed to be right."""

_ASSUMED = ("--source=service", "--source=ingress", "--policy=sync")


@dataclass(frozen=True, slots=True)
class Claim:
    """An object and a host that it claims, for which ExternalDNS would keep a record.

    `host` is spelled as in the manifest.
    """

    host: str
    manifest: Manifest
    where: Location

    @property
    def kind(self) -> str:
        """`Service` or `Ingress`."""
        return str(self.manifest.object["kind"])


@dataclass(frozen=True, eq=False)
class Reading:
    """What the rules look at.

    Attributes:
        external_dns_choice, lb_controller_choice: the releases by which the manifests are read.
        external_dns, lb_controller: their Deployments among the manifests; None where there is none.
        custom: custom resources, which no rule reads.
        zones: listings of hosted zones that are given beside them.
        upgrade_to: the release of ExternalDNS that is to come, if one is named.
    """

    manifests: tuple[Manifest, ...]
    release: Release
    plan: Plan
    external_dns_choice: Choice
    lb_controller_choice: Choice
    external_dns: ExternalDns | None = None
    lb_controller: DeployedController | None = None
    custom: tuple[Manifest, ...] = ()
    zones: tuple[ZoneFile, ...] = ()
    upgrade_to: Release | None = None
    _by_key: Mapping[tuple[str, str, str], Manifest] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        manifests: Sequence[Manifest],
        release: Named | None = None,
        controller_release: Named | None = None,
        *,
        plan: Plan | None = None,
        deployed: ExternalDns | None = None,
        new: bool = False,
    ) -> Reading:
        """Read manifests as one release of each controller does.

        Args:
            release: of ExternalDNS; None for what its Deployment runs, else the newest.
            controller_release: of the AWS Load Balancer Controller; None likewise.
            plan: the load balancers, if they are planned already.
            deployed: the ExternalDNS that is looked at; None for the first among the manifests.
            new: True if the objects are created now; False if they stand already.
        """
        custom = tuple(manifest for manifest in manifests if manifest.is_custom)
        manifests = [manifest for manifest in manifests if not manifest.is_custom]
        by_key = {manifest.key: manifest for manifest in manifests}
        deployed, controller = deployed or external_dns(manifests), lb_controller(manifests)
        choice = EXTERNAL_DNS.choose(release, deployed=deployed.named if deployed else None)
        controller_choice = LB_CONTROLLER.choose(
            controller_release, deployed=controller.named if controller else None
        )
        options = options_of([*manifests, *custom], controller_choice.release)
        return cls(
            tuple(manifests),
            choice.release,
            plan
            or planning.plan(
                [_without_ids(manifest) for manifest in (*manifests, *custom)], options, new=new
            ),
            choice,
            controller_choice,
            deployed,
            controller,
            custom,
            _by_key=by_key,
        )

    @classmethod
    def of_each(
        cls,
        manifests: Sequence[Manifest],
        release: Named | None = None,
        controller_release: Named | None = None,
        *,
        new: bool = False,
        zones: Iterable[ZoneFile] = (),
        upgrade_to: Release | None = None,
    ) -> list[Reading]:
        """Read manifests as `of` does, once for each Deployment of ExternalDNS among them, at least once."""
        first = cls.of(manifests, release, controller_release, new=new)
        others = external_dns_deployments(first.manifests)[1:]
        readings = [
            first,
            *(
                cls.of(manifests, release, controller_release, plan=first.plan, deployed=one)
                for one in others
            ),
        ]
        return [replace(one, zones=tuple(zones), upgrade_to=upgrade_to) for one in readings]

    @cached_property
    def refused_flag(self) -> BadInput | None:
        """Why the release refuses the flags of its Deployment, or the testbed cannot read them; else None."""
        if self.external_dns is None:
            return None
        try:
            self.external_dns.emulated(self.release)
        except BadInput as error:
            error.where = refused_line(self.external_dns, error)
            return error
        return None

    @cached_property
    def emulated(self) -> EmulatedFlags | None:
        """The flags of the Deployment, without those that are not emulated; None if they are refused."""
        if self.external_dns is None or self.refused_flag:
            return None
        return self.external_dns.emulated(self.release)

    @cached_property
    def tried_flags(self) -> Flags | None:
        """The flags by which syncs are tried: of the Deployment, else assumed; None if they are refused."""
        if self.external_dns:
            return self.emulated.flags if self.emulated else None
        return replace(flags.parse(_ASSUMED, self.release, {}), annotation_prefix=self.prefix)

    @property
    def managed(self) -> tuple[str, ...]:
        """The record types that ExternalDNS plans."""
        return self.emulated.flags.managed if self.emulated else managed_types(self.release)

    @property
    def prefix(self) -> str:
        """The prefix of the annotations that ExternalDNS reads."""
        flag = self.external_dns.value("--annotation-prefix") if self.external_dns else None
        return flag or self.assumed_prefix or annotation_prefix(self.release)

    @cached_property
    def assumed_prefix(self) -> str | None:
        """The prefix of the manifests' own annotations, where no release and no flags are known.

        Most manifests are written for the prefix that all releases before v0.22 read. By the default of the
        newest release they would claim no name, and no rule could look at the move; so the newest is taken as
        started with their prefix. None if a release is named, or if the manifests use both prefixes.
        """
        if self.external_dns_choice.is_named or self.external_dns:
            return None
        used = annotation_prefixes.only(manifest.object for manifest in self.manifests)
        return used if used and used != annotation_prefix(self.release) else None

    def of_kind(self, *kinds: str) -> Iterator[Manifest]:
        """The objects of some kinds, in the order of the manifests."""
        return (manifest for manifest in self.manifests if manifest.object["kind"] in kinds)

    @property
    def releases(self) -> str:
        """The releases by which the manifests are read, and who names them."""
        flags = f" with --annotation-prefix={self.assumed_prefix}" if self.assumed_prefix else ""
        return f"{self.external_dns_choice}{flags} and {self.lb_controller_choice}"

    @cached_property
    def claims(self) -> Mapping[str, tuple[Claim, ...]]:
        """The claims of each host (lower case), in the order of the manifests."""
        found: dict[str, list[Claim]] = {}
        for manifest in self.of_kind("Service", "Ingress"):
            for claim in self._claims_of(manifest):
                others = found.setdefault(claim.host.lower(), [])
                if not any(one.manifest is manifest for one in others):  # as a rule and in a certificate
                    others.append(claim)
        return {host: tuple(claims) for host, claims in found.items()}

    @cached_property
    def contested(self) -> Mapping[str, tuple[Claim, tuple[Claim, ...]]]:
        """The hosts that objects of two load balancers or more claim: the holder's claim, and the others'.

        Which object has the record now, only the zone knows. One that has an address comes before one that
        has none, a Service before an Ingress, and an object of another controller before one of these.
        """
        found = {}
        for host, claims in self.claims.items():
            holder, *rest = sorted(claims, key=self._place_in_a_move)
            others = tuple(
                one
                for one in rest
                if self.balancer_of(one) != self.balancer_of(holder)
                and not are_one_record(self.release, holder.manifest, one.manifest)
            )
            if others and not (self.merges_services and {one.kind for one in claims} == {"Service"}):
                found[host] = holder, others
        return found

    def balancer_of(self, claim: Claim) -> str:
        """A text that is equal for claims of one name that lead to one load balancer."""
        return self._balancers.of(claim.manifest)

    @cached_property
    def _balancers(self) -> SharedBalancers:
        return SharedBalancers(self.plan, self.manifests, self.custom, self.prefix)

    @cached_property
    def unplanned(self) -> Mapping[str, Unplanned]:
        """The Ingresses and Services whose load balancer is not planned here, by title."""
        return {one.item: one for one in self.plan.unplanned}

    @property
    def merges_services(self) -> bool:
        """True if the release makes one record of two Services with one host."""
        return self.release.has(Fact.SERVICES_MERGED) and not self.release.has(Fact.CNAMES_OF_SERVICES_APART)

    def _place_in_a_move(self, claim: Claim) -> tuple[bool, bool, bool]:
        stack = self.stack_of(claim.manifest)
        is_ours = stack is not None and stack.owner == planning.OWNER
        return not addresses_of(claim.manifest), claim.kind != "Service", is_ours

    @cached_property
    def moves(self) -> tuple[tuple[str, Claim, PlannedStack, Claim, PlannedStack], ...]:
        """For each contested host whose balancers can be built: host, holder, its stack, other, its stack."""
        found = []
        for host, (holder, others) in self.contested.items():
            old = self.stack_of(holder.manifest)
            for other in others:
                new = self.stack_of(other.manifest)
                if old and old.stack and new and new.stack:
                    found.append((host, holder, old, other, new))
        return tuple(found)

    @cached_property
    def groups(self) -> tuple[PlannedGroup, ...]:
        """The Ingress groups whose load balancer can be built."""
        return tuple(
            PlannedGroup(item.group, item.stack, self._line)
            for item in self.plan.stacks
            if item.group and item.stack
        )

    def owners_of(self, protocol_version: str) -> Iterator[tuple[PlannedStack, Manifest]]:
        """The first Ingress of each stack that has target groups of a protocol version, with its stack."""
        for stack in self.plan.stacks:
            if stack.stack is None:
                continue
            ids = {one.id for one in stack.stack.target_groups if one.protocol_version == protocol_version}
            owners = {
                one.id.removesuffix(f"-{one.service_name}:{one.service_port}")
                for one in stack.stack.bindings
                if one.id in ids
            }
            for manifest in self.members(stack):
                _, namespace, name = manifest.key
                if f"{namespace}/{name}" in owners:
                    yield stack, manifest
                    break

    def stack_of(self, manifest: Manifest) -> PlannedStack | None:
        """The stack that an Ingress or Service becomes a part of, None if no controller handles it."""
        return next((item for item in self.plan.stacks if manifest.title in item.members), None)

    def members(self, stack: PlannedStack) -> Iterator[Manifest]:
        """The objects that a stack is made of."""
        return (manifest for manifest in self.manifests if manifest.title in stack.members)

    def service(self, namespace: str, name: str) -> Manifest | None:
        """A Service by its key."""
        return self._by_key.get(("Service", namespace, name))

    def _line(self, kind: str, namespace: str, name: str, path: tuple[str | int, ...]) -> Location:
        return self._by_key[kind, namespace, name].line(*path)

    def _claims_of(self, manifest: Manifest) -> Iterator[Claim]:
        item, key = manifest.object, self.prefix + "hostname"
        controller = annotation(manifest, self.prefix + "controller")
        if controller not in (None, "dns-controller"):
            return
        spec = item.get("spec") or {}
        if item["kind"] == "Ingress":
            for number, one in enumerate(spec.get("rules") or ()):
                if one.get("host"):
                    yield Claim(one["host"], manifest, manifest.line("spec", "rules", number, "host"))
            for number, tls in enumerate(spec.get("tls") or ()):
                for index, host in enumerate(tls.get("hosts") or ()):
                    yield Claim(host, manifest, manifest.line("spec", "tls", number, "hosts", index))
        elif spec.get("type") not in ("LoadBalancer", "ExternalName"):
            return
        for host in (annotation(manifest, key) or "").replace(" ", "").split(","):
            if host:
                yield Claim(host.rstrip("."), manifest, annotated(manifest, key))


def load(paths: Iterable[Path]) -> list[Manifest]:
    """The objects of files and folders, those of other controllers too.

    Raises:
        BadInput: as `testbed.kubernetes.manifests.load`.
    """
    return files.load(paths, custom=True)


def annotation(manifest: Manifest, key: str) -> str | None:
    """The value of an annotation, None if it is not there."""
    value = object_fields.annotations_of(manifest.object).get(key)
    return None if value is None else str(value)


def addresses_of(manifest: Manifest) -> tuple[str, ...]:
    """The host names and IP addresses in the status, () while there is none."""
    return object_fields.balancer_addresses(manifest.object)


def annotated(manifest: Manifest, key: str) -> Location:
    """The line of an annotation, or of the nearest field above it."""
    return manifest.line("metadata", "annotations", key)


# Else the plan would fail: its stand-in account does not have the user's subnets and security groups.
def _without_ids(manifest: Manifest) -> Manifest:
    metadata = manifest.object["metadata"]
    given = metadata.get("annotations") or {}
    if not any(key in given for key in ACCOUNT):
        return manifest
    kept = {key: value for key, value in given.items() if key not in ACCOUNT}
    return manifest.with_object({**manifest.object, "metadata": {**metadata, "annotations": kept}})
