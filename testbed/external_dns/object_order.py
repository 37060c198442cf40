"""The order in which a sync sees the objects of a kind: random, as that of the map that the real one walks.

```
slots of a Go map      a b . . . . . .      a walk starts at any of the eight and goes round:
                                            a b in seven of eight walks, b a in one
```

Source: Go's map iteration; ExternalDNS lists its objects from a client-go cache, which is such a map. Which
of two equal claims is seen first decides which one counts (`wrappers.deduplicated`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]
Order = Callable[[Sequence[Object], random.Random], list[Object]]
_SLOTS = 8
"""Of a small map, in which the objects stand in the order in which they came."""


def of_a_map(objects: Sequence[Object], dice: random.Random) -> list[Object]:
    """As a walk over a map finds them; where more than fit a small map stand is random too."""
    found = list(objects)
    if len(found) > _SLOTS:
        dice.shuffle(found)
        return found
    start = dice.randrange(_SLOTS)
    return found[start:] + found[:start]


def of_any_kind(objects: Sequence[Object], dice: random.Random) -> list[Object]:
    """Each order as likely as the others, for finding out whether the order decides."""
    found = list(objects)
    dice.shuffle(found)
    return found
