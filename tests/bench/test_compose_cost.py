from __future__ import annotations

import pytest

from testbed.bench import compose_cost
from testbed.errors import ExitCode, Missing

DOCKER = """#!/bin/sh
echo "$COMPOSE_PROJECT_NAME $PWD $*" >> {log}
case "$*" in
  *run*) exit 4;;
  *up*) if [ -e {log}.broken ]; then echo first >&2; echo "no such image" >&2; exit 1; fi;;
esac
"""


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """A `docker` that writes down how it is called; returns what it wrote."""
    log, binary = tmp_path / "calls", tmp_path / "docker"
    binary.write_text(DOCKER.format(log=log))
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return log


def test_compose_runs_where_its_file_is():
    assert (compose_cost.CHECKOUT / "docker-compose.yml").is_file()


def test_the_story_is_played_in_a_project_of_its_own_that_is_removed_afterwards(calls):
    seconds, code = compose_cost.seconds_of_story()
    assert code is ExitCode.INCONCLUSIVE
    assert seconds >= 0
    lines = calls.read_text().splitlines()
    assert all(line.startswith(f"cutover-bench {compose_cost.CHECKOUT} compose ") for line in lines)
    assert [line.split(" compose ")[1].split()[0] for line in lines] == ["up", "run", "--profile"]
    assert lines[-1].endswith("down --volumes")


def test_a_topology_that_does_not_come_up_is_reported_with_the_last_line_of_compose(calls):
    calls.with_suffix(".broken").touch()
    with pytest.raises(Missing, match="docker compose up: no such image"):
        compose_cost.seconds_of_story()
    assert calls.read_text().splitlines()[-1].endswith("down --volumes")


def test_without_docker_it_says_so(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(Missing, match="no docker on this machine"):
        compose_cost.seconds_of_story()
