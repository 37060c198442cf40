"""The manifests as the controllers read them: who claims which name, what is built, ExternalDNS's flags.

Files are read in the order of their names, and a later definition of an object replaces an earlier one, as
`kubectl apply -f` would do; what is judged is the state after the last of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from testbed.check import deployment
from testbed.check.deployment import ExternalDns
from testbed.errors import Location
from testbed.external_dns.profile import ALPHA_PREFIX, PREFIX, Profile, profile
from testbed.kubernetes import manifests as files
from testbed.kubernetes.manifests import Manifest
from testbed.lb_controller import plan as planning
from testbed.lb_controller.inputs import ControllerOptions, Version
from testbed.lb_controller.plan import Plan, PlannedStack
from testbed.options import EXTERNAL_DNS_VERSIONS

ALB = "alb.ingress.kubernetes.io/"
NLB = "service.beta.kubernetes.io/aws-load-balancer-"
PREFIXES = (ALPHA_PREFIX, PREFIX)
ACCOUNT = (
    *(ALB + name for name in ("subnets", "security-groups", "customer-owned-ipv4-pool", "wafv2-acl-arn")),
    *(NLB + name for name in ("subnets", "security-groups", "eip-allocations", "private-ipv4-addresses")),
)
"""Annotations with ids that only the user's account knows; they are assumed to be right."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An object whose host ExternalDNS would keep a record for; `host` as it is written."""

    host: str
    manifest: Manifest
    where: Location

    @property
    def kind(self) -> str:
        """`Service` or `Ingress`."""
        return str(self.manifest.object["kind"])


@dataclass(frozen=True)
class Reading:
    """What the rules look at; `custom` are custom resources, which nobody here reads."""

    manifests: tuple[Manifest, ...]
    profile: Profile
    plan: Plan
    external_dns: ExternalDns | None = None
    custom: tuple[Manifest, ...] = ()
    _by_key: Mapping[tuple[str, str, str], Manifest] = field(default_factory=dict)

    @classmethod
    def of(cls, manifests: Sequence[Manifest], version: str | None, controller: Version) -> Reading:
        """Read manifests as one version of each controller does.

        Without a version of ExternalDNS it is that of its Deployment, or the nearest before that.
        """
        options = ControllerOptions(version=controller)
        custom = tuple(manifest for manifest in manifests if manifest.is_custom)
        manifests = [manifest for manifest in manifests if not manifest.is_custom]
        by_key = {manifest.key: manifest for manifest in manifests}
        plan = planning.plan([_without_ids(manifest) for manifest in manifests], options)
        deployed = deployment.external_dns(manifests)
        version = version or (deployed and deployed.profile) or EXTERNAL_DNS_VERSIONS[0]
        return cls(tuple(manifests), profile(version), plan, deployed, custom, by_key)

    @property
    def prefix(self) -> str:
        """The prefix of the annotations that ExternalDNS reads."""
        given = self.external_dns.value("--annotation-prefix") if self.external_dns else None
        return given or self.profile.annotation_prefix

    def of_kind(self, *kinds: str) -> Iterator[Manifest]:
        """The objects of some kinds, in the order of the manifests."""
        return (manifest for manifest in self.manifests if manifest.object["kind"] in kinds)

    @cached_property
    def claims(self) -> Mapping[str, tuple[Claim, ...]]:
        """Who claims a host (lower case), in the order of the manifests."""
        found: dict[str, list[Claim]] = {}
        for manifest in self.of_kind("Service", "Ingress"):
            for claim in self._claims_of(manifest):
                others = found.setdefault(claim.host.lower(), [])
                if not any(one.manifest is manifest for one in others):  # as a rule and in a certificate
                    others.append(claim)
        return {host: tuple(claims) for host, claims in found.items()}

    @cached_property
    def contested(self) -> Mapping[str, tuple[Claim, tuple[Claim, ...]]]:
        """The hosts that a Service and Ingresses both claim: the Service's claim, and the Ingresses'."""
        found = {}
        for host, claims in self.claims.items():
            services = [claim for claim in claims if claim.kind == "Service"]
            ingresses = tuple(claim for claim in claims if claim.kind == "Ingress")
            if services and ingresses:
                found[host] = services[0], ingresses
        return found

    @cached_property
    def moves(self) -> tuple[tuple[str, Claim, PlannedStack, Claim, PlannedStack], ...]:
        """For each contested host whose balancers can be built: host, Service, its NLB, Ingress, its ALB."""
        found = []
        for host, (service, ingresses) in self.contested.items():
            nlb = self.stack_of(service.manifest)
            for ingress in ingresses:
                alb = self.stack_of(ingress.manifest)
                if nlb and nlb.stack and alb and alb.stack:
                    found.append((host, service, nlb, ingress, alb))
        return tuple(found)

    def stack_of(self, manifest: Manifest) -> PlannedStack | None:
        """The balancer that an Ingress or Service becomes a part of, None if nobody takes it."""
        return next((item for item in self.plan.stacks if manifest.title in item.members), None)

    def members(self, stack: PlannedStack) -> Iterator[Manifest]:
        """The objects that a stack is made of."""
        return (manifest for manifest in self.manifests if manifest.title in stack.members)

    def service(self, namespace: str, name: str) -> Manifest | None:
        """A Service by its key."""
        return self._by_key.get(("Service", namespace, name))

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
    """The objects of files and folders; of an object that is defined again, the last definition.

    Raises:
        BadInput: as `testbed.kubernetes.manifests.load`; an object twice in one file is still refused.
    """
    latest: dict[tuple[str, str, str], Manifest] = {}
    for path in paths:
        for file in files.files_of(path):
            for manifest in files.load([file], custom=True):
                latest.pop(manifest.key, None)
                latest[manifest.key] = manifest
    return list(latest.values())


def annotation(manifest: Manifest, key: str) -> str | None:
    """The value of an annotation, None if it is not there."""
    value = (manifest.object["metadata"].get("annotations") or {}).get(key)
    return None if value is None else str(value)


def annotated(manifest: Manifest, key: str) -> Location:
    """The line of an annotation, or of the nearest field above it."""
    return manifest.line("metadata", "annotations", key)


def _without_ids(manifest: Manifest) -> Manifest:
    metadata = manifest.object["metadata"]
    given = metadata.get("annotations") or {}
    if not any(key in given for key in ACCOUNT):
        return manifest
    kept = {key: value for key, value in given.items() if key not in ACCOUNT}
    return manifest.with_object({**manifest.object, "metadata": {**metadata, "annotations": kept}})
