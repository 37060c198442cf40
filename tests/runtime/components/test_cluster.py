"""One cluster, without balancers or DNS."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from testbed import journal
from testbed.aws.boto3_clients import Clients
from testbed.clock import Clock
from testbed.errors import BadInput
from testbed.journal import Journal
from testbed.network import KUBERNETES_PORT, Network
from testbed.rehearsal.setup import CLUSTER_NAME, ClusterSetup
from testbed.runtime.components.cluster import EXTERNAL_DNS, Cluster
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE
from tests.made_setups import OWN, PLAIN, WIDGETS

Make = Callable[[ClusterSetup, int], Cluster]


@pytest.fixture
def make(network: Network, tmp_path: Path) -> Iterator[Make]:
    upkeep = Upkeep()
    with Journal(tmp_path / "journal.ndjson") as written:
        yield lambda setup, number: Cluster(
            setup,
            number,
            seed=1,
            clock=Clock(600.0),
            network=network,
            journal=written,
            aws=Clients(f"http://{network.control}:4567"),
            upkeep=upkeep,
        )
        upkeep.close()


def test_it_begins_with_its_own_nodes_and_pods(make: Make) -> None:
    blue, green = make(OWN.clusters[0], 0), make(OWN.clusters[1], 1)
    assert (blue.name, green.name) == ("blue", "green")
    names = [{pod["metadata"]["name"] for pod in one.objects.list("Pod")} for one in (blue, green)]
    assert names == [{"web-0", "web-1", "other-0", "other-1"}, {"envoy-2", "envoy-3"}]
    assert blue.kubernetes.url.endswith(f":{KUBERNETES_PORT}")
    assert green.kubernetes.url.endswith(f":{KUBERNETES_PORT + 1}")


def test_definitions_are_there_before_a_controller_starts(make: Make) -> None:
    cluster = make(replace(PLAIN.cluster, definitions=(WIDGETS, WIDGETS)), 0)
    names = [one["metadata"]["name"] for one in cluster.objects.list("CustomResourceDefinition")]
    assert names == ["widgets.example.com"]
    cluster.objects.apply(WIDGETS)  # as the manifests that stand are


def test_without_flags_there_is_no_external_dns(make: Make) -> None:
    cluster = make(PLAIN.cluster, 0)
    cluster.start_controllers([], "vpc-1")
    assert cluster.external_dns_syncs() == (0, 0)
    assert cluster.external_dns_log() == ()


def test_a_flag_that_external_dns_does_not_know_is_bad_input(make: Make) -> None:
    cluster = make(replace(PLAIN.cluster, external_dns_flags=("--sauce=service",)), 0)
    with pytest.raises(BadInput, match="sauce"):
        cluster.start_controllers([], "vpc-1")


def until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE.process_start
    while not holds() and time.monotonic() < deadline:
        time.sleep(PATIENCE.look)
    return holds()


def test_another_release_of_external_dns_takes_over_where_the_old_one_has_ended(make: Make) -> None:
    flags = ("--source=service", "--policy=sync")
    cluster = make(replace(PLAIN.cluster, external_dns_version="v0.7.4", external_dns_flags=flags), 0)
    cluster.start_controllers([], "vpc-1")
    assert until(lambda: cluster.external_dns_syncs()[1] > 0)
    cluster.replace_external_dns("v0.22", flags)
    log = list(cluster.external_dns_log())
    assert log[-1] == "Terminating main controller loop"
    begun = cluster.external_dns_syncs()[0]
    assert begun >= 1
    assert until(lambda: cluster.external_dns_syncs()[1] > begun)
    # v0.7.x logs an error of a sync as it is; later releases say that a run failed.
    assert until(lambda: "Failed to do run once" in "\n".join(cluster.external_dns_log()[len(log) :]))


def test_a_release_that_does_not_know_a_flag_leaves_the_old_one_running(make: Make) -> None:
    flags = ("--source=service", "--policy=sync", "--min-ttl=1m")
    cluster = make(replace(PLAIN.cluster, external_dns_version="v0.22", external_dns_flags=flags), 0)
    cluster.start_controllers([], "vpc-1")
    with pytest.raises(BadInput, match="min-ttl"):
        cluster.replace_external_dns("v0.7.4", flags)
    begun = cluster.external_dns_syncs()[0]
    assert until(lambda: cluster.external_dns_syncs()[0] > begun)
    assert "Terminating main controller loop" not in cluster.external_dns_log()


@pytest.mark.parametrize(("name", "component"), [(CLUSTER_NAME, EXTERNAL_DNS), ("blue", "external-dns/blue")])
def test_a_log_line_names_the_cluster_unless_it_stands_alone(
    make: Make, tmp_path: Path, name: str, component: str
) -> None:
    flags = (*OWN.clusters[0].external_dns_flags, "--policy=sync")
    setup = replace(
        OWN.clusters[0],
        name=name,
        external_dns_flags=flags,
        external_dns_binary="",
        lb_controller_binary="",
        external_dns_is_open=False,
        lb_controller_is_open=False,
    )
    cluster = make(setup, 0)
    cluster.start_controllers([], "vpc-1")
    assert until(lambda: bool(cluster.external_dns_log()))
    logs = [event for event in journal.read(tmp_path / "journal.ndjson") if isinstance(event, journal.Log)]
    assert component in {event.component for event in logs}


def test_what_a_controller_reports_about_an_object_is_in_the_journal(make: Make, tmp_path: Path) -> None:
    cluster = make(PLAIN.cluster, 0)
    cluster.start_controllers([], "vpc-1")
    pod = cluster.objects.list("Pod")[0]

    def reported() -> list[tuple[str, str, str, str]]:
        return [
            (event.object, event.type, event.reason, event.message)
            for event in journal.read(tmp_path / "journal.ndjson")
            if isinstance(event, journal.ControllerEvent)
        ]

    (tmp_path / "journal.ndjson").write_text('{"event":"losses_accepted","time":0.0,"why":"no empty file"}\n')
    for number in (1, 2):
        cluster.store.record_event(pod, "Warning", "FailedDeployModel", "protected")
        assert until(lambda number=number: len(reported()) == number)  # type: ignore[misc]
    name = f"pod/default/{pod['metadata']['name']}"
    assert set(reported()) == {(name, "Warning", "FailedDeployModel", "protected")}


def test_the_errors_of_external_dns_are_counted_and_the_last_one_is_known(make: Make) -> None:
    cluster = make(replace(PLAIN.cluster, external_dns_flags=("--source=service", "--provider=aws")), 0)
    assert cluster.external_dns_error() == (0, "")
    cluster.start_controllers([], "vpc-1")  # there is no Route 53 at its endpoint
    assert until(lambda: cluster.external_dns_error()[0] > 0)
    assert cluster.external_dns_error()[1] in cluster.external_dns_log()


@pytest.mark.parametrize(
    ("release", "has_webhook", "expected"),
    [("v2.4.7", True, None), ("v2.5.0", True, "service.k8s.aws/nlb"), ("v2.5.0", False, None)],
)
def test_the_service_webhook_claims_what_a_step_creates_and_nothing_that_stands(
    make: Make, release: str, has_webhook: bool, expected: str | None
) -> None:
    cluster = make(replace(PLAIN.cluster, lb_controller=release, service_webhook=has_webhook), 0)
    cluster.start_controllers([], "vpc-1")
    for name, port in (("old", 30080), ("new", 30081)):
        spec = {"type": "LoadBalancer", "ports": [{"port": 80, "nodePort": port}]}
        item = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
        cluster.store.put(item)
        cluster.begin_story()
    classes = {
        one["metadata"]["name"]: one["spec"].get("loadBalancerClass") for one in cluster.store.list("Service")
    }
    assert (classes["old"], classes["new"]) == (None, expected)


def test_a_role_to_assume_is_refused_where_a_real_controller_would_assume_it(make: Make) -> None:
    binding = {
        "apiVersion": "elbv2.k8s.aws/v1beta1",
        "kind": "TargetGroupBinding",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "targetGroupARN": "arn:aws:elasticloadbalancing:ap-northeast-1:1:targetgroup/a/b",
            "serviceRef": {"name": "web", "port": 80},
            "iamRoleArnToAssume": "arn:aws:iam::111122223333:role/other",
        },
    }
    cluster = make(replace(PLAIN.cluster, lb_controller_is_open=True), 0)
    cluster.start_controllers([], "vpc-1")
    with pytest.raises(BadInput, match="leads the LB controller to another account"):
        cluster.objects.apply(binding)
