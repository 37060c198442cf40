"""The syncs of an ExternalDNS as its metrics show them: how many have begun, how many have ended.

```
external_dns_controller_last_reconcile_timestamp_seconds   set when a sync begins (since v0.14.0)
external_dns_controller_last_sync_timestamp_seconds        set when a sync ends without an error
```
A sync reads the records of Route 53 first and the objects after them. Source: controller.go (RunOnce).
"""

from __future__ import annotations

import re

_BEGUN = "external_dns_controller_last_reconcile_timestamp_seconds"
_ENDED = "external_dns_controller_last_sync_timestamp_seconds"
_SAMPLE = re.compile(r"(\w+)(?:\{[^}]*\})? (\S+)")


class SyncTimes:
    """Counts the syncs from pages that are read more often than there are syncs.

    Attributes:
        started, finished: how many. Where the beginning is not shown, a sync counts as begun as soon as the
            one before has ended: then `finished` of a later time never has a sync that began before.
    """

    def __init__(self) -> None:
        self.started = self.finished = 0
        self._begun = self._ended = 0.0

    def read(self, page: str) -> None:
        """Read a page of metrics in the text form of Prometheus."""
        values = {found[1]: float(found[2]) for found in map(_SAMPLE.match, page.splitlines()) if found}
        if _ENDED not in values:
            return
        begun, ended = values.get(_BEGUN), values[_ENDED]
        if begun is None:
            self.finished += ended != self._ended
            self.started = self.finished + 1
        else:
            if begun != self._begun:
                # Only one runs at a time, so those before it have ended, with an error or without.
                self.finished = self.started
                self.started += 1
            if ended > begun:
                self.finished = self.started
            self._begun = begun
        self._ended = ended
