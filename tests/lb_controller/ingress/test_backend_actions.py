from __future__ import annotations

import pytest

from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions
from testbed.lb_controller.core.forward_actions import BackendForward
from testbed.lb_controller.core.stack import Action
from testbed.lb_controller.ingress import backend_actions
from tests.lb_controller.examples import cluster, ingress, path, service

OPTIONS = ControllerOptions()
WEIGHTED = (
    '{"type": "forward", "forwardConfig": {"targetGroups": ['
    '{"serviceName": "web", "servicePort": "80", "weight": 1}, {"serviceName": "%s", "servicePort": 80%s}]}}'
)


def build(action: str, **names: str) -> BackendForward | Action:
    item = ingress("a", **{"actions.split": action}, **names)
    backend = path("/", service="split", port="use-annotation")["backend"]
    return backend_actions.build(item, backend, cluster(service("web"), service("other")), OPTIONS).action


def test_a_weighted_forward_reads_ports_written_as_text_as_numbers() -> None:
    action = build(WEIGHTED % ("other", ', "weight": 9'))

    assert isinstance(action, BackendForward)
    assert [(item.service, item.port, item.weight) for item in action.targets] == [
        ("web", 80, 1),
        ("other", 80, 9),
    ]


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (WEIGHTED % ("gone", ', "weight": 9'), 'services "gone" not found'),
        (
            WEIGHTED % ("other", ""),
            "invalid ForwardConfig: weight must be set when route to multiple target groups",
        ),
        ('{"type": "shrug"}', "unknown action type: shrug"),
        ('{"type": "redirect"}', "missing RedirectConfig"),
        ('{"type": "redirect", "redirectConfig": {}}', "invalid RedirectConfig: statusCode is required"),
        (
            '{"type": "fixed-response", "fixedResponseConfig": {"statusCode": 404}}',
            "json: cannot unmarshal number into Go value of type string",
        ),
    ],
)
def test_a_wrong_action_is_refused(action: str, error: str) -> None:
    with pytest.raises(BuildError) as raised:
        build(action)
    assert str(raised.value) == error


def test_a_missing_action_is_a_503_or_an_error_by_the_flag() -> None:
    backend = path("/", service="split", port="use-annotation")["backend"]
    strict = ControllerOptions(tolerate_missing_action=False)

    action = backend_actions.build(ingress("a"), backend, cluster(), OPTIONS).action

    assert isinstance(action, Action)
    assert action.fixed_response
    assert action.fixed_response.message_body == "Backend action does not exist"
    with pytest.raises(BuildError, match=r"missing actions\.split configuration"):
        backend_actions.build(ingress("a"), backend, cluster(), strict)
