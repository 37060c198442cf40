"""Where the clients' libraries are installed, and the runs that several tests look at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import which
from typing import Any

import pytest

HERE = Path(__file__).parent
ALL = os.environ.get("CLIENTS") == "all"  # `make clients`
URL = "http://api.example.test:8080/"
IN_A_NAMESPACE = ("unshare", "--net", "--mount", *(() if os.getuid() == 0 else ("--user", "--map-root-user")))
LONGEST = 120.0
"""Wall seconds of a run, whose timeline takes 40 at most."""


@dataclass(frozen=True)
class Library:
    """A client of its own library; `driver` makes its command from the interval and the number of calls."""

    name: str
    model: str
    driver: tuple[str, ...]

    def command(self, every: float, count: int) -> list[str]:
        return [*self.driver, URL, str(every), str(count)]


@dataclass(frozen=True)
class Timeline:
    """What happens after the first request, in seconds, and how the clients call."""

    events: tuple[tuple[float, str], ...]
    every: float
    count: int


@cache
def python() -> str:
    """The interpreter of an environment with the pinned libraries, made anew when the pins change."""
    pins = HERE / ("requirements-all.txt" if ALL else "requirements.txt")
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "cutover-testbed" / "clients"
    stamp, interpreter = folder / pins.name, folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != pins.read_text():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install = [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", pins]
        subprocess.run(install, check=True)
        stamp.write_text(pins.read_text())
    return str(interpreter)


def refuse(why: str) -> None:
    """Skip, or fail where the suite must be whole."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def libraries() -> list[Library]:
    calls = str(HERE / "drivers" / "calls.py")
    found = [
        Library(name, model, (python(), calls, name))
        for name, model in (
            ("requests", "python-requests"),
            ("urllib3", "python-requests"),
            ("httpx", "python-httpx"),
            ("aiohttp", "python-aiohttp"),
            ("boto3", "boto3"),
        )
    ]
    if not which("node"):
        refuse("Node is not installed")
    script = str(HERE / "drivers" / "calls.js")
    found += [Library(f"node {one}", f"node-{one}", ("node", script, one)) for one in ("fetch", "http")]
    return found + (of_other_languages() if ALL else [])


def of_other_languages() -> list[Library]:
    """Those of `make clients`, which CI does not have."""
    for program in ("go", "java", "nginx", "haproxy"):
        if not which(program):
            pytest.fail(f"{program} is not installed, or not in PATH")
    built = Path(python()).parents[1] / "calls-go"
    subprocess.run(["go", "build", "-o", built, HERE / "drivers" / "calls.go"], check=True)
    java = ("java", str(HERE / "drivers" / "Calls.java"))
    return [
        Library("go", "go-net-http", (str(built),)),
        Library("java client", "java-http1", (*java, "client")),
        Library("java urlconnection", "java-urlconnection", (*java, "urlconnection")),
        Library("pycurl", "libcurl", (python(), str(HERE / "drivers" / "calls.py"), "pycurl")),
        *(
            Library(one, one, (sys.executable, str(HERE / "drivers" / "proxies.py"), one))
            for one in ("nginx", "haproxy")
        ),
    ]


@pytest.fixture(scope="session")
def played() -> Callable[[Timeline], Mapping[str, tuple[str, Mapping[str, Any]]]]:
    """Plays a timeline to all libraries at once, and returns the model and what was seen by library."""
    if subprocess.run([*IN_A_NAMESPACE, "true"], capture_output=True, check=False).returncode:
        refuse("no network namespace can be made here")
    known: dict[Timeline, Mapping[str, tuple[str, Mapping[str, Any]]]] = {}

    def play(timeline: Timeline) -> Mapping[str, tuple[str, Mapping[str, Any]]]:
        if timeline not in known:
            known[timeline] = _play(timeline)
        return known[timeline]

    return play


def _play(timeline: Timeline) -> Mapping[str, tuple[str, Mapping[str, Any]]]:
    lab = [*IN_A_NAMESPACE, sys.executable, str(HERE / "lab.py"), json.dumps(timeline.events)]
    tested = libraries()
    running = [
        subprocess.Popen([*lab, *one.command(timeline.every, timeline.count)], stdout=subprocess.PIPE)
        for one in tested
    ]
    found = {}
    try:
        for one, process in zip(tested, running, strict=True):
            output, _ = process.communicate(timeout=LONGEST)
            assert process.returncode == 0, one.name
            found[one.name] = (one.model, json.loads(output))
    finally:
        for process in running:
            process.kill()
            process.wait()
    return found
