"""For how long each resolver keeps an answer, before any question."""

from __future__ import annotations

import pytest

from testbed.resolvers.known_resolvers import resolver
from testbed.resolvers.resolver_model import Expiry, ResolverModel


@pytest.mark.parametrize(
    ("name", "soa_ttl", "minimum", "kept"),
    [
        ("unbound", 900, 900, 900),
        ("unbound", 900, 60, 60),
        ("unbound", 60, 900, 60),
        ("dnsmasq", 900, 60, 60),
        ("bind", 900, 60, 900),
        ("bind", 60, 900, 60),
        ("pdns-recursor", 900, 1, 900),
        ("pdns-recursor", 60, 900, 60),
        ("systemd-resolved", 900, 60, 60),
        ("knot-resolver", 900, 900, 5),
        ("nscd", 900, 900, 20),
        ("direct", 900, 900, 0),
        ("forever", 900, 900, 0),
    ],
)
def test_no_such_name_is_kept_as_measured(name, soa_ttl, minimum, kept):
    assert resolver(name).negative_for(soa_ttl, minimum) == kept


@pytest.mark.parametrize(
    ("expiry", "end"), [(Expiry.EXACT, 70.6), (Expiry.BEFORE_SECOND, 70.0), (Expiry.THROUGH_SECOND, 71.0)]
)
def test_the_end_is_rounded_as_the_daemon_does(expiry, end):
    assert ResolverModel(name="any", expiry=expiry).expires(10.6, 60.0) == end


def test_a_sweep_keeps_an_answer_until_it_comes():
    assert ResolverModel(name="any", sweep=15.0).expires(14.0, 60.0) == 75.0
    assert ResolverModel(name="any", sweep=15.0).expires(16.0, 60.0) == 90.0
