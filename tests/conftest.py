"""A clean environment for every test, and nothing left behind by any of them."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import psutil
import pytest
from hypothesis import settings

from testbed.network import Network, lease

# An example that takes long says that the machine is busy, not that the property fails.
settings.register_profile("testbed", deadline=None)
settings.load_profile("testbed")


# A shell ignores SIGINT in what it puts in the background, and children inherit that; here Ctrl-C is tested.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests reaches them."""
    for name in os.environ:
        if (
            name.startswith(("TESTBED_", "AWS_", "EXTERNAL_DNS_", "KUBECONFIG"))
            and name != "TESTBED_CONFORMANCE"
        ):
            monkeypatch.delenv(name)


def descendants() -> set[psutil.Process]:
    """Return the processes below this one.

    Most tests have none, and psutil reads all of /proc to find that out.
    """
    if not any(map(_children, Path("/proc/self/task").iterdir())):
        return set()
    return set(psutil.Process().children(recursive=True))


def _children(thread: Path) -> str:
    try:
        return (thread / "children").read_text()
    except (FileNotFoundError, ProcessLookupError):  # the thread has ended
        return ""


@pytest.fixture(autouse=True)
def no_process_left_behind() -> Iterator[None]:
    """A test that leaves a child process running fails."""
    before = descendants()
    yield
    running = [child for child in descendants() - before if child.status() != psutil.STATUS_ZOMBIE]
    assert not running, f"left behind: {running}"


@pytest.fixture
def network() -> Iterator[Network]:
    """A loopback network that no other test and no run holds."""
    with lease() as network:
        yield network


@pytest.fixture(scope="session")
def made() -> ModuleType:
    """The module `tests/made_journals.py`, which no package path leads to."""
    name = "made_journals"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
        assert spec
        assert spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]
