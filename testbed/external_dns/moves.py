"""How an operator moves a name from one object to another, and back, without a gap. Pure.

The rules behind it: the object that the record's TXT names keeps the name for as long as it claims it; when
it lets go while others claim the name, the record changes by an UPSERT; when nobody claims it, it is deleted.
So the next holder claims first and the present one lets go after it, on the way there and on the way back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.external_dns.endpoint import Endpoint
from testbed.external_dns.flags import Flags
from testbed.external_dns.plan import smallest
from testbed.external_dns.profile import Profile

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Situation:
    """A name after a sync.

    Attributes:
        holder: the object that the TXT names then, or "".
        claims: of all objects, equal ones too.
        items: the objects by their names in TXTs.
    """

    name: str
    holder: str
    claims: Sequence[Endpoint]
    items: Mapping[str, Object]
    flags: Flags
    profile: Profile

    @property
    def others(self) -> list[str]:
        """Who claims the name and does not hold it."""
        return sorted({one.resource for one in self.claims} - {self.holder})

    @property
    def is_held(self) -> bool:
        """Whether the object that the TXT names claims the name."""
        return any(one.resource == self.holder for one in self.claims)


@dataclass(frozen=True, slots=True)
class Step:
    """What to do, in words, and the commands that do it."""

    text: str
    commands: tuple[str, ...] = ()


def there(of: Situation) -> Iterator[Step]:
    """The steps that move the name away from its holder."""
    if of.flags.registry == "noop":
        yield Step(
            "The noop registry remembers no holder: at every sync the smallest target wins. Take the name "
            "away from the claimant that has it, or let one with a smaller target claim it."
        )
    elif not of.holder:
        yield Step(
            f"Let only the object that shall have {of.name} claim it until its TXT names that object; of "
            "several the one with the smallest target gets a new record."
        )
    elif not of.is_held:
        yield Step(
            f"{of.holder}, which the TXT names, does not claim it: the record moves as soon as another does."
        )
    else:
        if not of.others:
            yield Step(
                f"Let the next object claim {of.name} too, and wait until it has an address. Nothing moves "
                f"yet, for the TXT names {of.holder}."
            )
        yield _release(of, [of.holder], _next(of))


def back(of: Situation) -> Iterator[Step]:
    """The steps that bring the name back to its present holder after such a move."""
    if of.flags.registry == "noop" or not of.is_held:
        return
    moves = "Nothing moves yet."
    if any(of.holder not in pair for pair in _equal_pairs(of)):
        moves = "Nothing should move yet, but by chance it may: see below."
    yield Step(f"Let {of.holder} claim it again first, and wait for a sync. {moves}", _reclaim(of, of.holder))
    yield _release(of, of.others, of.holder)


def cautions(of: Situation) -> Iterator[str]:
    """What goes wrong otherwise."""
    if of.holder and of.flags.registry != "noop":
        if of.flags.policy == "sync":
            yield (
                "Never the other way round: if for one sync nobody claims the name, ExternalDNS deletes the "
                "record, and resolvers keep the answer that there is none."
            )
        if of.flags.policy == "create-only":
            yield "--policy=create-only never changes a record that exists: nothing of this has an effect."
        for one, other in _equal_pairs(of):
            yield (
                f"{one} and {other} claim the same target: which of them is seen is random at each sync. "
                "When the one that the TXT names is hidden, the smallest target gets the name. Let only one "
                "of them claim it before anything else claims it too."
            )
    if of.claims:
        yield (
            f"A change is seen at the next sync, up to {of.flags.interval:g} s later; then resolvers keep "
            "the old answer for its TTL, 60 s for an alias of a load balancer."
        )


def _release(of: Situation, resources: Sequence[str], winner: str) -> Step:
    who = " and ".join(resources) or "the other object"
    text = f"Let {who} go."
    if any(of.items[one]["kind"] != "Service" for one in resources):
        places = sorted({place for one in resources for place in _places(of.items[one], of.name, of.flags)})
        text += (
            f" Take the host out of {' and '.join(places)}; or, for all names of the object at once and "
            "without touching its routes, give it another controller as below."
        )
    text += f" The next sync moves the record by an UPSERT{f' to {winner}' if winner else ''}."
    return Step(text, tuple(_annotate(of, one, _letting_go) for one in resources))


def _reclaim(of: Situation, resource: str) -> tuple[str, ...]:
    return (_annotate(of, resource, _claiming),)


def _annotate(of: Situation, resource: str, change: Callable[[Situation, Object], str]) -> str:
    kind, namespace, name = resource.split("/")
    return f"kubectl annotate -n {namespace} {kind}/{name} {change(of, of.items[resource])}"


def _letting_go(of: Situation, item: Object) -> str:
    prefix = of.flags.annotation_prefix
    if item["kind"] != "Service":
        return f"{prefix}controller=none"
    rest = [host for host in _annotated_hosts(item, of.flags) if host.rstrip(".").lower() != of.name]
    return f"{prefix}hostname={','.join(rest)} --overwrite" if rest else f"{prefix}hostname-"


def _claiming(of: Situation, item: Object) -> str:
    prefix = of.flags.annotation_prefix
    if item["kind"] != "Service":
        return f"{prefix}controller-"
    return f"{prefix}hostname={','.join(_annotated_hosts(item, of.flags))} --overwrite"


def _next(of: Situation) -> str:
    rest = [one for one in of.claims if one.resource != of.holder]
    if not rest:
        return ""
    winner = smallest(rest, of.profile)
    equal = sorted({one.resource for one in rest if one.targets == winner.targets})
    why = ", the smallest target" if len({one.targets for one in rest}) > 1 else ""
    return " or ".join(equal) + why


def _equal_pairs(of: Situation) -> Iterator[tuple[str, str]]:
    by_target: dict[tuple[str, ...], list[str]] = {}
    for one in of.claims:
        resources = by_target.setdefault((one.type, *one.targets), [])
        if one.resource not in resources:
            resources.append(one.resource)
    pairs = {(names[0], other) for names in map(sorted, by_target.values()) for other in names[1:]}
    yield from sorted(pairs)


def _annotated_hosts(item: Object, flags: Flags) -> list[str]:
    text = (item["metadata"].get("annotations") or {}).get(f"{flags.annotation_prefix}hostname", "")
    return [host for host in text.replace(" ", "").split(",") if host]


def _places(item: Object, name: str, flags: Flags) -> Iterator[str]:
    spec = item.get("spec") or {}
    if any((rule.get("host") or "").lower() == name for rule in spec.get("rules") or ()):
        yield "spec.rules"
    if any(host.lower() == name for tls in spec.get("tls") or () for host in tls.get("hosts") or ()):
        yield "spec.tls"
    if name in (host.rstrip(".").lower() for host in _annotated_hosts(item, flags)):
        yield "the hostname annotation"
