"""The order in which a sync sees the objects of a kind: random, as the real ExternalDNS walks a Go map.

```
slots of a Go map      a b . . . . . .      a walk starts at any of the eight and goes round:
                                            a b in seven of eight walks, b a in one
```

Source: Go's map iteration; ExternalDNS lists its objects from a client-go cache, which is such a map. Of
two equal claims the one that is seen first counts (`wrappers.deduplicated`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from testbed.external_dns.sources.source_table import KINDS, source_of

Object = Mapping[str, Any]
Order = Callable[[Sequence[Object], random.Random], list[Object]]
_SLOTS = 8
"""Slots of a small map, in which the objects keep the order in which they were added."""


def of_a_map(objects: Sequence[Object], dice: random.Random) -> list[Object]:
    """Order objects as a walk over a Go map does: a small one from a random slot, a larger one at random."""
    ordered = list(objects)
    if len(ordered) > _SLOTS:
        dice.shuffle(ordered)
        return ordered
    start = dice.randrange(_SLOTS)
    return ordered[start:] + ordered[:start]


def of_any_kind(objects: Sequence[Object], dice: random.Random) -> list[Object]:
    """Order objects at random, every order as likely, to find out whether the order matters."""
    ordered = list(objects)
    dice.shuffle(ordered)
    return ordered


class ShuffledObjects:
    """The objects of a cluster, at each sync in another order.

    The order is reproducible whatever the timing: its dice count the syncs since anything that the sources
    read last changed. What the objects claim has a part in the seed, so that no two states begin alike; ids
    that a run makes up have none.
    """

    def __init__(
        self, listed: Callable[[str], Sequence[Object]], prefix: str, seed: int, order: Order
    ) -> None:
        """Read the objects through a function that lists the objects of a kind.

        Args:
            listed: lists the objects of a kind.
            prefix: of the annotations by which objects claim names.
            seed: of the run.
            order: shuffles the objects of a kind.
        """
        self._listed, self._prefix, self._seed, self._order = listed, prefix, seed, order
        self._seen: object = None
        self._repeats = 0
        self._of_kind: Mapping[str, Sequence[Object]] = {}

    def dice(self) -> random.Random:
        """Return the dice of the next sync."""
        self._of_kind = {kind: self._sorted(kind) for kind in KINDS}
        objects = [item for items in self._of_kind.values() for item in items]
        # Not the whole object: its version and times change with every write, whatever the sources read.
        seen = [
            (
                _name(item),
                metadata.get("labels"),
                metadata.get("annotations"),
                item.get("spec"),
                item.get("status"),
            )
            for item in objects
            for metadata in (item["metadata"],)
        ]
        self._repeats = self._repeats + 1 if seen == self._seen else 0
        self._seen = seen
        claims = [(entry[0], self._claims(item)) for entry, item in zip(seen, objects, strict=True)]
        return random.Random(f"{self._seed}:{self._repeats}:{claims}")  # noqa: S311 the dice of a rehearsal

    def of_kinds(self, kinds: Iterable[str], dice: random.Random) -> list[Object]:
        """Return the objects of some kinds as the latest dice saw them, each kind shuffled."""
        return [item for kind in kinds for item in self._order(self._of_kind[kind], dice)]

    def _sorted(self, kind: str) -> list[Object]:
        # A fixed order before the dice, so that a seed gives the same order whatever the timing.
        return sorted(self._listed(kind), key=_name)

    def _claims(self, item: Object) -> list[str]:
        annotations = item["metadata"].get("annotations") or {}
        own = [f"{name}={value}" for name, value in annotations.items() if name.startswith(self._prefix)]
        if len(own) > 1:
            own.sort()
        source = source_of(item["kind"])
        if source:
            for hosts in source.hosts_in_spec(item).values():
                own += hosts
        return own


def _name(item: Object) -> tuple[str, str]:
    metadata = item["metadata"]
    return metadata.get("namespace", ""), metadata["name"]
