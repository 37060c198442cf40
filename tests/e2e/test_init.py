"""What `testbed init` writes is played as it is, for the story's manifests and for quite different ones."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from testbed.aws.boto3_clients import Clients
from tests.check.manifests_of_traps import EXTERNAL_DNS
from tests.e2e.test_rehearse import PATIENCE, ROOT, run_testbed
from tests.scaffold.manifests_of_a_shop import SHOP
from tests.scaffold.manifests_of_https_targets import EDGE
from tests.scaffold.manifests_of_other_controllers import AUTO_MODE, CLASSIC_TO_NLB, NGINX_TO_ALB
from tests.scaffold.manifests_of_pairs import ALB_TO_ALB, NLB_TO_NLB
from tests.scaffold.manifests_of_two_services import SHOP_OF_TWO

pytestmark = [pytest.mark.stories, pytest.mark.timeout(2 * PATIENCE)]


def played(folder: Path, variant: str = "") -> dict[str, Any]:
    done = run_testbed("init", str(folder))
    assert done.returncode == 0, done.stderr
    report = folder.parent / "report"
    scenario = f"{folder / 'cutover'}{variant}"
    done = run_testbed("rehearse", scenario, "--speed", "40", "--rate", "100", "--report", str(report))
    assert done.returncode == 0, done.stdout + done.stderr
    summary: dict[str, Any] = json.loads((report / "summary.json").read_text())
    return summary


def test_the_storys_manifests_pass_without_an_edit(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "scenarios" / "zozomat" / "manifests", tmp_path / "k8s")
    summary = played(tmp_path / "k8s")
    assert summary["verdict"] == "pass"
    assert [(move["from"], move["to"]) for move in summary["moves"]] == [("nlb", "alb")]
    assert [one["holds"] for one in summary["thresholds"]] == [True, True]


def test_other_names_ports_and_paths_pass_there_and_back(tmp_path: Path) -> None:
    (tmp_path / "k8s").mkdir()
    (tmp_path / "k8s" / "all.yaml").write_text(SHOP)
    (tmp_path / "k8s" / "external-dns.yaml").write_text(EXTERNAL_DNS)
    summary = played(tmp_path / "k8s", ":there_and_back")
    assert summary["verdict"] == "pass"
    assert [(move["from"], move["to"]) for move in summary["moves"]] == [("nlb", "alb"), ("alb", "nlb")]
    served = {
        (one["balancer"], one["protocol"]): one["requests"]
        for step in summary["steps"]
        for one in step["protocols"]
    }
    assert {("nlb", "grpc"), ("nlb", "rest"), ("alb", "grpc"), ("alb", "rest")} <= set(served)


@pytest.mark.parametrize("manifests", [NLB_TO_NLB, ALB_TO_ALB], ids=["nlb", "alb"])
def test_a_move_between_two_balancers_of_one_type_passes(tmp_path: Path, manifests: tuple[str, ...]) -> None:
    (tmp_path / "k8s").mkdir()
    for number, text in enumerate(manifests):
        (tmp_path / "k8s" / f"{number}.yaml").write_text(text)
    summary = played(tmp_path / "k8s")
    assert summary["verdict"] == "pass"
    assert [(move["from"], move["to"]) for move in summary["moves"]] == [("old", "new")]
    assert {"old", "new"} <= summary["balancers"].keys()


def test_two_services_behind_the_alb_are_served_by_pods_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "k8s").mkdir()
    for number, text in enumerate(SHOP_OF_TWO):
        (tmp_path / "k8s" / f"{number}.yaml").write_text(text)
    assert played(tmp_path / "k8s")["verdict"] == "pass"
    journal = (tmp_path / "report" / "journal.ndjson").read_text().splitlines()
    served = {(one["pod"][:-2], one["path"]) for one in map(json.loads, journal) if one["event"] == "access"}
    assert {("catalog", "/shop.v1.Catalog/Call"), ("orders", "/orders")} <= served
    assert ("orders", "/shop.v1.Catalog/Call") not in served


def test_up_begins_with_what_stands_before_the_move(tmp_path: Path) -> None:
    (tmp_path / "k8s.yaml").write_text(SHOP)
    assert run_testbed("init", str(tmp_path / "k8s.yaml"), "--into", str(tmp_path / "move")).returncode == 0
    command = [sys.executable, "-m", "testbed", "up", str(tmp_path / "move"), "--speed", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as up:
        try:
            assert up.stdout
            said = []
            for line in up.stdout:
                said.append(line)
                if "kubectl get services" in line:
                    break
            environment = dict(
                line.removeprefix("export ").split("=", 1)
                for line in (tmp_path / ".testbed" / "environment").read_text().splitlines()
                if "=" in line
            )
            clients = Clients(environment["AWS_ENDPOINT_URL"].strip("'\""))
            (nlb,) = clients.elbv2.describe_load_balancers()["LoadBalancers"]
            listed = clients.acm.list_certificates()["CertificateSummaryList"]
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(PATIENCE)
    assert nlb["Type"] == "network"
    assert [one["CertificateArn"] for one in listed] == [
        "arn:aws:acm:eu-west-1:123456789012:certificate/12345678"
    ]
    assert "shop.acme.example.org" in "".join(said)


def test_pytest_begins_with_what_stands_before_the_move(tmp_path: Path) -> None:
    (tmp_path / "k8s.yaml").write_text(SHOP)
    assert run_testbed("init", str(tmp_path / "k8s.yaml"), "--into", str(tmp_path / "move")).returncode == 0
    (tmp_path / "test_it.py").write_text(
        "from testbed.conditions import active, alias_at, only_served_by\n\n\n"
        "def test_the_nlb_serves(cutover, traffic):\n"
        "    assert cutover.expect(alias_at('nlb'))\n"
        "    assert cutover.expect(active('nlb'))\n"
        "    cutover.hold(60)\n"
        "    assert traffic.counts().ok\n"
        "    assert cutover.expect(only_served_by('nlb'))\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--testbed-scenario", "move"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_a_target_that_chooses_by_sni_fails_the_move_and_one_that_takes_each_connection_passes_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "k8s").mkdir()
    (tmp_path / "k8s" / "all.yaml").write_text(EDGE)
    done = run_testbed("init", str(tmp_path / "k8s"))
    assert "assumes that the pods edge take TLS without SNI" in done.stdout, done.stderr
    shutil.rmtree(tmp_path / "k8s" / "cutover")
    assert played(tmp_path / "k8s")["verdict"] == "pass"
    script = tmp_path / "k8s" / "cutover" / "cutover.py"
    script.write_text(script.read_text().replace("tls_ports=", "server_names=(HOST,), tls_ports="))
    report = tmp_path / "again"
    done = run_testbed("rehearse", str(script), "--speed", "40", "--rate", "100", "--report", str(report))
    assert done.returncode == 1, done.stdout + done.stderr
    summary = json.loads((report / "summary.json").read_text())
    assert summary["verdict"] == "fail"
    assert "unhealthy" in done.stdout


@pytest.mark.parametrize(
    "manifests", [NGINX_TO_ALB, AUTO_MODE, CLASSIC_TO_NLB], ids=["nginx", "auto", "classic"]
)
def test_a_move_from_a_balancer_of_another_controller_passes(tmp_path: Path, manifests: str) -> None:
    (tmp_path / "k8s").mkdir()
    (tmp_path / "k8s" / "all.yaml").write_text(manifests)
    assert played(tmp_path / "k8s")["verdict"] == "pass"
