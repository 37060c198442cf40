from __future__ import annotations

import pytest

from testbed.lb_controller.core import tags
from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions, Member
from testbed.lb_controller.core.feature_gates import Gate
from tests.lb_controller.examples import ingress, service

DEFAULTS = {"team": "flag", "env": "test"}


def test_the_flag_wins_over_annotations_unless_a_gate_turns_that_round() -> None:
    low = ControllerOptions(
        default_tags=DEFAULTS, feature_gates={Gate.ENABLE_DEFAULT_TAGS_LOW_PRIORITY.value: True}
    )

    assert tags.with_defaults({"team": "web"}, ControllerOptions(default_tags=DEFAULTS)) == DEFAULTS
    assert tags.with_defaults({"team": "web"}, low) == {"team": "web", "env": "test"}


def test_members_share_tags_as_long_as_they_agree() -> None:
    one, two = (
        Member(ingress=ingress("a", tags="team=web,x=1")),
        Member(ingress=ingress("b", tags="team=web")),
    )
    third = Member(ingress=ingress("c", tags="team=data"))

    assert tags.of_group([one, two], ControllerOptions()) == {"team": "web", "x": "1"}
    with pytest.raises(BuildError) as raised:
        tags.of_group([one, third], ControllerOptions())
    assert str(raised.value) == "conflicting tag team: web | data"


def test_the_tags_of_a_class_win_over_those_of_its_ingresses() -> None:
    params = {"metadata": {"name": "p"}, "spec": {"tags": [{"key": "team", "value": "class"}]}}
    member = Member(ingress=ingress("a", tags="team=web,x=1"), class_params=params)

    assert tags.of_member(member, ControllerOptions()) == {"team": "class", "x": "1"}


def test_the_tags_of_a_service_win_over_those_of_the_ingress() -> None:
    backend = service()
    backend["metadata"]["annotations"]["alb.ingress.kubernetes.io/tags"] = "team=service"

    found = tags.of_backend(Member(ingress=ingress("a", tags="team=web,x=1")), backend, ControllerOptions())

    assert found == {"team": "service", "x": "1"}


def test_a_tag_that_others_manage_is_refused() -> None:
    options = ControllerOptions(external_managed_tags=frozenset({"team"}))

    with pytest.raises(BuildError) as raised:
        tags.of_member(Member(ingress=ingress("a", tags="team=web")), options)
    assert str(raised.value) == (
        "failed build tags for Ingress default/a: external managed tag key team cannot be specified"
    )
