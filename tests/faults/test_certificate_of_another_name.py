"""`CertificateOfAnotherName` as it strikes a real Envoy, and as it is undone."""

from __future__ import annotations

from testbed.faults.certificate_of_another_name import CertificateOfAnotherName
from tests.envoy.test_target import Target, target
from tests.faults.handshakes import handshake, spoilt

__all__ = ["target"]


def test_no_new_connection_takes_it_until_it_ends(target: Target) -> None:
    assert handshake(target) == ""
    with spoilt(target, CertificateOfAnotherName("targets")):
        assert "not valid for 'api.example.com'" in handshake(target)
    assert handshake(target) == ""
