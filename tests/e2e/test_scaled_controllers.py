"""Plays `scaled_controllers/`: kubectl scales ExternalDNS and the LB controller to 0, and back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from testbed import journal

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = Path(__file__).parent / "scaled_controllers/cutover.py"
PATIENCE = 150

pytestmark = [pytest.mark.stories, pytest.mark.timeout(2 * PATIENCE)]


def test_a_controller_without_pods_does_nothing_until_it_has_some_again(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "testbed", "rehearse", str(SCENARIO), "--report", str(tmp_path)]
    done = subprocess.run(
        [*command, "--speed", "30", "--rate", "100"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE,
        check=False,
    )
    events = list(journal.read(tmp_path / "journal.ndjson"))
    expectations = [event for event in events if isinstance(event, journal.Expectation)]
    assert expectations, done.stderr
    assert not [event for event in expectations if not event.passed], done.stdout
    # The annotation was away for four minutes, and back before the next sync: nothing has changed.
    changes = [event for event in events if isinstance(event, journal.DnsChange)]
    assert [change["Action"] for event in changes for change in event.changes] == ["CREATE"] * 4
    said = {event.command: event.stdout for event in events if isinstance(event, journal.Command)}
    assert "external-dns" not in said["kubectl get pods -n kube-system"]
    assert "aws-load-balancer-controller-" in said["kubectl get pods -n kube-system"]
    assert (
        "All records are already up to date"
        in said["kubectl logs -n kube-system deploy/external-dns --tail=5"]
    )
    back = next(
        event.time
        for event in events
        if isinstance(event, journal.Command) and "controller --replicas=1" in event.command
    )
    modified = [
        event.time
        for event in events
        if isinstance(event, journal.ApiCall) and event.operation == "ModifyLoadBalancerAttributes"
    ]
    annotated = next(
        event.time for event in events if isinstance(event, journal.Command) and "cross_zone" in event.command
    )
    assert [time for time in modified if time > back]
    assert not [time for time in modified if annotated < time < back]
