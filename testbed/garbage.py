"""When Python's garbage collector walks the objects of a process.

By default it does so after every 700 new objects, and again and again over all of them. A process of a run
imports and builds for a second what then stays: a quarter of a second of the start went into walks that found
nothing.
"""

from __future__ import annotations

import gc

_YOUNG, _MIDDLE = 10_000, 20
_ALL, _ALL_WHERE_A_PAUSE_IS_SEEN = 20, 1_000
"""New objects before a walk over them; walks before one over the survivors; of those, before one over all."""


def collect_seldom() -> None:
    """Walk new objects less often, and all of them hardly ever. Call it before the imports."""
    gc.set_threshold(_YOUNG, _MIDDLE, _ALL)


def keep_what_is_there() -> None:
    """Never walk again what there is now. Call it when a server is ready.

    From then on each walk is a pause that a request can see, so one over all objects comes even later.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _ALL_WHERE_A_PAUSE_IS_SEEN)
