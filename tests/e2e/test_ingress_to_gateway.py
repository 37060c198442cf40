"""The move from an Ingress to a Gateway, there and back, and the variant that moves too early."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed import journal
from tests.e2e.test_rehearse import PATIENCE, failed_expectations, rehearse

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2 * PATIENCE)]
STORY = "scenarios/ingress_to_gateway"


def test_the_name_goes_from_the_ingress_to_the_gateway_and_back_and_over_again(tmp_path: Path) -> None:
    done, summary = rehearse(tmp_path, STORY)
    assert done.returncode == 0, done.stdout + done.stderr
    moves = [(move["from"], move["to"]) for move in summary["moves"]]
    assert moves == [("old", "new"), ("new", "old"), ("old", "new")]
    assert summary["balancers"]["old"]["owner"] == "ingress/default/shop"
    assert summary["balancers"]["new"]["owner"] == "gateway/default/edge"
    assert all(one["type"] == "alb" for one in summary["balancers"].values())


def test_a_gateway_that_is_not_programmed_yet_gets_the_name_and_answers_nobody(tmp_path: Path) -> None:
    done, _ = rehearse(tmp_path, f"{STORY}:before_it_is_programmed")
    assert done.returncode == 1, done.stdout + done.stderr
    assert failed_expectations(tmp_path) == []
    events = list(journal.read(tmp_path / "journal.ndjson"))
    moved = next(
        one.time
        for one in events
        if isinstance(one, journal.DnsChange)
        and any(
            change["Action"] == "UPSERT" and change["ResourceRecordSet"]["Type"] == "A"
            for change in one.changes
        )
    )
    lost = [one for one in events if isinstance(one, journal.Request) and one.outcome != "ok"]
    assert lost
    # Whoever is lost tried to connect to the new ALB: no target saw the request, and none was lost before.
    assert all(one.pod == "" and one.sent > moved for one in lost), lost[:3]
