"""A program that makes every call of the tape of the real LB controller, through the option of a real binary.

The binary itself cannot be had from a package registry. Its stand-in ends at the first answer that has
another status, or lacks an element, than the one that the real controller was content with.
"""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from testbed import journal
from testbed.runtime.running import JOURNAL
from tests.e2e.test_rehearse import PATIENCE, ROOT, run_testbed
from tests.real_controllers.lb_controller_program import MARK, stand_in
from tests.real_controllers.lb_controller_tape import STAGES, TAPE

SPEED = "10"
SCENARIO = ROOT / "tests" / "real_controllers" / "tape"

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(2 * PATIENCE),
    pytest.mark.skipif(not TAPE.exists(), reason=f"{TAPE} is not at hand"),
]


def test_the_whole_tape_is_played_while_clients_call(tmp_path: Path) -> None:
    program, report = stand_in(tmp_path), tmp_path / "report"
    played = run_testbed(
        *("rehearse", str(SCENARIO), "--speed", SPEED, "--rate", "60", "--report", str(report)),
        *("--lb-controller", str(program)),
    )
    assert played.returncode == 0, played.stdout + played.stderr
    assert f"AWS Load Balancer Controller v3.5.0, the real one: {program} (--lb-controller)" in played.stdout
    assert "--enable-leader-election, --enable-wafv2, --enable-shield are off" in played.stdout
    summary = json.loads((report / "summary.json").read_text())
    assert summary["verdict"] == "pass"
    assert summary["run"]["lb_controller_binary"] == str(program)
    logged = [
        event.message
        for event in journal.read(report / JOURNAL)
        if isinstance(event, journal.Log) and event.component == "lb-controller"
    ]
    for stage in STAGES[1:]:
        assert f"successfully deployed model for {stage}" in logged
    assert "the tape is at its end" in logged
    # What stood before the first step is older than the webhooks; the Ingresses are not.
    asked = [message for message in logged if message.startswith("webhook ")]
    assert "webhook /validate-networking-v1-ingress asked about Ingress grpc" in asked
    assert not any("Service web" in message for message in asked)
    marked = [one for one in psutil.process_iter(["environ"]) if (one.info["environ"] or {}).get(MARK)]
    assert [one.pid for one in marked if one.info["environ"][MARK] == str(tmp_path)] == []


def test_the_emulation_makes_the_same_of_elbv2_after_every_act(tmp_path: Path) -> None:
    program = stand_in(tmp_path)
    compared = run_testbed("compare", str(SCENARIO), "--lb-controller", str(program))
    assert compared.returncode == 0, compared.stdout + compared.stderr
    assert "both have 2 load balancers and 3 target groups" in compared.stdout
    assert "the model of ELBv2 at 8 moments: no difference" in compared.stdout
