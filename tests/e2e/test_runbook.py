"""A cutover played by the commands of a runbook, and standard tools with nothing but the environment file."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from testbed import journal
from tests.e2e.test_rehearse import PATIENCE, rehearse

pytestmark = [pytest.mark.stories, pytest.mark.timeout(2 * PATIENCE)]

START = """
from testbed.rehearsal import Cutover, scenario

@scenario("A try", host="api.example.com")
def story(cutover: Cutover) -> None:
    with cutover.step("One", why="It is a try."):
        cutover.run("{command}")
"""


def test_the_story_passes_by_the_commands_of_a_runbook(tmp_path: Path) -> None:
    done, summary = rehearse(tmp_path, "scenarios/runbook")
    assert done.returncode == 0, done.stdout + done.stderr
    assert summary["verdict"] == "pass"
    assert [(move["from"], move["to"]) for move in summary["moves"]] == [("nlb", "alb")]
    asked = "kubectl annotate service envoy external-dns.alpha.kubernetes.io/hostname-"
    assert summary["moves"][0]["asked"]["text"] == asked
    commands = {
        event.command: event
        for event in journal.read(tmp_path / "journal.ndjson")
        if isinstance(event, journal.Command)
    }
    assert all(event.status == 0 for event in commands.values())
    assert commands[asked].stdout == "service/envoy annotated\n"
    assert "CertificateArn" in next(
        event.stdout for text, event in commands.items() if "acm request-certificate" in text
    )
    assert ".elb.ap-northeast-1.amazonaws.com" in commands["kubectl get service envoy -o wide"].stdout
    assert "service/envoy annotated" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (
            "kubectl get service nobody",
            1,
            'status 1: Error from server (NotFound): services \\"nobody\\" not found',
        ),
        ("kubectl --context prod get service", 2, "cutover.py:7: `kubectl --context prod get service` names"),
    ],
    ids=["fails", "points-elsewhere"],
)
def test_a_command_that_cannot_be_trusted_ends_the_run(
    tmp_path: Path, command: str, code: int, told: str
) -> None:
    (tmp_path / "cutover.py").write_text(START.format(command=command))
    done, _ = rehearse(tmp_path / "report", str(tmp_path / "cutover.py"))
    assert done.returncode == code, done.stdout + done.stderr
    events = (tmp_path / "report" / "journal.ndjson").read_text()
    assert told in done.stderr + events
    assert "Traceback" not in done.stdout + done.stderr


TOOLS = """
set -eu
. ./.testbed/environment
kubectl wait service/envoy --for=jsonpath='{.status.loadBalancer.ingress}' --timeout=60s
kubectl get service envoy -o name
kubectl annotate service envoy note=1
aws route53 list-hosted-zones --query 'HostedZones[].Name' --output text
aws elbv2 describe-load-balancers --query 'LoadBalancers[].Type' --output text
aws acm list-certificates --query 'length(CertificateSummaryList)'
for try in $(seq 600); do
  [ -z "$(dig +short api.example.com)" ] || break
  sleep 0.1
done
for try in $(seq 600); do
  curl --silent --output answer https://api.example.com/measurements/foot-0 && break
  sleep 0.1
done
cat answer
"""


@pytest.mark.skipif(
    not all(map(shutil.which, ("aws", "dig", "curl"))), reason="aws, dig or curl is not on this machine"
)
def test_standard_tools_need_nothing_but_the_environment_file(tmp_path: Path) -> None:
    scenario = Path(__file__).parents[2] / "scenarios" / "zozomat"
    command = [sys.executable, "-m", "testbed", "up", str(scenario), "--speed", "60"]
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin:{Path(shutil.which('aws') or '').parent}"
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as up:
        try:
            assert up.stdout
            for line in up.stdout:
                if "kubectl get services" in line:
                    break
            folder = tmp_path / ".testbed"
            assert {file.stat().st_mode & 0o077 for file in folder.iterdir()} == {0}
            done = subprocess.run(
                ["bash", "-c", TOOLS],
                env={"PATH": path, "HOME": str(tmp_path)},
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    *lines, answer = done.stdout.splitlines()
    assert lines == [
        "service/envoy condition met",
        "service/envoy",
        "service/envoy annotated",
        "example.com.",
        "network",
        "0",
    ]
    assert answer.startswith('{"id":"foot-0"')
    assert not folder.exists()
