from __future__ import annotations

import pytest

from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions, GroupID
from testbed.lb_controller.ingress.alb_target_groups import Surroundings
from testbed.lb_controller.ingress.listener_rules import Rulebook
from tests.lb_controller.examples import cluster, group, ingress, path, service


def book() -> Rulebook:
    return Rulebook(
        cluster(service(kind="NodePort")), Surroundings(group=GroupID("", "app"), options=ControllerOptions())
    )


def test_rules_keep_the_order_of_the_members_and_know_their_paths() -> None:
    members = group(ingress("a", path("/*")), ingress("b", path("/b"), path("/c"))).members

    rules = book().rules(80, "HTTP", members)

    assert [one.priority for one in rules] == [1, 2, 3]
    assert [one.conditions[0].values for one in rules] == [("/*",), ("/b",), ("/c",)]
    assert [(one.source.name, one.source.path) for one in rules if one.source] == [
        ("a", 0),
        ("b", 0),
        ("b", 1),
    ]


def test_two_listeners_share_the_target_group_of_a_path() -> None:
    rulebook, members = book(), group(ingress("a", path("/a"))).members

    rulebook.rules(80, "HTTP", members)
    rulebook.rules(443, "HTTPS", members)

    assert list(rulebook.target_groups) == list(rulebook.bindings) == ["default/a-web:80"]


def test_a_path_behind_a_redirect_of_everything_is_left_out_and_remembered() -> None:
    redirect = '{"type":"redirect","redirectConfig":{"host":"other.example.com","statusCode":"HTTP_302"}}'
    first = ingress("a", path("/*", "move", "use-annotation"), **{"actions.move": redirect})
    rulebook = book()

    rules = rulebook.rules(443, "HTTPS", group(first, ingress("b", path("/b"))).members)

    assert len(rules) == 1
    [covered] = rulebook.covered_rules
    assert (covered.source.name, covered.by) == ("b", 1)


def test_an_error_names_the_ingress() -> None:
    with pytest.raises(BuildError, match=r"^ingress: default/a: .*81"):
        book().rules(80, "HTTP", group(ingress("a", path("/a", port=81))).members)
