"""The addresses that a client has looked up, and when it must look again, by the rule of its model (pure).

```
request or connect ──► is_due? ──yes──► look up ──► learn ──► addresses, or a problem
                          └──no───────────────────────────►
```
"""

from __future__ import annotations

import math

from testbed.client_models.client_model import ClientModel, LookUp
from testbed.resolvers.resolver import Answer
from testbed.resolvers.resolver_model import Outcome


class AddressBook:
    """The addresses of one name in one process. Times are production seconds of one clock.

    Attributes:
        addresses: what the client uses; () if the name has none for it.
        problem: why there is none.
    """

    def __init__(self, model: ClientModel) -> None:
        self._model = model
        self._looked_up: float | None = None
        self._ttl = 0.0
        self._negative_until = -math.inf
        self.addresses: tuple[str, ...] = ()
        self.problem = ""

    def is_due(self, now: float) -> bool:
        """True if the client looks up the name before it uses an address at `now`."""
        if self._looked_up is None:
            return True
        if self._model.looks_up is LookUp.INTERVAL:
            return False  # its timer looks up, whatever the requests do
        if now < self._negative_until:
            return False
        if not self.addresses:
            return True
        return self._model.looks_up_at(now, self._looked_up, self._ttl) is not None

    def learn(self, now: float, answer: Answer) -> None:
        """Take the answer of a look-up that ended at `now`."""
        self._looked_up = now
        self._negative_until = -math.inf
        if answer.addresses:
            self.addresses, self._ttl, self.problem = answer.addresses, answer.ttl, ""
            return
        self.problem = answer.outcome.value
        if not self._model.keeps_addresses:
            self.addresses = ()
        if answer.outcome in (Outcome.NO_NAME, Outcome.NO_DATA):
            self._negative_until = now + self._model.negative.lifetime(answer.soa_ttl, answer.soa_minimum)

    def refused(self) -> None:
        """Note that no address took a connection: few clients look up again then."""
        if self._model.cache.dropped_when_refused:
            self._looked_up = None
