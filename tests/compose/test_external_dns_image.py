"""An image of the real ExternalDNS in the composed topology: it writes the record, and goes with the run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed import journal
from testbed.errors import ExitCode
from tests.compose.projects import ROOT, Project, free
from tests.real.binaries import external_dns_of

STORY = "tests/compose/stories/real_external_dns.py"


def built(release: str, folder: Path) -> str:
    """Build the image of an installed binary, with the libraries that it is linked to and nothing else."""
    binary = external_dns_of(release)
    linked = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False).stdout
    for library in (word for word in linked.split() if word.startswith("/")):
        (folder / f"root{library}").parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, folder / f"root{library}")
    shutil.copy(binary, folder / "root")
    (folder / "Dockerfile").write_text('FROM scratch\nCOPY root /\nENTRYPOINT ["/external-dns"]\n')
    image = f"cutover-testbed/external-dns:{release}"
    subprocess.run(["docker", "build", "--quiet", "--tag", image, folder], check=True, capture_output=True)
    return image


def rehearse(project: Project, image: str, report: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **project.environment,
        "TESTBED_CONTROL": f"http://{project.loopback}:7070",
        "TESTBED_AWS": f"http://{project.loopback}:4566",
    }
    command = [sys.executable, "-m", "testbed", "rehearse", STORY, "--on", "compose"]
    options = ["--external-dns", image, "--speed", "20", "--rate", "40", "--report", str(report)]
    return subprocess.run([*command, *options], env=environment, cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project of their own: what a rehearsal leaves standing has no alias, which other tests look for."""
    own = free("image", tmp_path_factory.mktemp("image") / "report")
    try:
        up = own.compose("up", "--detach")
        assert up.returncode == 0, up.stderr
        yield own
    finally:
        own.down()


@pytest.fixture(autouse=True)
def _nothing_is_left(project: Project) -> Iterator[None]:
    yield
    assert [name for name in project.left() if "external-dns" in name] == []


@pytest.mark.parametrize("release", ["v0.14.2", "v0.21.0"], ids=["by the proxy", "by AWS_ENDPOINT_URL"])
def test_an_image_writes_the_record_and_the_verdict_is_pass(
    project: Project, tmp_path: Path, release: str
) -> None:
    (context := tmp_path / "context" / "root").mkdir(parents=True)
    image, report = built(release, context.parent), tmp_path / "report"
    for _ in range(3):
        done = rehearse(project, image, report)
        if done.returncode != ExitCode.INCONCLUSIVE:  # a busy machine: neither pass nor fail, so play again
            break
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((report / "summary.json").read_text())["run"]["external_dns_binary"] == image
    events = list(journal.read(report / "journal.ndjson"))
    (real,) = (event for event in events if isinstance(event, journal.RealController))
    assert (real.release, real.path) == (release, image)
    lines = [one.line for one in events if isinstance(one, journal.Log) and one.component == "external-dns"]
    assert any("Desired change: CREATE api.example.com A" in line for line in lines)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("cutover-testbed/no-such:v0.21.0", "Docker has no image cutover-testbed/no-such:v0.21.0"),
        (os.environ.get("PYTHON_IMAGE", "python:3.13-slim-trixie"), "before it had synced"),
    ],
    ids=["none", "another program"],
)
def test_what_is_no_external_dns_is_one_line(
    project: Project, tmp_path: Path, image: str, words: str
) -> None:
    done = rehearse(project, image, tmp_path)
    assert done.returncode == ExitCode.MISSING, done.stdout + done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
