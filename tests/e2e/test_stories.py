"""The other two ways to move the name, from the command line, each with what is peculiar to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed import journal
from tests.e2e.test_rehearse import PATIENCE, external_dns_log, rehearse

pytestmark = [pytest.mark.stories, pytest.mark.timeout(2 * PATIENCE)]


def test_the_weighted_story_passes_and_the_share_goes_over_by_and_by(tmp_path: Path) -> None:
    done, summary = rehearse(tmp_path, "scenarios/weighted")
    assert done.returncode == 0, done.stdout + done.stderr
    assert summary["verdict"] == "pass"
    assert [(move["from"], move["to"]) for move in summary["moves"]] == [("nlb", "alb")]
    by_title = {step["title"]: step["balancers"] for step in summary["steps"]}
    shared = by_title["50 of 100"]
    assert shared["nlb"]["requests"] > 0
    assert shared["alb"]["requests"] > 0
    assert by_title["The ALB serves everything"]["nlb"]["requests"] == 0
    writes = [
        sorted(
            (one["ResourceRecordSet"]["SetIdentifier"], one["ResourceRecordSet"]["Weight"])
            for one in a_records
        )
        for event in journal.read(tmp_path / "journal.ndjson")
        if isinstance(event, journal.DnsChange)
        for a_records in [[one for one in event.changes if one["ResourceRecordSet"]["Type"] == "A"]]
    ]
    assert writes[0] == [("nlb", 100)]
    assert [("alb", 0)] in writes
    assert all(isinstance(weight, int) for batch in writes for _, weight in batch)


def test_the_story_by_hand_passes_there_and_back_and_there_again(tmp_path: Path) -> None:
    done, summary = rehearse(tmp_path, "scenarios/by_hand")
    assert done.returncode == 0, done.stdout + done.stderr
    moves = summary["moves"]
    assert [(move["from"], move["to"]) for move in moves] == [("nlb", "alb"), ("alb", "nlb"), ("nlb", "alb")]
    asked = "route53 change-resource-record-sets: UPSERT api.example.com A, alias of the ALB"
    assert moves[0]["asked"]["text"] == asked
    assert moves[0]["gap"]["production"] <= 60 + 0.1 * 40 + 30  # a TTL, and what a busy machine adds
    assert external_dns_log(tmp_path) == []
    texts = json.dumps([step["expectations"] for step in summary["steps"]])
    assert "ExternalDNS" not in texts
