"""The wheel, installed outside the checkout: it carries all that a rehearsal needs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 240

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2 * PATIENCE)]


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=PATIENCE, check=False)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel alone; its dependencies are read from the environment of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    command = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation")
    built = run(*command, "--wheel-dir", folder, ROOT, folder=folder)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = folder.glob("*.whl")
    environment = folder / "environment"
    venv.create(environment)
    libraries = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    put = run(
        sys.executable, "-m", "pip", "install", "--no-deps", "--target", libraries, wheel, folder=folder
    )
    assert put.returncode == 0, put.stdout + put.stderr
    # A line of a .pth file adds the folder without its own .pth files, so without the editable checkout.
    (libraries / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin" / "python"


def test_the_story_plays_from_a_wheel_in_a_folder_of_its_own(installed: Path, tmp_path: Path) -> None:
    where = run(installed, "-c", "import testbed; print(testbed.__file__)", folder=tmp_path)
    assert str(ROOT) not in where.stdout
    done = run(installed, "-m", "testbed", "rehearse", "--speed", "40", "--rate", "100", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "report" / "summary.json").read_text())["verdict"] == "pass"


def test_a_wheel_makes_a_scenario_of_ones_own_manifests(installed: Path, tmp_path: Path) -> None:
    manifests = shutil.copytree(ROOT / "scenarios" / "zozomat" / "manifests", tmp_path / "manifests")
    done = run(installed, "-m", "testbed", "init", manifests, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
