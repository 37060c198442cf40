"""A local testbed that rehearses an AWS NLB to ALB cutover with real packets.

A scenario imports all that it needs from three places:

```python
from testbed import Cutover, scenario
from testbed.conditions import active, alias_at, served_by
from testbed.faults import KILL
```
"""

from __future__ import annotations

import importlib

__version__ = "0.2.0"

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` takes as long to import as all else until Ctrl-C is heard (__main__.py)
    from typing import Any

# PEP 562, and by name: every child process imports this package, and few of them play a scenario. Their types
# stand in __init__.pyi.
_ON_FIRST_USE = {
    "Cutover": "testbed.rehearsal.cutover",
    "Manifests": "testbed.rehearsal.scenario",
    "Scenario": "testbed.rehearsal.scenario",
    "StandingBalancer": "testbed.rehearsal.scenario",
    "Targets": "testbed.rehearsal.scenario",
    "scenario": "testbed.rehearsal.scenario",
}


def __getattr__(name: str) -> Any:
    if name not in _ON_FIRST_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_ON_FIRST_USE[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_ON_FIRST_USE})
