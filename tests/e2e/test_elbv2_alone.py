"""Runs the commands of `docs/how-to/elbv2-alone.md` as they stand, against `testbed up --empty`."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "elbv2-alone.md"
TOOLS = ("aws", "bash", "curl", "dig", "h2load")
PATIENCE = 150
SPEED = 60

_BLOCK = re.compile(r"^```(bash|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "--- end of block"

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(2 * PATIENCE),
    pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {', '.join(TOOLS)}"),
]


def blocks(page: Path) -> list[tuple[str, str]]:
    """Commands, and the output that the page shows for them; "" where it shows none."""
    found: list[tuple[str, str]] = []
    for kind, text in _BLOCK.findall(page.read_text()):
        if kind == "bash":
            found.append((text, ""))
        else:
            found[-1] = (found[-1][0], text)
    return found


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What the file of `testbed up --empty` exports, while it runs."""
    file = tmp_path / "tools" / "environment"
    command = [sys.executable, "-m", "testbed", "up", "--empty", "--speed", str(SPEED)]
    command += ["--environment", str(file.parent)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    ) as up:
        try:
            deadline = time.monotonic() + PATIENCE
            while not file.exists() and up.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
            if not file.exists():
                up.kill()
                pytest.fail(up.communicate()[0])
            # `python` is that of the testbed's environment, as in a shell where it is activated
            path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
            yield {**os.environ, "PATH": path, "AWS_PAGER": "", "TESTBED_FILE": str(file)}
        finally:
            up.send_signal(signal.SIGINT)
            up.communicate(timeout=PATIENCE)


def test_every_command_of_the_page_prints_what_the_page_shows(environment: dict[str, str]) -> None:
    expected = blocks(PAGE)
    script = '. "$TESTBED_FILE"\n' + "".join(f"{commands}echo '{_MARK}'\n" for commands, _ in expected)
    done = subprocess.run(
        ["bash", "-eu", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    printed = done.stdout.split(f"{_MARK}\n")
    for (commands, shown), got in zip(expected, printed, strict=False):
        assert got == shown, f"{commands}\n{done.stderr}"
    assert done.returncode == 0, done.stderr
