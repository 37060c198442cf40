"""TLS handshakes with a target whose certificate a fault strikes."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from testbed.aws.certificate_store import CertificateStore
from testbed.faults.spoilt_certificates import SpoiltCertificates
from testbed.runtime.struck_certificates import targets_spoilt
from testbed.settings import PATIENCE
from tests.envoy.test_target import HOST, Target


def handshake(target: Target) -> str:
    """Why a client that trusts all authorities of a run refuses the target; "" if it does not."""
    context = ssl.create_default_context(cadata=target.trusted.decode())
    spoilt = target.folder / "tls" / "ca.pem"
    if spoilt.exists():
        context.load_verify_locations(spoilt)
    try:
        with (
            socket.create_connection((target.address, 8443), PATIENCE.api_call) as plain,
            context.wrap_socket(plain, server_hostname=HOST),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return str(error.verify_message)


@contextmanager
def spoilt(target: Target, fault: SpoiltCertificates) -> Iterator[None]:
    """Strike the target."""
    with targets_spoilt(fault.how, HOST, CertificateStore(target.folder / "tls"), [target.envoy]):
        yield
