"""What real clients and proxies do when an alias moves: a value for each, measured on the real library.

```
ClientModel ── looks_up, cache, min_lookup_interval, on_new_answer, max_idle …    what it does
     │  └───── Source: library, version, date, experiments; extrapolated          how that is known
     ▼
Population: shares of models, with resolver, connection ages, region              who calls
```

Traffic plays a model in real packets; a forecast computes it for populations that no machine can play.
"""

from __future__ import annotations

from testbed.client_models.catalogue import MODELS, model_named
from testbed.client_models.client_model import (
    NEVER,
    AddressCache,
    ClientModel,
    LookUp,
    NegativeCache,
    OnNewAnswer,
    Source,
)
from testbed.client_models.population import DEFAULT_POPULATION, Part, Population

__all__ = [
    "DEFAULT_POPULATION",
    "MODELS",
    "NEVER",
    "AddressCache",
    "ClientModel",
    "LookUp",
    "NegativeCache",
    "OnNewAnswer",
    "Part",
    "Population",
    "Source",
    "model_named",
]
