"""The scenario language: steps, actions, expectations and invariants of a cutover, and its verdict."""

from __future__ import annotations

from testbed.rehearsal.cutover import Cutover
from testbed.rehearsal.scenario import Scenario, scenario

__all__ = ["Cutover", "Scenario", "scenario"]
