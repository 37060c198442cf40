"""Random clusters that real controllers built: the plan builds the same stacks or refuses in the same words.

`python -m tests.conformance.lb_controller` prints the table alone.
"""

from __future__ import annotations

import pytest

from tests.conformance.lb_controller import cases, recorded
from tests.conformance.lb_controller.recorded import Recording

FILES = ("ingress.jsonl", "annotations.jsonl", "gateways.jsonl")
GATEWAYS = recorded.recordings("gateways.jsonl")
RECORDINGS = [(file, one) for file in FILES for one in recorded.recordings(file)]


@pytest.mark.skipif(not RECORDINGS, reason=f"no recordings in {cases.folder()}")
@pytest.mark.parametrize(
    "recording",
    [
        pytest.param(
            one,
            marks=pytest.mark.conformance("aws-lb", f"recorded/{file} {one.release}", one.id),
            id=f"{one.id}-{one.release}",
        )
        for file, one in RECORDINGS
    ],
)
def test_the_plan_is_what_the_real_controller_built(recording: Recording) -> None:
    assert recorded.differences(recording) == []


@pytest.mark.skipif(not RECORDINGS, reason=f"no recordings in {cases.folder()}")
def test_the_conditions_of_routes_are_what_the_real_controller_wrote() -> None:
    assert [text for one in GATEWAYS for text in recorded.status_differences(one)] == []


@pytest.mark.skipif(not RECORDINGS, reason=f"no recordings in {cases.folder()}")
def test_one_changed_field_is_seen() -> None:
    recording = next(one for _, one in RECORDINGS if one.models)
    stack, model = next(iter(recording.models.items()))
    balancer = {**model["loadBalancers"]["LoadBalancer"], "scheme": "other"}
    changed = {**recording.models, stack: {**model, "loadBalancers": {"LoadBalancer": balancer}}}
    found = recorded.differences(
        Recording(recording.id, recording.release, recording.objects, changed, recording.refused)
    )
    assert len(found) == 1
    assert "scheme" in found[0]
