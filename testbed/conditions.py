"""The conditions that a scenario waits for or expects, and what is needed to write one.

```python
from testbed.conditions import Condition, Observation, Observer

def serves_half() -> Condition:
    def look(observer: Observer) -> Observation:
        nlb, alb = observer.served_in_step("nlb"), observer.served_in_step("alb")
        return Observation(alb >= nlb > 0, f"NLB {nlb}, ALB {alb}")

    return Condition("the ALB serves half of the requests", look)
```
"""

from __future__ import annotations

from testbed.rehearsal.conditions import (
    Condition,
    Observation,
    active,
    alias_at,
    answers_by_its_own_name,
    claimed_by,
    drained,
    forwards,
    gone,
    logged,
    no_record,
    not_logged,
    only_one,
    only_served_by,
    served_by,
    synced,
    weights,
)
from testbed.rehearsal.observer import Observer

__all__ = [
    "Condition",
    "Observation",
    "Observer",
    "active",
    "alias_at",
    "answers_by_its_own_name",
    "claimed_by",
    "drained",
    "forwards",
    "gone",
    "logged",
    "no_record",
    "not_logged",
    "only_one",
    "only_served_by",
    "served_by",
    "synced",
    "weights",
]
