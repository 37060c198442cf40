"""The one way from a scenario and the options of a run to the setup of a topology."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.client_models.population import Population
from testbed.errors import BadInput
from testbed.options import Options
from testbed.rehearsal.played_releases import BY_OPTIONS, BY_SCENARIO
from testbed.rehearsal.scenario import Manifests, Scenario
from testbed.rehearsal.setup import CLUSTER_NAME, Setup
from testbed.releases import Named
from testbed.traffic.calls import Call
from testbed.traffic.description import Traffic
from tests.made_setups import OWN, PLAIN

# Its image tells no release, so that the scenario's counts.
CONTROLLER = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: lbc}
spec:
  template:
    spec:
      containers:
        - name: controller
          image: public.ecr.aws/eks/aws-load-balancer-controller:latest
          args: [--default-target-type=ip]
"""


def scenario(folder: Path, **changes: Any) -> Scenario:
    made = Scenario(play=print, name="s", title="s", host=PLAIN.host, zone=PLAIN.zone, folder=folder)
    return dataclasses.replace(made, **changes)


def test_every_field_comes_from_the_scenario_or_the_options(tmp_path: Path) -> None:
    (tmp_path / "lbc.yaml").write_text(CONTROLLER)
    (tmp_path / "crds.yaml").write_text(yaml.safe_dump_all(OWN.cluster.definitions))
    cluster = dataclasses.replace(
        OWN.cluster,
        name=CLUSTER_NAME,
        external_dns_by=BY_OPTIONS,
        lb_controller_by=BY_SCENARIO,
        # A file and an open place exclude each other, and the emulation: below, one controller has a file.
        lb_controller_binary="",
        lb_controller_binary_release="",
        external_dns_is_open=False,
        lb_controller_is_open=False,
    )
    wanted = dataclasses.replace(OWN, clusters=(cluster,))
    story = scenario(
        tmp_path,
        host=OWN.host,
        zone=OWN.zone,
        connection_age=OWN.connection_age,
        balancer_provisioning=OWN.balancer_provisioning,
        external_dns=("--source=service",),
        external_dns_by_version={"v0.22": ["--registry=noop"], "v0.7.4": ["--never"]},
        lb_controller="v3",
        service_webhook=OWN.cluster.service_webhook,
        manifests=(Manifests("lbc.yaml"), Manifests("crds.yaml")),
        certificates=OWN.certificates,
        ipv6_clients=OWN.ipv6_clients,
        traffic=Traffic(OWN.calls, OWN.backend),
        clients=Population.of(
            {"grpcio": {"share": 0.6, "resolver": "unbound", "age": 300}, "java-http1": 0.4}
        ),
        client_count=5,
        targets=OWN.cluster.targets,
        port=OWN.port,
    )
    named = Named("v0.22", BY_OPTIONS, "./external-dns")
    assert Setup.of(story, Options(external_dns=named, seed=7)) == wanted


def test_a_scenario_without_wishes_gets_the_sample_service_in_one_cluster(tmp_path: Path) -> None:
    setup = Setup.of(scenario(tmp_path, external_dns=()), Options())
    cluster = dataclasses.replace(PLAIN.cluster, lb_controller_by=BY_SCENARIO)
    assert setup == dataclasses.replace(PLAIN, connection_age=300.0, clusters=(cluster,))
    assert setup.cluster is setup.clusters[0]


def test_calls_that_no_client_can_make_are_bad_input(tmp_path: Path) -> None:
    only_rest = Population.of({"python-requests": 1})
    with pytest.raises(BadInput, match=r"no client .* none speaks grpc"):
        Setup.of(scenario(tmp_path, traffic=Traffic((Call("grpc", "/a.B/C"),)), clients=only_rest), Options())


def test_traffic_that_cannot_be_read_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "traffic.toml").write_text("[backend\n")
    with pytest.raises(BadInput, match=r"traffic\.toml:1: not valid TOML"):
        Setup.of(scenario(tmp_path, traffic="traffic.toml"), Options())
