"""The service `aws` as `control` sees it: certificates, and news of changes, both over HTTP."""

from __future__ import annotations

import threading

from testbed.aws.changes import ChangeFeed
from testbed.errors import BadInput, TestbedError
from testbed.runtime.compose.http import Service
from testbed.settings import PATIENCE

SERVICES = ("route53", "elbv2", "acm")


class RemoteCertificates:
    """Certificates of ACM by their ARN, each asked for once."""

    def __init__(self, aws: Service) -> None:
        self._aws = aws
        self._known: dict[str, tuple[bytes, bytes]] = {}

    def get(self, arn: str) -> tuple[bytes, bytes]:
        """Chain and key as PEM. Raises `KeyError` for one that does not exist."""
        if arn not in self._known:
            try:
                found = self._aws.get("/certificate", arn=arn)
            except BadInput:
                raise KeyError(arn) from None
            self._known[arn] = found["chain"].encode(), found["key"].encode()
        return self._known[arn]


def follow_changes(aws: Service, changes: ChangeFeed, stop: threading.Event) -> None:
    """Bring the endpoint's news to a feed of this process, until `stop` is set."""
    heard = dict.fromkeys(SERVICES, 0)
    while not stop.is_set():
        try:
            news = aws.get("/changes", **heard)
        except TestbedError:
            stop.wait(PATIENCE.look)  # it is being restarted; what it says then is news as well
            continue
        for service, revision in news.items():
            if revision != heard[service]:
                heard[service] = revision
                changes.bump(service)
