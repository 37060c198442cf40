"""The clients of a scenario: which calls they make, and what answers behind the target Envoys.

```python
from testbed import scenario
from testbed.clients import Call, Traffic

@scenario("Our move", host="api.example.com", traffic=Traffic(calls=(Call("rest", "/carts", method="GET"),)))
```

`traffic="traffic.toml"` names a file instead, and without `traffic` the clients call the sample service.
"""

from __future__ import annotations

from testbed.traffic.calls import Call
from testbed.traffic.description import Backend, Traffic, load

__all__ = ["Backend", "Call", "Traffic", "load"]
