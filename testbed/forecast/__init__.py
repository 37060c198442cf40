"""What a population of any size does after the alias moves: the client models in closed form, no packets.

```
Part ──► Leaving: when its clients leave     ──► Spread: per second  ──► Drain of the old balancer
          (period of look-ups, resolver)               of the day    └──► Ramp of the new one, capacity
```

Nothing is drawn by lot and no client is counted one by one: a forecast of ten million costs what one of a
thousand costs.
"""

from __future__ import annotations

from testbed.forecast.drain_forecast import Drain, PartOfDrain
from testbed.forecast.forecasting import Circumstances, Forecast, forecast
from testbed.forecast.leaving import Leaving, leaving
from testbed.forecast.ramp import Ramp

__all__ = [
    "Circumstances",
    "Drain",
    "Forecast",
    "Leaving",
    "PartOfDrain",
    "Ramp",
    "forecast",
    "leaving",
]
