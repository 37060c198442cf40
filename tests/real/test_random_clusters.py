"""The real ExternalDNS on random clusters, and the emulation over the same objects and records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed.external_dns.offline import reached_text
from testbed.options import Options
from testbed.rehearsal.scenario import EXTERNAL_DNS_FLAGS, Scenario
from testbed.runtime.components.compared_external_dns import ComparedExternalDns
from testbed.runtime.processes import Processes
from testbed.runtime.running import running
from tests.real.random_clusters import changed, cluster

CLUSTERS = 12

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]


@pytest.fixture
def topology(tmp_path: Path) -> Iterator[Processes]:
    """A topology without an ExternalDNS, and with one hosted zone."""
    nothing = Scenario(
        play=lambda _: None,
        name="random",
        title="random clusters",
        host="api.example.com",
        zone="example.com",
        folder=tmp_path,
        external_dns=(),
    )
    with running(nothing, Options(), tmp_path) as made:
        assert isinstance(made, Processes)
        yield made


def test_the_emulation_reaches_what_the_real_one_does_on_random_clusters(
    release: str, external_dns: Path, topology: Processes
) -> None:
    compared = ComparedExternalDns(
        str(external_dns), release, EXTERNAL_DNS_FLAGS, topology, topology.controllers
    )
    store = topology.clusters["testbed"].store
    differences: list[str] = []
    sent = 0
    standing: list[dict[str, Any]] = []
    for seed in range(CLUSTERS):
        items = cluster(seed)
        for state in (items, list(changed(items, seed))):
            for item in standing:
                store.delete(item["kind"], "default", item["metadata"]["name"])
            for item in state:
                store.restore(item)
            standing = state
            one = compared.sync()
            sent += len(one.real.batches)
            if not one.agrees:
                differences += [f"cluster {seed}", *reached_text.difference(one.real, one.emulated), *one.log]
    assert differences == [], "\n".join(differences)
    assert sent > CLUSTERS  # else nothing was compared
