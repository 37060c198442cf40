"""Certificates of balancers that a fault spoils, as the balancers' Envoy shows them."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from testbed.aws.certificate_store import CertificateStore
from testbed.aws.change_feed import ChangeFeed
from testbed.aws.served_certificates import ServedCertificates
from testbed.faults.spoilt_certificates import Spoilt
from testbed.runtime.components import balancer_envoys
from testbed.runtime.struck_certificates import balancers_spoilt, serials
from testbed.settings import PATIENCE
from tests.load_balancers.conftest import HOST, cloud

__all__ = ["cloud"]

PORT = 8443


def refusal(cloud: Any, store: CertificateStore, address: str) -> str:
    """Why a client refuses the balancer; "" if it does not."""
    context = ssl.create_default_context(cafile=str(store.bundle))
    try:
        with (
            socket.create_connection((address, cloud.network.port(PORT)), PATIENCE.api_call) as plain,
            context.wrap_socket(plain, server_hostname=HOST),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return str(error.verify_message)


def test_a_balancer_shows_a_spoilt_certificate_until_the_fault_ends(cloud: Any) -> None:
    store = CertificateStore(cloud.folder / "tls")
    served = ServedCertificates(store)
    arn = cloud.certificate(HOST)
    store.issue(arn, [HOST])
    cloud.fleet._certificates = served
    made = cloud.balancer("secure")
    cloud.listener(made, "HTTPS", PORT, cloud.fixed(200), arn)
    cloud.feed.bump()
    cloud.eventually(lambda: cloud.fleet.addresses(made["DNSName"]))
    address = cloud.fleet.addresses(made["DNSName"])[0]
    cloud.eventually(lambda: refusal(cloud, store, address) == "")

    class Feed(ChangeFeed):
        def bump(self, service: str) -> None:
            assert service == "acm"
            cloud.feed.bump()

    admins = [balancer_envoys.admin_url(kind, cloud.network) for kind in ("nlb", "alb")]
    struck = balancers_spoilt(
        Spoilt.EXPIRED, served, Feed(), admins, lambda: cloud.fleet.state.has_certificates
    )
    with struck:
        assert "expired" in refusal(cloud, store, address)
    assert refusal(cloud, store, address) == ""


def test_an_envoy_that_does_not_answer_serves_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert serials(f"http://127.0.0.1:{port}") == set()
