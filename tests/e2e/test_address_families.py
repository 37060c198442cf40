"""Plays `address_families/`: IPv6 clients go where AAAA leads, and a move of one family alone fails."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from testbed import ipv6_loopback, journal

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = Path(__file__).parent / "address_families/cutover.py"
PATIENCE = 150
SPEED, RATE = "30", "100"

pytestmark = [
    pytest.mark.stories,
    pytest.mark.timeout(2 * PATIENCE),
    pytest.mark.skipif(not ipv6_loopback.is_available(), reason="this machine has no ::1"),
]


def play(function: str, report: Path) -> tuple[dict[str, Any], list[journal.Event]]:
    command = [sys.executable, "-m", "testbed", "rehearse", f"{SCENARIO}:{function}", "--report", str(report)]
    done = subprocess.run(
        [*command, "--speed", SPEED, "--rate", RATE],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE,
        check=False,
    )
    assert (report / "summary.json").exists(), done.stdout + done.stderr
    return json.loads((report / "summary.json").read_text()), list(journal.read(report / "journal.ndjson"))


def served(summary: dict[str, Any], step: int) -> Counter[tuple[str, str]]:
    """Requests of a step by family and balancer."""
    families = summary["steps"][step]["families"]
    return Counter({(one["family"], one["balancer"]): one["total"] for one in families})


def test_both_families_move_together_and_no_request_is_lost(tmp_path: Path) -> None:
    summary, events = play("both_families_move", tmp_path)
    assert "families_parted" not in {one["reason"] for one in summary["reasons"]}
    assert summary["requests"]["ok"] == summary["requests"]["total"]
    assert served(summary, 0).keys() == {("ipv4", "nlb"), ("ipv6", "nlb")}
    assert served(summary, 2).keys() >= {("ipv4", "alb"), ("ipv6", "alb")}
    ipv6 = [one for one in events if isinstance(one, journal.Request) and one.family == "ipv6"]
    assert {one.protocol for one in ipv6} == {"grpc", "rest"}
    # An ALB tells its targets the address of the client, so the packets came by IPv6.
    assert {one.protocol for one in ipv6 if one.connection.startswith("[::1]:")} == {"grpc", "rest"}


def test_ipv6_clients_stay_where_an_older_external_dns_left_aaaa_and_the_run_fails(tmp_path: Path) -> None:
    summary, _ = play("one_family_stays", tmp_path)
    assert summary["verdict"] == "fail"
    [reason] = [one for one in summary["reasons"] if one["reason"] == "families_parted"]
    assert "A leads to the ALB, AAAA to the NLB" in reason["text"]
    last = served(summary, 2)
    assert last["ipv6", "nlb"] > 100
    assert last["ipv6", "alb"] == 0
    assert last["ipv4", "alb"] > 100
