"""The workflow that is there to be copied: it must be valid, and its commands must exist."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from testbed.cli import cli
from testbed.verdict.thresholds import parse

DOCS = Path(__file__).resolve().parents[2] / "docs"
WORKFLOW = DOCS / "ci" / "rehearse.yml"


@pytest.fixture(scope="module")
def steps() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(WORKFLOW.read_text())["jobs"]["rehearse"]["steps"]
    return found


def test_it_uses_public_github_actions_only(steps: list[dict[str, Any]]) -> None:
    used = [step["uses"] for step in steps if "uses" in step]
    assert used
    assert all(re.fullmatch(r"(actions|github)/[a-z-]+(/[a-z-]+)?@v\d+", one) for one in used)
    assert not re.search(r"https?://", WORKFLOW.read_text())


def test_its_commands_are_understood(steps: list[dict[str, Any]]) -> None:
    commands = [step["run"] for step in steps if step.get("run", "").startswith("testbed ")]
    assert len(commands) == 2
    for line in commands:
        words = shlex.split(re.split(r" > | \|\| ", line)[0])[1:]
        command = cli.get_command(click.Context(cli), words[0])
        assert command
        command.make_context(words[0], words[1:])


def test_the_thresholds_of_the_page_can_be_read() -> None:
    page = (DOCS / "how-to" / "my-ci.md").read_text()
    block = re.search(r"thresholds = \[\n(.*?)\n\]", page, re.DOTALL)
    assert block
    for line in block[1].splitlines():
        parse(line.strip(' ",'))


def folder(path: Path, *manifests: str) -> Path:
    (path / "k8s").mkdir(parents=True)
    for number, text in enumerate(manifests):
        (path / "k8s" / f"{number}.yaml").write_text(text)
    return path


def environment() -> dict[str, str]:
    """The environment of a developer who has installed the package."""
    kept = {name: value for name, value in os.environ.items() if name != "GITHUB_ACTIONS"}
    return {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


QUIET = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: quiet}\n"
LOUD = """\
apiVersion: v1
kind: Service
metadata:
  name: loud
  annotations:
    external-dns.alpha.kubernetes.io/hostname: Shop.example.com
    service.beta.kubernetes.io/aws-load-balancer-type: nlb
spec:
  type: LoadBalancer
  ports: [{port: 443}]
"""
ACCEPTED = LOUD.replace(": Shop.example.com", ": Shop.example.com # testbed: accept capitals-in-host a test")


def gate() -> list[dict[str, Any]]:
    jobs = yaml.safe_load((DOCS / "ci" / "check.yml").read_text())["jobs"]
    found: list[dict[str, Any]] = jobs["check"]["steps"]
    return found


def test_the_gate_uses_public_github_actions_only() -> None:
    used = [step["uses"] for step in gate() if "uses" in step]
    assert len(used) == 3
    assert all(re.fullmatch(r"(actions|github)/[a-z-]+(/[a-z-]+)?@v\d+", one) for one in used)


@pytest.mark.parametrize(("manifest", "codes"), [(QUIET, [0, 0]), (ACCEPTED, [0, 0]), (LOUD, [0, 1])])
def test_the_commands_of_the_gate_run(tmp_path: Path, manifest: str, codes: list[int]) -> None:
    where = folder(tmp_path, manifest)
    commands = [step["run"] for step in gate() if step.get("run", "").startswith("testbed ")]
    ended = [
        subprocess.run(["bash", "-ec", line], cwd=where, env=environment(), capture_output=True)
        for line in commands
    ]
    assert [one.returncode for one in ended] == codes, ended
    assert json.loads((where / "check.sarif").read_text())["version"] == "2.1.0"


@pytest.mark.parametrize(("manifest", "code"), [(QUIET, 0), (LOUD, 1)])
def test_the_hook_runs_before_a_commit(tmp_path: Path, manifest: str, code: int) -> None:
    page = (DOCS / "how-to" / "my-ci.md").read_text()
    block = re.search(r"```yaml\n(# \.pre-commit-config\.yaml\n.*?)```", page, re.DOTALL)
    assert block
    where = folder(tmp_path / "repository", manifest)
    (where / ".pre-commit-config.yaml").write_text(block[1])
    settings = {"PRE_COMMIT_HOME": str(tmp_path / "home"), "GIT_CONFIG_GLOBAL": os.devnull}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, cwd=where, env=environment() | settings, capture_output=True, text=True)

    assert run("git", "init", "--quiet").returncode == 0
    assert run("git", "add", "--all").returncode == 0
    ended = run("pre-commit", "run")
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert ("[capitals-in-host]" in ended.stdout) is bool(code)
