"""The state of a run at a moment, from its events."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import pytest

from testbed import journal
from testbed.journal import Event
from testbed.live.frame import EdgeKind, Frame, NodeState, Standing
from testbed.live.scene import BACKENDS, UNANSWERED, Scene
from testbed.live.ticks import Tick
from tests.live.rows import rows_of

START = 1_700_000_000.0
NLB_NAME = "a0b1-01.elb.ap-northeast-1.amazonaws.com"


def frame_of(events: Sequence[Event], wall: float = 0.0) -> Frame:
    scene, tick = Scene(), Tick()
    for _, kind, fields in rows_of(events):
        tick.add(kind, fields)
    scene.absorb(tick, wall or max(event.time for event in events))
    return scene.frame()


def until(made: ModuleType, moment: float) -> Frame:
    """The made-up story as it stands at a moment, in wall seconds."""
    return frame_of([event for event in made.Story(rate=40.0).events() if event.time <= moment], moment)


def balancer(**fields: Any) -> journal.Balancer:
    values: dict[str, Any] = {
        "time": START, "name": "a0b1", "type": "nlb", "dns_name": NLB_NAME, "state": "active",
        "addresses": ("127.80.10.1",), **fields,
    }  # fmt: skip
    return journal.Balancer(**values)


def request(**fields: Any) -> journal.Request:
    values: dict[str, Any] = {
        "time": START + 1, "id": "r-1", "client": "grpcio-0", "protocol": "grpc", "method": "/a/B",
        "shape": "unary", "intended": START, "sent": START, "address": "api.example.com:8443",
        "peer": "127.80.10.1", "pod": "envoy-0", "listener": "tls", "status": "OK", "outcome": "ok",
        **fields,
    }  # fmt: skip
    return journal.Request(**values)


def test_a_request_is_on_each_edge_of_its_way() -> None:
    frame = frame_of([balancer(), request()])
    carried = {name: edge.count for name, edge in frame.edges.items() if edge.kind is EdgeKind.CARRIES}
    assert carried == {
        "client:grpcio>balancer:1": 1,
        "balancer:1>target:envoy-0": 1,
        f"target:envoy-0>{BACKENDS}": 1,
    }
    assert frame.nodes["balancer:1"].label == "NLB"
    assert (frame.ok, frame.failed, frame.unknown) == (1, 0, 0)


def test_an_access_log_line_tells_the_backend() -> None:
    access = journal.Access(
        time=START + 1, id="r-1", pod="envoy-0", listener="tls", peer="127.80.10.1", connection="1",
        protocol="HTTP/2", method="POST", path="/", status=200, grpc_status="OK", flags="", duration=0.1,
        upstream="127.80.2.1:50051",
    )  # fmt: skip
    frame = frame_of([balancer(), request(), access])
    assert frame.edges["target:envoy-0>backend:127.80.2.1"].count == 1
    assert BACKENDS not in frame.nodes


@pytest.mark.parametrize("outcome", ["failed", "unknown", "something of a later version"])
def test_a_request_without_an_answer_went_an_unknown_way(outcome: Any) -> None:
    frame = frame_of([balancer(), request(outcome=outcome, peer="", pod="")])
    assert frame.edges[f"client:grpcio>{UNANSWERED}"].lost == 1
    assert "client:grpcio>balancer:1" not in frame.edges
    assert frame.nodes[UNANSWERED].state is NodeState.LOST
    assert frame.failed + frame.unknown == 1
    assert frame.ok == 0


def test_a_request_that_the_balancer_refused_is_lost_at_the_balancer() -> None:
    edge = frame_of([balancer(), request(outcome="failed", pod="")]).edges["client:grpcio>balancer:1"]
    assert (edge.count, edge.lost) == (1, 1)


def test_an_address_of_two_balancers_is_nobodys() -> None:
    other = balancer(dns_name="b-2.elb.ap-northeast-1.amazonaws.com")
    frame = frame_of([balancer(), other, request()])
    assert frame.edges["client:grpcio>balancer:unknown"].count == 1


def test_the_edges_of_the_alias_lead_where_it_points(made: ModuleType) -> None:
    story = made.Story()
    before, after = until(made, story.moved(4) - 0.01), until(made, story.moved(4) + 0.01)
    for frame, label in ((before, "NLB"), (after, "ALB")):
        points = [edge for edge in frame.edges.values() if edge.kind is EdgeKind.POINTS]
        assert [frame.nodes[edge.end].label for edge in points] == [label]
        assert frame.nodes["alias:api.example.com"].note == f"A → {label}"


def test_requests_go_on_to_the_old_balancer_after_the_alias_has_moved(made: ModuleType) -> None:
    def through_the_nlb(moment: float) -> int:
        edges = until(made, moment).edges.items()
        return sum(
            edge.count for name, edge in edges if name.endswith(">balancer:1") and name.startswith("client:")
        )

    moved = made.Story().moved(4)
    assert through_the_nlb(moved + 0.3) > through_the_nlb(moved)


def test_the_rate_is_that_of_the_last_second() -> None:
    scene = Scene()
    for at in range(30):
        tick = Tick()
        for _, kind, fields in rows_of([request(time=START + at / 10)] * 5):
            tick.add(kind, fields)
        scene.absorb(tick, START + at / 10)
    assert scene.frame().rate == pytest.approx(50, rel=0.1)
    scene.absorb(Tick(), START + 10)
    scene.absorb(Tick(), START + 11)
    assert scene.frame().rate == 0


def test_steps_have_their_why_and_their_end(made: ModuleType) -> None:
    story = made.Story()
    frame = until(made, story.start(2) + 0.1)
    assert frame.step == 2
    assert [(step.title, step.outcome) for step in frame.steps.values()] == [
        (made.STEPS[0][0], "passed"),
        (made.STEPS[1][0], ""),
    ]
    assert frame.steps["2"].why == made.STEPS[1][1]
    assert frame.at == pytest.approx((story.start(2) + 0.1 - made.EPOCH) * story.speed, abs=0.1)


def test_a_fault_marks_the_part_that_it_strikes_while_it_lasts() -> None:
    begin = journal.FaultStarted(time=START, number=1, name="target-killed", text="target-killed envoy-0")
    end = journal.FaultEnded(time=START + 2, number=1)
    struck, healed = frame_of([balancer(), request(), begin]), frame_of([balancer(), request(), begin, end])
    assert struck.nodes["target:envoy-0"].state is NodeState.STRUCK
    assert struck.faults == {"1": "target-killed envoy-0"}
    assert healed.nodes["target:envoy-0"].state is NodeState.PLAIN
    assert healed.faults == {}


def test_open_connections_stand_at_their_edge() -> None:
    def connection(number: int, state: Any) -> journal.Connection:
        return journal.Connection(
            time=START, id=str(number), client="grpcio-0", state=state, address="127.80.10.1"
        )

    frame = frame_of([balancer(), connection(1, "open"), connection(2, "open"), connection(1, "closed")])
    assert frame.edges["client:grpcio>balancer:1"].open == 1


def test_a_deleted_balancer_stays_in_the_picture() -> None:
    frame = frame_of([balancer(), balancer(state="deleted", addresses=())])
    assert frame.nodes["balancer:1"].state is NodeState.GONE


def test_a_run_that_ended_says_so_and_no_verdict_of_its_own(made: ModuleType) -> None:
    frame = until(made, made.Story().end + 1)
    assert frame.is_over
    assert frame.verdict.standing is Standing.OPEN  # a pass is the verdict's to say
