"""Lets targets or balancers serve certificates that no client takes, and their own again afterwards."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from testbed import loopback_http
from testbed.aws.certificate_store import CertificateStore, serial
from testbed.aws.change_feed import ChangeFeed
from testbed.aws.served_certificates import ServedCertificates
from testbed.errors import Missing
from testbed.faults.spoilt_certificates import Spoilt
from testbed.runtime.components.envoy_process import Envoy, write_whole
from testbed.runtime.components.target_envoys import secret
from testbed.settings import PATIENCE


@contextmanager
def targets_spoilt(
    how: Spoilt, host: str, store: CertificateStore, targets: Sequence[Envoy]
) -> Iterator[None]:
    """Let the TLS listeners of targets serve a spoilt certificate of a host while the block lasts.

    Raises:
        Missing: a target does not take it.
    """
    certificate, key = store.spoilt_target_certificate(how, host)
    spoilt = {serial(certificate.read_bytes())}
    try:
        for path in (path for one in targets for path in one.files):
            write_whole(path, secret(certificate, key))
        _wait(lambda: all(serials(one.admin) & spoilt for one in targets))
        yield
    finally:
        for path, document in (item for one in targets for item in one.files.items()):
            write_whole(path, document)
        _settle(lambda: not any(serials(one.admin) & spoilt for one in targets))


@contextmanager
def balancers_spoilt(
    how: Spoilt,
    served: ServedCertificates,
    changes: ChangeFeed,
    admins: Sequence[str],
    has_certificates: Callable[[], bool],
) -> Iterator[None]:
    """Let the balancers serve spoilt certificates while the block lasts.

    Args:
        admins: URLs of the admin interfaces of their Envoys.
        has_certificates: whether a listener has one; else there is nothing to wait for.

    Raises:
        Missing: they do not take it.
    """

    def shown() -> set[str]:
        return {number for admin in admins for number in serials(admin)} & served.spoilt

    try:
        with served.spoiling(how):
            changes.bump("acm")
            _wait(lambda: not has_certificates() or bool(shown()))
            yield
    finally:
        changes.bump("acm")
        _settle(lambda: not shown())


def serials(admin: str) -> set[str]:
    """Return the serial numbers of the certificates that an Envoy serves; none if it does not answer."""
    try:
        found = json.loads(loopback_http.get(f"{admin}/certs"))["certificates"]
    except OSError:
        return set()
    return {chain["serial_number"].lstrip("0") for one in found for chain in one.get("cert_chain", ())}


def _wait(holds: Callable[[], bool]) -> None:
    if not _settle(holds, PATIENCE.condition):
        raise Missing("an Envoy did not take another certificate", do="look at the logs of the run")


def _settle(holds: Callable[[], bool], seconds: float = PATIENCE.api_call) -> bool:
    """Wait until something holds, and return whether it does: an Envoy that is gone takes nothing."""
    pause = threading.Event()
    for _ in range(int(seconds / PATIENCE.poll)):
        if holds():
            return True
        pause.wait(PATIENCE.poll)
    return False
