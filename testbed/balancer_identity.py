"""The identity of load balancers, and the names by which a scenario and its report refer to them.

```
old                                 a name that the scenario gave
nlb, alb                            the only balancer of its type in the run
service/shop/envoy                  its owner: the object that makes it
ingress/shop/web                    likewise, an Ingress without a group
ingress-group/shop                  likewise, a group of Ingresses
gateway/shop/edge                   likewise, a Gateway
service/shop/envoy (2)              the second that the same object makes, of another scheme, say
shop-0123456789abcdef.elb...        its DNS name, which always works
```

Owners are read from the tags that the controllers write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from testbed.errors import BadInput
from testbed.network import BALANCER_TYPES, BalancerType

OWNER_TAG = "testbed/owner"
"""Tag of a balancer that stands in for one of another controller: the object that has it."""
OWNER_KINDS = ("service", "ingress", "ingress-group", "gateway")
NONE, UNKNOWN = "none", "unknown"
"""Keys of counts beside the names: requests that no target answered, and those through no known balancer."""
RESERVED = (*BALANCER_TYPES, NONE, UNKNOWN)
"""Names that a scenario cannot give."""
_OWNER = re.compile(rf"(?:{'|'.join(OWNER_KINDS)})(?:/[a-z0-9][a-z0-9.-]*){{1,2}}")
_NAMESPACED_ONLY_BY_NAME = re.compile(r"(service|ingress|gateway)/([^/ ]+)((?: .*)?)")
_NUMBERED = re.compile(r"(.+) \(([1-9][0-9]*)\)")
_GIVEN = re.compile(r"[a-z][a-z0-9_-]*")
_DNS_NAME = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")


@dataclass(frozen=True, slots=True)
class BalancerIdentity:
    """A load balancer, with all that never changes while it exists.

    Attributes:
        dns_name: unique in a run.
        type: nlb or alb.
        scheme: `internal` or `internet-facing`; "" if it is not known.
        owner: the object that makes it, `service/shop/envoy`; "" if no controller makes it.
    """

    dns_name: str
    type: BalancerType
    scheme: str = ""
    owner: str = ""


def owner_of(tags: Mapping[str, str]) -> str:
    """Return the owner of the balancer with these ELBv2 tags; "" if no controller wrote them.

    Sources: aws-load-balancer-controller, pkg/deploy/tracking/provider.go; kubernetes 1.19
    legacy-cloud-providers/aws, `TagNameKubernetesService`.
    """
    if foreign := tags.get(OWNER_TAG):
        return foreign
    if group := tags.get("ingress.k8s.aws/stack"):
        return f"ingress/{group}" if "/" in group else f"ingress-group/{group}"
    for kind in ("alb", "nlb"):
        if gateway := tags.get(f"gateway.k8s.aws.{kind}/stack"):
            return f"gateway/{gateway}"
    service = tags.get("service.k8s.aws/stack") or tags.get("kubernetes.io/service-name")
    return f"service/{service}" if service else ""


def title(name: str) -> str:
    """Return a name as a heading has it: `NLB` for `nlb`, and any other name as it is."""
    return name.upper() if name in BALANCER_TYPES else name


def phrase(name: str) -> str:
    """Return a name as a sentence has it: `the NLB` for `nlb`, and any other name as it is."""
    return f"the {name.upper()}" if name in BALANCER_TYPES else name


def is_owner(name: str) -> bool:
    """True if a name has the form of an owner, with or without a number."""
    return bool(_OWNER.fullmatch(owner_in(name)))


def owner_in(name: str) -> str:
    """Return the owner in a name, without its number: `service/shop/envoy` of `service/shop/envoy (2)`."""
    reference = _reference(name)
    numbered = _NUMBERED.fullmatch(reference)
    return numbered[1] if numbered else reference


def plain_dns_name(dns_name: str) -> str:
    """Return a DNS name in the form in which it is compared: an alias may write it in other ways."""
    return dns_name.rstrip(".").lower().removeprefix("dualstack.")


@dataclass(frozen=True, slots=True)
class BalancerNames:
    """All balancers that a run has had, in the order in which they appeared, and the names that were given.

    Attributes:
        balancers: the balancers, also those that are deleted by now.
        given: what each given name stands for: an owner, a numbered owner, a DNS name, or a type. Each
            means one balancer, the first that fits.
    """

    balancers: tuple[BalancerIdentity, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)

    def with_balancer(self, balancer: BalancerIdentity) -> BalancerNames:
        """Return the names with one more balancer; the same names if its DNS name is known already."""
        if self.get(balancer.dns_name):
            return self
        return replace(self, balancers=(*self.balancers, balancer))

    def with_name(self, name: str, balancer: str) -> BalancerNames:
        """Return the names with one more given name.

        Args:
            name: the name, e.g. `old`.
            balancer: what it stands for: an owner, a numbered owner, a DNS name, or `nlb` or `alb`.

        Raises:
            BadInput: the name cannot be given, or `balancer` names nothing that can exist.
        """
        reference = _reference(balancer)
        if name in RESERVED or not _GIVEN.fullmatch(name):
            raise BadInput(
                f"{name!r} cannot be the name of a balancer",
                do=f"use small letters, digits, - and _, and none of {', '.join(RESERVED)}",
            )
        if (earlier := self.given.get(name, reference)) != reference:
            raise BadInput(f"{name!r} is the name of {earlier} already", do="give another name")
        if not _can_exist(reference):
            raise unknown(balancer, self.by_name)
        return replace(self, given={**self.given, name: reference})

    def get(self, dns_name: str) -> BalancerIdentity | None:
        """Return the balancer with a DNS name, or None."""
        plain = plain_dns_name(dns_name)
        return next((one for one in self.balancers if plain_dns_name(one.dns_name) == plain), None)

    def name(self, dns_name: str) -> str:
        """Return the name of the balancer with a DNS name; the DNS name itself if the run has had none."""
        balancer = self.get(dns_name)
        if balancer is None:
            return plain_dns_name(dns_name)
        for name, reference in self.given.items():
            if balancer in self._meant(reference)[:1]:
                return name
        if len(self._of_type(balancer.type)) == 1:
            return balancer.type
        if not balancer.owner:
            return plain_dns_name(dns_name)
        siblings = self._of_owner(balancer.owner)
        return balancer.owner if len(siblings) == 1 else f"{balancer.owner} ({siblings.index(balancer) + 1})"

    @property
    def by_name(self) -> dict[str, BalancerIdentity]:
        """All balancers by their names, in the order in which they appeared."""
        return {self.name(one.dns_name): one for one in self.balancers}

    def resolve(self, name: str) -> tuple[BalancerIdentity, ...]:
        """Return the balancers that a name means, in the order in which they appeared.

        They are several if one object has made several. They are none if the name is that of an owner, or a
        DNS name, that the run has not had yet; or `nlb` or `alb`, and there is none of that type.

        Raises:
            BadInput: the name means nothing, or is short and stands for balancers of several owners.
        """
        if reference := self.given.get(name):
            return self._meant(reference)[:1]
        reference = _reference(name)
        if reference in BALANCER_TYPES:
            of_type = self._of_type(reference)
            if len({one.owner or one.dns_name for one in of_type}) > 1:
                raise ambiguous(reference, self.names_of(of_type))
        elif not _can_exist(reference):
            raise unknown(name, dict.fromkeys((*self.given, *self.by_name)))
        return self._meant(reference)

    def _meant(self, reference: str) -> tuple[BalancerIdentity, ...]:
        """Return the balancers of a reference, of all owners if it is a type."""
        if reference in BALANCER_TYPES:
            return self._of_type(reference)
        if balancer := self.get(reference):
            return (balancer,)
        if numbered := _NUMBERED.fullmatch(reference):
            index = int(numbered[2]) - 1
            return self._of_owner(numbered[1])[index : index + 1]
        return self._of_owner(reference)

    def _of_type(self, kind: str) -> tuple[BalancerIdentity, ...]:
        return tuple(one for one in self.balancers if one.type == kind)

    def _of_owner(self, owner: str) -> tuple[BalancerIdentity, ...]:
        return tuple(one for one in self.balancers if one.owner == owner)

    def names_of(self, balancers: Iterable[BalancerIdentity]) -> list[str]:
        """Return the names of some balancers."""
        return [self.name(one.dns_name) for one in balancers]


def ambiguous(kind: str, names: Iterable[str]) -> BadInput:
    """Return the error of a short name where a run has balancers of several owners."""
    names = list(names)
    return BadInput(
        f"{kind!r} is ambiguous: the run has {len(names)} {kind.upper()}s", do=f"write {_choice(names)}"
    )


def unknown(name: str, names: Iterable[str]) -> BadInput:
    """Return the error of a name that means no balancer."""
    names = list(names)
    forms = "nlb, alb, or an owner such as service/shop/envoy, ingress-group/shop or gateway/shop/edge"
    return BadInput(f"no balancer has the name {name!r}", do=f"write {_choice(names) if names else forms}")


def _choice(names: list[str]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]


def _reference(text: str) -> str:
    """Return an owner with its namespace, as kubectl adds `default`; a DNS name in its plain form."""
    plain = plain_dns_name(text.strip())
    if by_name := _NAMESPACED_ONLY_BY_NAME.fullmatch(plain):
        return f"{by_name[1]}/default/{by_name[2]}{by_name[3]}"
    return plain


def _can_exist(reference: str) -> bool:
    return reference in BALANCER_TYPES or is_owner(reference) or bool(_DNS_NAME.fullmatch(reference))
