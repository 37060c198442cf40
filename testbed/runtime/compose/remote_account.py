"""The service `aws` as `control` sees it: certificates and notices of changes, both over HTTP."""

from __future__ import annotations

import threading

from testbed.aws.change_feed import ChangeFeed
from testbed.errors import BadInput, TestbedError
from testbed.runtime.compose.service_client import Service
from testbed.settings import PATIENCE

SERVICES = ("route53", "elbv2", "acm")


class RemoteCertificates:
    """Certificates of ACM by their ARN; each is fetched once."""

    def __init__(self, aws: Service) -> None:
        self._aws = aws
        self._known: dict[str, tuple[bytes, bytes]] = {}

    def get(self, arn: str) -> tuple[bytes, bytes]:
        """Return chain and key as PEM.

        Raises:
            KeyError: there is no such certificate.
        """
        if arn not in self._known:
            try:
                issued = self._aws.get("/certificate", arn=arn)
            except BadInput:
                raise KeyError(arn) from None
            self._known[arn] = issued["chain"].encode(), issued["key"].encode()
        return self._known[arn]


def follow_changes(aws: Service, changes: ChangeFeed, stop: threading.Event) -> None:
    """Publish the endpoint's changes in a feed of this process, until `stop` is set."""
    seen = dict.fromkeys(SERVICES, 0)
    while not stop.is_set():
        try:
            revisions = aws.get("/changes", **seen)
        except TestbedError:
            stop.wait(PATIENCE.look)  # it restarts, and reports all changes afterwards
            continue
        for service, revision in revisions.items():
            if revision != seen[service]:
                seen[service] = revision
                changes.bump(service)
