"""Composed topologies for tests: each a project of its own name, addresses, ports and report."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import docker

ROOT = Path(__file__).resolve().parents[2]
USER = 1000
"""Whom docker-compose.yml runs everything as, if root plays."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project of docker-compose.yml.

    Attributes:
        name: its name, the label of all that belongs to it.
        subnet: second byte of its addresses.
        report: where its rehearsals write.
    """

    name: str
    subnet: int
    report: Path
    files: Sequence[Path] = (ROOT / "docker-compose.yml",)

    @property
    def loopback(self) -> str:
        """Where it is published."""
        return f"127.0.{self.subnet}.1"

    @property
    def environment(self) -> dict[str, str]:
        """What tells Compose of it."""
        told = {
            "COMPOSE_PROJECT_NAME": self.name,
            "COMPOSE_FILE": ":".join(map(str, self.files)),
            "TESTBED_SUBNET": str(self.subnet),
            "TESTBED_LOOPBACK": self.loopback,
            "TESTBED_REPORT_FOLDER": str(self.report),
        }
        if os.getuid():
            told["TESTBED_USER"] = f"{os.getuid()}:{os.getgid()}"
        return {**os.environ, **told}

    def address(self, third: int, fourth: int) -> str:
        """An address of it."""
        return f"10.{self.subnet}.{third}.{fourth}"

    def compose(self, *arguments: str, seconds: float = 150) -> subprocess.CompletedProcess[str]:
        """Run docker compose for it."""
        return subprocess.run(
            ["docker", "compose", "--progress", "quiet", *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command for it, in a session of its own, as a terminal does."""
        return subprocess.Popen(
            arguments,
            env=self.environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def rehearse(self, *arguments: str, seconds: float = 150) -> subprocess.CompletedProcess[str]:
        """Play the story in it."""
        return self.compose("run", "--rm", "--no-TTY", "rehearse", "rehearse", *arguments, seconds=seconds)

    def down(self) -> None:
        """Remove it."""
        done = self.compose("--profile", "rehearse", "down", "--volumes")
        assert done.returncode == 0, done.stderr

    def left(self) -> list[str]:
        """Containers, networks and volumes that there are of it."""
        client = docker.from_env()
        try:
            mine = {"label": f"com.docker.compose.project={self.name}"}
            found = [one.name or "" for one in client.containers.list(all=True, filters=mine)]
            found += [one.name or "" for one in client.networks.list(filters=mine)]
            return found + [one.name for one in client.volumes.list(filters=mine)]
        finally:
            client.close()


def free(name: str, report: Path, *files: Path) -> Project:
    """A project whose addresses no other network of Docker has."""
    client = docker.from_env()
    try:
        taken = {
            config.get("Subnet", "").split(".")[1]
            for network in client.networks.list()
            for config in (network.attrs["IPAM"]["Config"] or [])
            if config.get("Subnet", "").startswith("10.")
        }
    finally:
        client.close()
    subnet = next(number for number in range(100, 200) if str(number) not in taken)
    report.mkdir()
    if not os.getuid():
        os.chown(report, USER, USER)
    return Project(f"{name}-{os.getpid()}", subnet, report, (ROOT / "docker-compose.yml", *files))
