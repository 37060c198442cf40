"""The story of another revision with the clients that it had, for both builds.

A story that names no clients is called by each build's own default. Then a comparison would be one of client
libraries: a pool that follows the TTL asks less of a machine than one that keeps its connections.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLIENTS = {"grpcio": 0.8, "ttl-pool": 0.2}
"""The clients of every story before scenarios named them (e77b20b)."""
_PIN = """

import dataclasses as _dataclasses

try:
    from testbed.client_models.population import Population as _Population
except ImportError:  # a build that knows no others than these clients
    pass
else:
    for _function in list(globals().values()):
        _scenario = getattr(_function, "testbed_scenario", None)
        if _dataclasses.is_dataclass(_scenario) and getattr(_scenario, "clients", ()) is None:
            _function.testbed_scenario = _dataclasses.replace(_scenario, clients=_Population.of({clients}))
"""


@contextmanager
def pinned(story: Path) -> Iterator[str]:
    """Yield a copy of a story's folder, as a command takes it, whose scenarios name their clients."""
    with tempfile.TemporaryDirectory(prefix="testbed-bench-") as name:
        folder = Path(name) / story.name
        shutil.copytree(story, folder)
        for script in folder.glob("*.py"):
            script.write_text(script.read_text() + _PIN.replace("{clients}", repr(CLIENTS)))
        yield str(folder)
