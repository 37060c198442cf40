"""Every open connection of an edge is reset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from testbed.faults.injected_fault import registered
from testbed.faults.struck_edge import StruckEdge


@registered
@dataclass(frozen=True, slots=True)
class EdgeReset(StruckEdge):
    """All connections of an edge that are open when it begins are reset (RST); new ones are not struck."""

    name: ClassVar[str] = "edge-reset"
    numbers: ClassVar[tuple[int, ...]] = (22,)
