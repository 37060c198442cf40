"""How to move a name from one object to another, and back, without a gap. Pure.

The rules behind it: the object that the record's TXT names keeps the name as long as it claims it. When it
lets go while others claim the name, the record changes by an UPSERT. When no object claims it, it is deleted.
So the next holder claims first and the present holder lets go afterwards, on the way there and back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.dated_releases import Release
from testbed.external_dns.core.endpoint import Endpoint
from testbed.external_dns.core.plan import smallest
from testbed.external_dns.process.flags import Flags
from testbed.external_dns.sources.source_table import source_of

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Situation:
    """The state of a name after a sync.

    Attributes:
        holder: the object that the TXT names then, or "".
        claims: of all objects, equal claims too.
        items: the objects by their names in TXTs.
    """

    name: str
    holder: str
    claims: Sequence[Endpoint]
    items: Mapping[str, Object]
    flags: Flags
    release: Release

    @property
    def others(self) -> list[str]:
        """The objects that claim the name and do not hold it."""
        return sorted({one.resource for one in self.claims} - {self.holder})

    @property
    def is_held(self) -> bool:
        """True if the object that the TXT names claims the name."""
        return any(one.resource == self.holder for one in self.claims)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an operator, in words, and the commands that take it."""

    text: str
    commands: tuple[str, ...] = ()


def there(of: Situation) -> Iterator[Step]:
    """Yield the steps that move the name away from its holder."""
    if of.flags.registry == "noop":
        yield Step(
            "The noop registry remembers no holder: at every sync the smallest target wins. Remove the name "
            "from the claimant that has it, or let an object with a smaller target claim it."
        )
    elif not of.holder:
        yield Step(
            f"Let only the object that shall get {of.name} claim it until the TXT names that object; among "
            "several claimants of a new record the smallest target wins."
        )
    elif not of.is_held:
        yield Step(
            f"{of.holder}, which the TXT names, does not claim it: the record moves as soon as another "
            "object does."
        )
    else:
        if not of.others:
            yield Step(
                f"Let the next object claim {of.name} too, and wait until it has an address. Nothing moves "
                f"yet, because the TXT names {of.holder}."
            )
        yield _release(of, [of.holder], _next(of))


def back(of: Situation) -> Iterator[Step]:
    """Yield the steps that bring the name back to its present holder after such a move."""
    if of.flags.registry == "noop" or not of.is_held:
        return
    moves = "Nothing moves yet."
    if any(of.holder not in pair for pair in _equal_pairs(of)):
        moves = "Nothing should move yet, but by chance it may: see below."
    yield Step(f"Let {of.holder} claim it again first, and wait for a sync. {moves}", _reclaim(of, of.holder))
    yield _release(of, of.others, of.holder)


def cautions(of: Situation) -> Iterator[str]:
    """Yield what goes wrong otherwise."""
    if of.holder and of.flags.registry != "noop":
        if of.flags.policy == "sync":
            yield (
                "Never the other way round: if no object claims the name at one sync, ExternalDNS deletes "
                "the record, and resolvers cache the answer that there is none."
            )
        if of.flags.policy == "create-only":
            yield "--policy=create-only never changes a record that exists: none of this has an effect."
        for one, other in _equal_pairs(of):
            yield (
                f"{one} and {other} claim the same target: which one ExternalDNS sees is random at each "
                "sync. When the object that the TXT names is hidden, the smallest target gets the name. Let "
                "only one of them claim it before any other object claims it too."
            )
    if of.claims:
        yield (
            f"ExternalDNS sees a change at its next sync, up to {of.flags.interval:g} s later; then "
            "resolvers keep the old answer for its TTL, 60 s for an alias of a load balancer."
        )


def _release(of: Situation, resources: Sequence[str], winner: str) -> Step:
    who = " and ".join(resources) or "the other object"
    text = f"Let {who} go."
    if any(_names_in_spec(of.items[one]) for one in resources):
        places = sorted({place for one in resources for place in _places(of.items[one], of.name, of.flags)})
        text += (
            f" Remove the host from {' and '.join(places)}; or, for all names of the object at once and "
            "without touching its routes, set another controller as below."
        )
    text += f" The next sync moves the record by an UPSERT{f' to {winner}' if winner else ''}."
    return Step(text, tuple(_annotate(of, one, _letting_go) for one in resources))


def _reclaim(of: Situation, resource: str) -> tuple[str, ...]:
    return (_annotate(of, resource, _claiming),)


def _annotate(of: Situation, resource: str, change: Callable[[Situation, Object], str]) -> str:
    item = of.items[resource]
    _, namespace, name = resource.split("/")
    kind = item["kind"].lower()  # not the source's name, which need not be a resource that kubectl knows
    return f"kubectl annotate -n {namespace} {kind}/{name} {change(of, item)}"


def _letting_go(of: Situation, item: Object) -> str:
    prefix = of.flags.annotation_prefix
    if _names_in_spec(item):
        return f"{prefix}controller=none"
    rest = [host for host in _annotated_hosts(item, of.flags) if host.rstrip(".").lower() != of.name]
    return f"{prefix}hostname={','.join(rest)} --overwrite" if rest else f"{prefix}hostname-"


def _claiming(of: Situation, item: Object) -> str:
    prefix = of.flags.annotation_prefix
    if _names_in_spec(item):
        return f"{prefix}controller-"
    return f"{prefix}hostname={','.join(_annotated_hosts(item, of.flags))} --overwrite"


def _next(of: Situation) -> str:
    rest = [one for one in of.claims if one.resource != of.holder]
    if not rest:
        return ""
    winner = smallest(rest, of.release)
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
    for field, hosts in _hosts_in_spec(item).items():
        if any(host.lower() == name for host in hosts):
            yield field
    if name in (host.rstrip(".").lower() for host in _annotated_hosts(item, flags)):
        yield "the hostname annotation"


def _names_in_spec(item: Object) -> bool:
    """True for an object whose spec names hosts: its routes hang on them, so they cannot just go."""
    return bool(_hosts_in_spec(item))


def _hosts_in_spec(item: Object) -> Mapping[str, Sequence[str]]:
    source = source_of(item["kind"])
    return source.hosts_in_spec(item) if source else {}
