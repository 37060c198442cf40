"""Whether two claims of one name lead to one load balancer, or make one record, as manifests show. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from testbed.dated_releases import Release
from testbed.external_dns.core.facts import Fact
from testbed.kubernetes import object_fields
from testbed.kubernetes.manifests import Manifest
from testbed.lb_controller.offline.stack_plan import Plan


@dataclass(frozen=True, slots=True)
class SharedBalancers:
    """The load balancers of some objects.

    Attributes:
        manifests: the objects that are planned.
        custom: custom resources beside them.
        prefix: of the annotations that ExternalDNS reads.
    """

    plan: Plan
    manifests: Sequence[Manifest]
    custom: Sequence[Manifest]
    prefix: str

    def of(self, manifest: Manifest) -> str:
        """A text that is equal for objects whose claims lead to one load balancer."""
        target = object_fields.annotations_of(manifest.object).get(self.prefix + "target")
        if target and manifest.object["kind"] == "Ingress":
            return str(target)
        if own := next((one for one in self.plan.stacks if manifest.title in one.members), None):
            return own.title
        other = next((one for one in self.plan.unplanned if one.item == manifest.title), None)
        if other is None:
            return manifest.title  # e.g. a Service of type ExternalName
        if other.addresses:
            return self._stack_at(other.addresses) or ", ".join(other.addresses)
        if other.makes_one_each:
            return self._group_in_auto_mode(manifest) or manifest.title
        return other.taker

    def _stack_at(self, addresses: tuple[str, ...]) -> str:
        """The stack with these addresses: an Ingress may publish those of its controller's Service."""
        having = {
            one.title for one in self.manifests if object_fields.balancer_addresses(one.object) == addresses
        }
        return next((one.title for one in self.plan.stacks if having & set(one.members)), "")

    def _group_in_auto_mode(self, manifest: Manifest) -> str:
        """The group of an Ingress of EKS Auto Mode, which the parameters of its class name; "" if none."""
        key = "IngressClass", "", object_fields.spec(manifest.object).get("ingressClassName")
        installed = next((one.object for one in self.manifests if one.key == key), None)
        parameters = object_fields.spec(installed).get("parameters") or {}
        if not parameters.get("name"):
            return ""
        for one in self.custom:
            if one.key[0].startswith("IngressClassParams.") and one.key[2] == parameters["name"]:
                return str((object_fields.spec(one.object).get("group") or {}).get("name") or "")
        return f"IngressClassParams {parameters['name']}"  # they may name a group


def are_one_record(release: Release, one: Manifest, other: Manifest) -> bool:
    """True if the release makes one record of two objects: of IP addresses of one source from v0.21 on."""
    both = [object_fields.balancer_addresses(each.object) for each in (one, other)]
    return (
        release.has(Fact.INGRESSES_MERGED)
        and one.object["kind"] == other.object["kind"]
        and all(both)
        and all(_is_ip(address) for addresses in both for address in addresses)
    )


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
