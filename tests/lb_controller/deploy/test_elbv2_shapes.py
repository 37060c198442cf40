from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from testbed.lb_controller.core.stack import (
    Action,
    Condition,
    FixedResponse,
    Forward,
    HealthCheck,
    Matcher,
    QueryPair,
    Redirect,
    Rewrite,
    Stickiness,
    Transform,
    WeightedTargetGroup,
)
from testbed.lb_controller.deploy import elbv2_shapes

TEXT = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)
OPTIONAL = st.none() | TEXT
VALUES = st.lists(TEXT, min_size=1, max_size=3).map(tuple)
FORWARDS = st.builds(
    Forward,
    target_groups=st.lists(
        st.builds(WeightedTargetGroup, target_group=TEXT, weight=st.none() | st.integers(0, 999)),
        min_size=1,
        max_size=3,
    ).map(tuple),
    stickiness=st.none() | st.builds(Stickiness, enabled=st.booleans(), duration_seconds=st.integers(1, 600)),
)
ACTIONS = st.one_of(
    st.builds(Action, type=st.just("forward"), forward=FORWARDS),
    st.builds(
        Action,
        type=st.just("redirect"),
        redirect=st.builds(
            Redirect,
            status_code=st.sampled_from(["HTTP_301", "HTTP_302"]),
            protocol=OPTIONAL,
            host=OPTIONAL,
            port=OPTIONAL,
            path=OPTIONAL,
            query=OPTIONAL,
        ),
    ),
    st.builds(
        Action,
        type=st.just("fixed-response"),
        fixed_response=st.builds(
            FixedResponse, status_code=TEXT, content_type=OPTIONAL, message_body=OPTIONAL
        ),
    ),
)
CONDITIONS = st.one_of(
    st.builds(
        Condition,
        field=st.sampled_from(["host-header", "path-pattern", "http-request-method", "source-ip"]),
        values=VALUES,
    ),
    st.builds(Condition, field=st.sampled_from(["host-header", "path-pattern"]), regex_values=VALUES),
    st.builds(Condition, field=st.just("http-header"), values=VALUES, header_name=TEXT),
    st.builds(
        Condition,
        field=st.just("query-string"),
        query=st.lists(st.builds(QueryPair, key=OPTIONAL, value=TEXT), min_size=1, max_size=3).map(tuple),
    ),
)

TRANSFORMS = st.builds(
    Transform,
    type=st.sampled_from(["host-header-rewrite", "url-rewrite"]),
    rewrites=st.lists(st.builds(Rewrite, regex=TEXT, replace=TEXT)).map(tuple),
)


def itself(reference: Any) -> str:
    return str(reference)


@given(st.lists(ACTIONS, max_size=3))
def test_actions_read_back_as_they_were_sent(actions: list[Action]) -> None:
    sent = elbv2_shapes.request_actions(actions, itself)
    assert elbv2_shapes.read_actions(sent) == elbv2_shapes.normal_actions(actions, itself)


@given(st.lists(ACTIONS, min_size=2, max_size=3))
def test_several_actions_are_ordered_whatever_the_api_does_with_their_list(actions: list[Action]) -> None:
    sent = elbv2_shapes.request_actions(actions, itself)
    assert elbv2_shapes.read_actions(reversed(sent)) == elbv2_shapes.normal_actions(actions, itself)


@given(st.lists(CONDITIONS, max_size=3))
def test_conditions_read_back_as_they_were_sent(conditions: list[Condition]) -> None:
    assert elbv2_shapes.read_conditions(elbv2_shapes.request_conditions(conditions)) == tuple(conditions)


def test_the_old_form_of_a_condition_reads_the_same() -> None:
    old = {"Field": "path-pattern", "Values": ["/a"]}
    assert elbv2_shapes.read_conditions([old]) == (Condition(field="path-pattern", values=("/a",)),)


def test_a_forward_that_names_its_group_directly_reads_as_one_with_weight_1() -> None:
    [action] = elbv2_shapes.read_actions([{"Type": "forward", "TargetGroupArn": "arn:t"}])
    assert action.forward == Forward(target_groups=(WeightedTargetGroup(target_group="arn:t", weight=1),))


@given(st.lists(TRANSFORMS, max_size=2))
def test_transforms_read_back_as_they_were_sent(transforms: list[Transform]) -> None:
    sent = elbv2_shapes.request_transforms(transforms)
    assert elbv2_shapes.read_transforms(sent) == tuple(transforms)


@given(
    st.builds(
        HealthCheck,
        port=st.integers(1, 65535) | st.just("traffic-port"),
        protocol=st.sampled_from(["HTTP", "TCP"]),
        interval_seconds=st.integers(5, 300),
        timeout_seconds=st.integers(2, 120),
        healthy_threshold=st.integers(2, 10),
        unhealthy_threshold=st.integers(2, 10),
        path=OPTIONAL,
        matcher=st.none() | st.builds(Matcher, http_code=TEXT) | st.builds(Matcher, grpc_code=TEXT),
    )
)
def test_health_checks_read_back_as_they_were_sent(check: HealthCheck) -> None:
    assert elbv2_shapes.read_health_check(elbv2_shapes.request_health_check(check)) == check
