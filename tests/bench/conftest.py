"""The generator's surroundings, as `tests/traffic` has them."""

from __future__ import annotations

from tests.traffic.conftest import balancers, target, world

__all__ = ["balancers", "target", "world"]
