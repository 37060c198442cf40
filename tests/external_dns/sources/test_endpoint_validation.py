"""An endpoint that no provider could take is not valid."""

from __future__ import annotations

import pytest

from testbed.external_dns.core.endpoint import Endpoint
from testbed.external_dns.sources.endpoint_validation import is_valid


@pytest.mark.parametrize(
    ("kind", "target", "valid"),
    [
        ("A", "192.0.2.1", True),
        ("A", "2001:db8::1", False),
        ("AAAA", "2001:db8::1", True),
        ("MX", "10 mail.test", True),
        ("MX", "70000 mail.test", False),
        ("SRV", "10 5 443 host.test.", True),
        ("SRV", "10 5 443 host.test", False),
        ("TXT", "", True),
    ],
)
def test_targets_must_fit_their_type(kind: str, target: str, *, valid: bool) -> None:
    assert is_valid(Endpoint("app.test", kind, (target,))) is valid
