"""What Docker Compose costs: the time until the topology answers, and the story's; images must be there."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed.errors import ExitCode, Missing
from testbed.runtime.compose.http import Service
from testbed.settings import PATIENCE

ROOT = Path(__file__).resolve().parent.parent
_PROJECT = {
    "COMPOSE_PROJECT_NAME": "cutover-bench",
    "TESTBED_SUBNET": "90",
    "TESTBED_LOOPBACK": "127.0.90.1",
}


def seconds_until_ready() -> float:
    """From `docker compose up` until a run has begun and stands.

    Raises:
        Missing: no Docker, or the topology does not come.
    """
    with _project() as compose:
        begun = time.monotonic()
        compose("up", "--detach")
        control = Service("control", f"http://{_PROJECT['TESTBED_LOOPBACK']}:7070")
        while True:
            try:
                control.get("/standing")
                return time.monotonic() - begun
            except Missing:
                if time.monotonic() > begun + PATIENCE.localstack_start:
                    raise


def seconds_of_story() -> tuple[float, ExitCode]:
    """The story on a topology that stands, as `docker compose run` plays it, and its exit code.

    Raises:
        Missing: no Docker, or the topology does not come.
    """
    with _project() as compose:
        compose("up", "--detach")
        begun = time.monotonic()
        code = compose("run", "--rm", "--no-TTY", "rehearse", "rehearse", "scenarios/zozomat", fails=True)
        return time.monotonic() - begun, ExitCode(code)


@contextmanager
def _project() -> Iterator[Compose]:
    with tempfile.TemporaryDirectory(prefix="testbed-") as folder:
        report = Path(folder)
        report.chmod(0o777)  # the container's user writes there
        compose = Compose(report)
        try:
            yield compose
        finally:
            compose("--profile", "rehearse", "down", "--volumes", fails=True)


class Compose:
    """docker compose for the bench's own project."""

    def __init__(self, report: Path) -> None:
        self._environment = {**os.environ, **_PROJECT, "TESTBED_REPORT_FOLDER": str(report)}

    def __call__(self, *arguments: str, fails: bool = False) -> int:
        """Run a command; its exit status, which must be 0 unless it may fail."""
        try:
            done = subprocess.run(
                ["docker", "compose", *arguments],
                cwd=ROOT,
                env=self._environment,
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError:
            raise Missing("no docker on this machine") from None
        if done.returncode and not fails:
            words = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            raise Missing(f"docker compose {arguments[0]}: {words[0]}")
        return done.returncode
