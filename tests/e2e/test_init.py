"""What `testbed init` writes is played as it is, for the story's manifests and for quite different ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.check.manifests_of_traps import EXTERNAL_DNS
from tests.e2e.test_rehearse import PATIENCE, ROOT, run_testbed
from tests.scaffold.manifests_of_a_shop import SHOP

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2 * PATIENCE)]


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
