"""The control plane of one run, on the services of the composed topology."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.rehearsal.scenario import Targets
from testbed.runtime.compose.control_run import ControlRun
from tests.made_setups import PLAIN
from tests.runtime.compose.conftest import Begin, Services


def test_the_target_pods_listen_where_the_scenarios_pods_do(services: Services, begin: Begin) -> None:
    cluster = replace(PLAIN.cluster, targets=(Targets(tls_ports=(9443,), plain_ports=(9080,)),))
    begin(replace(PLAIN, clusters=(cluster,)))
    listeners = (services.folder / "run" / "envoy-1" / "lds.json").read_text()
    assert "9443" in listeners
    assert "8443" not in listeners


def test_a_cluster_is_found_by_its_name_and_the_first_without_one(services: Services, begin: Begin) -> None:
    begin(PLAIN)
    run = services.service.run
    assert isinstance(run, ControlRun)
    assert run.cluster() is run.cluster("testbed")
    with pytest.raises(BadInput, match="the run has no cluster green"):
        run.cluster("green")


def test_without_requests_there_is_no_access_log_of_the_albs(services: Services, begin: Begin) -> None:
    topology = begin(PLAIN)
    topology.finish()
    assert services.service.run.access_log() == b""
    assert not (Path(topology.journal.path).parent / "alb-access.log").exists()
