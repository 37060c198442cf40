"""The load balancers of a run by the names that everything in its verdict uses.

A name is a key of counts, moves and moments, and a heading of the reports. Two more keys stand for requests
whose balancer is not known, so that such a request is never counted for a balancer: NONE, no target answered,
so the way is not known; UNKNOWN, a target answered, but its peer was not a node of one balancer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from testbed import journal
from testbed.balancer_identity import BalancerIdentity, BalancerNames, phrase, plain_dns_name
from testbed.errors import BadInput
from testbed.network import BALANCER_TYPES


@dataclass(frozen=True, slots=True)
class Balancers:
    """The balancers that a run had.

    Attributes:
        names: resolves names.
        by_name: the balancers in the order of the reports' columns. An NLB and an ALB, in this order, if a
            run has at most one of each type and gives no names: readers of `summary.json` rely on both.
    """

    names: BalancerNames
    by_name: Mapping[str, BalancerIdentity]

    @classmethod
    def of(cls, events: Iterable[journal.Balancer], given: Iterable[journal.BalancerNamed]) -> Balancers:
        """Return the balancers of a journal's events, with the names that its scenario gave."""
        names = BalancerNames()
        for event in events:
            names = names.with_balancer(
                BalancerIdentity(plain_dns_name(event.dns_name), event.type, event.scheme, event.owner)
            )
        for name in given:
            # A run refuses a name that is not valid, so only a journal made by hand has one.
            with suppress(BadInput):
                names = names.with_name(name.name, name.balancer)
        by_name = names.by_name
        of_type = Counter(one.type for one in by_name.values())
        if all(of_type[kind] <= 1 for kind in BALANCER_TYPES):
            known = {one.type: (name, one) for name, one in by_name.items()}
            pairs = [
                known.get(kind) or (kind, BalancerIdentity("", kind))
                for kind in BALANCER_TYPES
                if kind in known or not names.given
            ]
            by_name = dict(pairs)
        return cls(names, by_name)

    def name_of(self, dns_name: str) -> str:
        """Return the name of the balancer with a DNS name."""
        return self.names.name(dns_name)

    def by_dns_name(self) -> Mapping[str, str]:
        """Map each balancer's DNS name, in its plain form, to its name."""
        return {one.dns_name: name for name, one in self.by_name.items() if one.dns_name}

    def resolve(self, name: str) -> Sequence[str]:
        """Return the names of the balancers that a name means: several if one object made several.

        Raises:
            BadInput: the name means no balancer that can be, or one of several.
        """
        return self.names.names_of(self.names.resolve(name))


def begin(name: str) -> str:
    """Return a balancer's name as the beginning of a sentence: `The NLB`, `service/shop/envoy`."""
    text = phrase(name)
    return f"{text[:1].upper()}{text[1:]}" if name in BALANCER_TYPES else text
