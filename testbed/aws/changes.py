"""Tells the readers of an AWS service that it was changed, so that nobody needs to poll it."""

from __future__ import annotations

import threading
from collections import Counter


class ChangeFeed:
    """A revision for each service (`route53`, `elbv2`, `acm`), raised by the endpoint. Thread-safe."""

    def __init__(self) -> None:
        self._revisions: Counter[str] = Counter()
        self._moved = threading.Condition()

    def revision(self, service: str) -> int:
        """A number that grows with each successful mutating call of the service."""
        return self._revisions[service]

    def bump(self, service: str) -> None:
        """Say that the service was changed."""
        with self._moved:
            self._revisions[service] += 1
            self._moved.notify_all()

    def wait(self, service: str, since: int, wall_seconds: float) -> int:
        """Wait until the revision is beyond `since`, `wall_seconds` at most; the revision then."""
        with self._moved:
            self._moved.wait_for(lambda: self._revisions[service] > since, wall_seconds)
            return self._revisions[service]
