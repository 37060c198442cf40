from __future__ import annotations

from testbed.traffic.counts import Counts


def test_every_outcome_counts_in_the_total() -> None:
    assert Counts(ok=3, failed=2, unknown=1).total == 6
    assert Counts().total == 0


def test_a_balancer_that_served_nothing_has_served_no_request() -> None:
    counts = Counts(ok=3, served={"nlb": 3})
    assert counts.served_by("nlb") == 3
    assert counts.served_by("alb") == 0
