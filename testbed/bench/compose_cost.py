"""Measures Docker Compose: the time until the topology answers, and the duration of the story.

The images must be present already.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed.errors import ExitCode, Missing
from testbed.runtime.compose.service_client import Service
from testbed.settings import PATIENCE

CHECKOUT = Path(__file__).resolve().parents[2]
"""Where docker-compose.yml is; an installed package has none, so this runs from a checkout only."""
_PROJECT = {
    "COMPOSE_PROJECT_NAME": "cutover-bench",
    "TESTBED_SUBNET": "90",
    "TESTBED_LOOPBACK": "127.0.90.1",
}


def seconds_until_ready() -> float:
    """Measure wall seconds from `docker compose up` until the topology of a run is complete.

    Raises:
        Missing: there is no Docker, or the topology does not come up.
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
    """Measure wall seconds of the story, played by `docker compose run` on a running topology.

    Returns:
        The seconds, and the exit code of the rehearsal.

    Raises:
        Missing: there is no Docker, or the topology does not come up.
    """
    with _project() as compose:
        compose("up", "--detach")
        begun = time.monotonic()
        # A rehearsal that fails its verdict ends with a status other than 0, and its time is measured all the
        # same.
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
    """Runs docker compose for the benchmark's own project."""

    def __init__(self, report: Path) -> None:
        self._environment = {**os.environ, **_PROJECT, "TESTBED_REPORT_FOLDER": str(report)}

    def __call__(self, *arguments: str, fails: bool = False) -> int:
        """Run a command and return its exit status.

        Raises:
            Missing: there is no Docker, or the command failed and `fails` does not allow it.
        """
        try:
            done = subprocess.run(
                ["docker", "compose", *arguments],
                cwd=CHECKOUT,
                env=self._environment,
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError:
            raise Missing("no docker on this machine") from None
        if done.returncode and not fails:
            words = done.stderr.strip().splitlines()[-1:] or ["it printed nothing"]
            raise Missing(f"docker compose {arguments[0]}: {words[0]}")
        return done.returncode
