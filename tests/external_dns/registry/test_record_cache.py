"""With --txt-cache-interval the registry knows only what it read and wrote itself."""

from __future__ import annotations

from testbed.clock import Clock
from testbed.external_dns.core.endpoint import Endpoint
from testbed.external_dns.registry.record_cache import RecordCache
from tests.external_dns.releases import NEWEST

FIRST = Endpoint("a.test", "A", ("192.0.2.1",))
SECOND = Endpoint("b.test", "A", ("192.0.2.2",))
ASLEEP = Clock(speed=1e-9)  # a production second is longer than this test


def test_nothing_is_kept_without_an_interval() -> None:
    cache = RecordCache(0.0, ASLEEP, NEWEST)
    cache.fill([FIRST])
    assert cache.fresh() is None


def test_records_are_kept_until_the_interval_is_over() -> None:
    cache = RecordCache(60.0, ASLEEP, NEWEST)
    assert cache.fresh() is None
    cache.fill([FIRST])
    assert cache.fresh() == [FIRST]
    quick = RecordCache(1e-9, Clock(speed=1e6), NEWEST)
    quick.fill([FIRST])
    assert quick.fresh() is None


def test_what_is_sent_is_followed_whatever_the_case_of_the_targets() -> None:
    cache = RecordCache(60.0, ASLEEP, NEWEST)
    cache.change([FIRST], [SECOND])  # nothing to follow yet
    assert cache.fresh() is None
    alias = Endpoint("c.test", "A", ("lb.test",))
    cache.fill([FIRST, alias])
    cache.change([alias._replace(targets=("LB.test",)), SECOND], [SECOND])
    assert cache.fresh() == [FIRST, SECOND]


def test_a_list_that_was_handed_out_is_a_copy() -> None:
    cache = RecordCache(60.0, ASLEEP, NEWEST)
    cache.fill([FIRST])
    handed = cache.fresh()
    assert handed is not None
    handed.clear()
    assert cache.fresh() == [FIRST]
