"""A rehearsal on the services of the composed topology, from its order to its journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from testbed import journal
from testbed.clock import Clock
from testbed.errors import BadInput, Missing
from testbed.rehearsal.conditions import active, alias_at, served_by
from testbed.rehearsal.cutover import Cutover
from testbed.rehearsal.scenario import EXTERNAL_DNS_FLAGS
from testbed.rehearsal.script import load
from testbed.runtime.compose.composed import Composed
from tests.made_setups import PLAIN
from tests.runtime.compose.conftest import Begin, Services, until

ROOT = Path(__file__).resolve().parents[3]
STORY = replace(
    PLAIN, clusters=(replace(PLAIN.cluster, external_dns_flags=EXTERNAL_DNS_FLAGS),), connection_age=None
)


@pytest.mark.timeout(120)
def test_the_nlb_of_the_story_serves_and_all_accounts_come_into_one_journal(begin: Begin) -> None:
    scenario = load(str(ROOT / "scenarios" / "zozomat"))
    topology = begin(replace(STORY, host=scenario.host, zone=scenario.zone))
    heard: list[journal.Event] = []
    topology.journal.listener = heard.append
    cutover = Cutover(scenario, topology, 40)
    cutover.apply("manifests/1-nlb.yaml")
    cutover.wait_until(alias_at("nlb"), within=240)
    cutover.wait_until(active("nlb"), within=600)
    topology.start_traffic(40)
    cutover.wait_until(served_by("nlb"), within=600)
    (balancer,) = cutover.balancers("nlb")
    assert len(topology.addresses(balancer.dns_name)) == 2
    assert topology.flows(balancer.dns_name) > 0
    assert [one.owner for one in topology.balancers()] == ["service/default/envoy"]
    assert {result.status for result in topology.probe(balancer.dns_name)} == {"OK", "200"}
    assert any("CREATE" in line for line in topology.cluster.external_dns_log())
    started, finished = topology.cluster.external_dns_syncs()
    assert started >= finished > 0
    topology.pause_traffic()
    topology.check()
    topology.finish()
    events = list(journal.read(topology.journal.path))
    answered = sum(event.outcome == "ok" for event in events if isinstance(event, journal.Request))
    served = {event.id for event in events if isinstance(event, journal.Access)}
    assert 0 < answered <= len(served)
    assert any(isinstance(event, journal.Balancer) for event in heard)
    assert not any(isinstance(event, journal.Access) for event in heard)


def test_commands_of_a_runbook_are_refused(begin: Begin) -> None:
    with pytest.raises(BadInput, match="commands of a runbook run on this machine only"):
        begin(PLAIN).tools()


def test_a_flag_that_external_dns_does_not_know_is_bad_input_on_this_side_too(begin: Begin) -> None:
    cluster = replace(PLAIN.cluster, external_dns_flags=("--sauce=service",))
    with pytest.raises(BadInput, match="sauce"):
        begin(replace(PLAIN, clusters=(cluster,)))


def test_external_dns_is_replaced_in_the_container_of_the_control_plane(begin: Begin) -> None:
    cluster = replace(PLAIN.cluster, external_dns_flags=EXTERNAL_DNS_FLAGS)
    topology = begin(replace(PLAIN, clusters=(cluster,)))
    remote = topology.clusters[cluster.name]
    with pytest.raises(BadInput, match="sauce"):
        remote.replace_external_dns("v0.7.4", ("--sauce=service",))
    assert "Terminating main controller loop" not in remote.external_dns_log()
    remote.replace_external_dns("v0.7.5", EXTERNAL_DNS_FLAGS)
    assert remote.external_dns_log()[-1] == "Terminating main controller loop"


def test_a_second_cluster_is_refused_because_there_are_no_containers_for_its_pods(begin: Begin) -> None:
    with pytest.raises(BadInput, match="containers have one cluster only"):
        begin(replace(PLAIN, clusters=(PLAIN.cluster, replace(PLAIN.cluster, name="second"))))


def test_a_failure_of_a_part_ends_the_rehearsal(begin: Begin) -> None:
    topology = begin(PLAIN)
    topology._upkeep.fail(Missing("the journal is gone"))
    with pytest.raises(Missing, match="the journal is gone"):
        topology.check()


def test_without_services_one_line_says_how_to_start_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESTBED_CONTROL", f"unix:{tmp_path / 'none'}")
    with (
        journal.Journal(tmp_path / "journal.ndjson") as written,
        pytest.raises(Missing, match=r"`control` does not answer .*start it with `docker compose up`"),
    ):
        Composed(PLAIN, Clock(), written)


def test_what_an_envoy_in_a_container_refuses_is_shown_at_once_and_in_the_journal_of_the_run(
    services: Services, begin: Begin
) -> None:
    topology = begin(PLAIN)
    heard: list[journal.Event] = []
    topology.journal.listener = heard.append
    services.service.run.plane.fleet.server.nodes["nlb"].refuse("Listener", "Address already in use")

    def errors(events: Iterable[journal.Event]) -> list[str]:
        return [one.line for one in events if isinstance(one, journal.Log) and one.is_part_error]

    assert until(lambda: errors(tuple(heard)) == ["Address already in use"])
    assert errors(journal.read(topology.journal.path)) == ["Address already in use"]
