"""The service `control`: one run after the other, and what it answers of the current one."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.clock import Clock
from testbed.errors import BadInput, Missing
from testbed.journal import Journal
from testbed.runtime.compose import control_run
from testbed.runtime.compose.composed import Composed
from testbed.runtime.compose.control_service import ControlService
from testbed.runtime.upkeep import Upkeep
from tests.made_setups import PLAIN
from tests.runtime.compose.conftest import SPEED, Begin, Services


def test_before_any_run_it_says_where_to_look(services: Services, tmp_path: Path) -> None:
    services.service.end()
    with pytest.raises(Missing, match="no run has begun"):
        ControlService(services.network, tmp_path, Upkeep(), tmp_path).run.check()
    with pytest.raises(Missing, match="no run has begun; look at `docker compose logs control`"):
        services.control.get("/state")
    assert services.control.get("/network") == {"second": services.network.second}
    assert services.control.get("/ready") == {}


def test_what_stands_gives_way_to_a_rehearsal_and_does_not_come_back(
    services: Services, begin: Begin
) -> None:
    services.service.is_taken = False
    standing = services.service.stand(PLAIN, Clock(SPEED))
    assert standing is services.service.run
    assert services.control.get("/standing") == {}
    begin(PLAIN)
    rehearsal = services.service.run
    assert rehearsal is not standing
    assert services.service.stand(PLAIN, Clock(SPEED)) is None
    assert services.service.run is rehearsal


def test_it_answers_for_the_balancers_and_the_clusters_of_its_run(services: Services, begin: Begin) -> None:
    topology = begin(PLAIN)
    ask = services.control
    assert ask.raw("/ca.pem") == topology.bundle.read_bytes()
    assert ask.get("/addresses", name="nowhere.elb.amazonaws.com") == []
    assert ask.get("/peers", address="127.0.0.1") is None
    assert ask.get("/balancers") == []
    assert ask.get("/flows", balancer="nowhere.elb.amazonaws.com") == 0
    assert ask.get("/state", cluster="testbed") == {"syncs": [0, 0], "log": [], "error": [0, ""]}
    assert ask.get("/kubeconfig")["clusters"] == ask.get("/kubeconfig", cluster="testbed")["clusters"]
    for path in ("/state", "/kubeconfig"):
        with pytest.raises(BadInput, match="the run has no cluster green"):
            ask.get(path, cluster="green")


def test_its_journal_is_read_in_whole_lines_from_any_byte(services: Services, begin: Begin) -> None:
    begin(PLAIN)
    run = services.service.run
    run.journal.append(b'{"event":"a"}\n{"event":"b"}\n')
    length = run.journal.path.stat().st_size
    assert services.control.raw("/journal", **{"from": length - 14}) == b'{"event":"b"}\n'


def test_a_second_rehearsal_is_refused_while_the_first_one_is_played(
    services: Services, begin: Begin, tmp_path: Path
) -> None:
    first = begin(PLAIN)
    with Journal(tmp_path / "second.ndjson") as written:
        second = Composed(PLAIN, Clock(SPEED), written)
        with pytest.raises(Missing, match="another rehearsal plays in these containers; wait for its end"):
            second.start()
        second.close()
    first.check()
    assert services.service.run.id == first.journal.run


def test_what_ended_makes_room_at_once_and_what_was_killed_soon(
    services: Services, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(PLAIN).close()
    assert not services.service.run.is_played
    begin(PLAIN)
    assert services.service.run.is_played
    monkeypatch.setattr(control_run, "GONE", 0.0)
    assert not services.service.run.is_played


def test_a_run_whose_containers_another_one_has_taken_gets_nothing_of_that_one(
    services: Services, begin: Begin
) -> None:
    first = begin(PLAIN)
    services.service.run.release()
    second = begin(PLAIN)
    second.check()
    with pytest.raises(Missing, match="another rehearsal has begun in these containers"):
        first.check()
    with pytest.raises(Missing, match="another rehearsal has begun in these containers"):
        first.finish()
