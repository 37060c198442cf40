"""The seam between a rehearsal and its runtimes: each runtime has all of it, and nothing goes around it."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from testbed.rehearsal.topology import Cluster, Topology
from testbed.runtime.components import cluster
from testbed.runtime.compose import composed
from testbed.runtime.processes import Processes

ROOT = Path(__file__).resolve().parents[2]
RUNTIMES = {"testbed.runtime.processes", "testbed.runtime.compose.composed"}


def functions(protocol: type) -> set[str]:
    return {name for name, value in vars(protocol).items() if callable(value) and not name.startswith("_")}


@pytest.mark.parametrize(
    ("protocol", "runtime"),
    [
        (Topology, Processes),
        (Topology, composed.Composed),
        (Cluster, cluster.Cluster),
        (Cluster, composed.RemoteCluster),
    ],
    ids=lambda kind: f"{kind.__module__}.{kind.__name__}",
)
def test_a_runtime_has_a_body_of_its_own_for_every_function_of_the_seam(
    protocol: type, runtime: type
) -> None:
    assert protocol in runtime.__mro__
    # One that it lacks would do nothing: the seam has only sentences for bodies.
    assert functions(protocol) - set(vars(runtime)) == set()


def test_the_cluster_is_the_first_of_the_setup() -> None:
    clusters = {name: SimpleNamespace(name=name) for name in ("green", "blue")}
    cluster = cast(Any, Topology.cluster).fget(SimpleNamespace(clusters=clusters))
    assert cluster.name == "green"


def test_only_the_runtime_itself_names_its_runtimes() -> None:
    for path in (ROOT / "testbed").rglob("*.py"):
        if path.is_relative_to(ROOT / "testbed" / "runtime"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not named & RUNTIMES, path
