"""`kubectl logs` of a Deployment's pod."""

from __future__ import annotations

import pytest

from testbed.kubernetes.api.pod_log import asked, text
from testbed.kubernetes.api.statuses import Refused
from testbed.kubernetes.deployment_controller import DeploymentController
from testbed.kubernetes.object_store import LoggedLine
from tests.kubernetes.api.conftest import Cluster
from tests.kubernetes.test_deployment_controller import deployment

LINES = [LoggedLine(f"2026-01-01T00:0{minute}:00Z", f"line {minute}") for minute in range(4)]


@pytest.fixture
def logging(cluster: Cluster) -> Cluster:
    cluster.apply(deployment())
    DeploymentController(cluster.store, cluster.clock, lambda _: True, lambda: None).look()
    for number in range(3):
        cluster.store.record_log("run", f"line {number}")
    return cluster


def test_the_log_of_a_deployment_is_that_of_one_of_its_pods(logging: Cluster) -> None:
    assert logging.ok("logs", "deploy/external-dns") == "line 0\nline 1\nline 2\n"
    assert logging.ok("logs", "deploy/external-dns", "--tail=1") == "line 2\n"


def test_a_followed_log_grows(logging: Cluster) -> None:
    reader = logging.start("logs", "-f", "--tail=1", "deploy/external-dns")
    assert reader.stdout
    try:
        assert reader.stdout.readline() == "line 2\n"
        logging.store.record_log("run", "line 3")
        assert reader.stdout.readline() == "line 3\n"
    finally:
        reader.kill()
        reader.communicate()


def test_a_pod_whose_log_nobody_keeps_says_so(logging: Cluster) -> None:
    logging.store.logs.clear()
    assert "is kept in the testbed" in logging.refused("logs", "deploy/external-dns")
    assert "container nobody is not valid" in logging.refused("logs", "deploy/external-dns", "-c", "nobody")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [0, 1, 2, 3]),
        ({"tailLines": "2"}, [2, 3]),
        ({"tailLines": "0"}, []),
        ({"tailLines": "9"}, [0, 1, 2, 3]),
        ({"sinceSeconds": "60"}, [2, 3]),
        ({"sinceTime": "2026-01-01T00:01:00Z"}, [1, 2, 3]),
    ],
)
def test_a_part_of_the_lines_can_be_asked_for(query: dict[str, str], found: list[int]) -> None:
    assert list(asked(LINES, query)) == [LINES[index] for index in found]


def test_lines_may_have_their_times_and_an_end() -> None:
    assert text(LINES[:1], {"timestamps": "true"}) == b"2026-01-01T00:00:00Z line 0\n"
    assert text(LINES, {"limitBytes": "4"}) == b"line"
    with pytest.raises(Refused, match="is no number"):
        asked(LINES, {"tailLines": "-1"})
