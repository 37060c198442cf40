"""The scenario language: steps, acts, conditions and expectations of a cutover."""

from __future__ import annotations

from testbed.rehearsal.cutover import Cutover
from testbed.rehearsal.scenario import Scenario, scenario

__all__ = ["Cutover", "Scenario", "scenario"]
