from __future__ import annotations

from pathlib import Path

from testbed.rehearsal.planned_balancers import planned_balancers, possible_owners
from testbed.rehearsal.script_reading import Applied, Foreign

ROOT = Path(__file__).resolve().parents[2]
STORY = ROOT / "scenarios" / "zozomat"


def test_the_manifests_of_the_story_become_one_nlb_and_one_alb() -> None:
    planned = planned_balancers(STORY, [Applied(("manifests",))], (), "v2.1")
    assert [(one.type, one.owner) for one in planned] == [
        ("alb", "ingress-group/zozomat-ingress"),
        ("nlb", "service/default/envoy"),
    ]


def test_words_that_are_no_paths_name_no_manifests() -> None:
    words = ("nlb", "/", ".", "..", "x" * 5_000, "manifests/none.yaml", "\0")
    assert planned_balancers(STORY, [Applied(words)], (), "v2.1") == ()


def test_a_group_that_an_ingress_is_moved_to_is_an_owner() -> None:
    planned = planned_balancers(STORY, [], ("shop",), "v2.1")
    assert [(one.type, one.owner) for one in planned] == [("alb", "ingress-group/shop")]


def test_a_balancer_of_another_controller_counts_if_the_story_makes_it() -> None:
    folder, applied = ROOT / "tests" / "e2e" / "balancers" / "foreign", [Applied(("manifests",))]
    planned = planned_balancers(folder, applied, (), "v3", [Foreign("ingress/web")])
    assert ("nlb", "ingress/default/web") in [(one.type, one.owner) for one in planned]
    without = planned_balancers(folder, applied, (), "v3")
    assert [one.owner for one in without] == ["ingress-group/shop"]


def test_the_objects_of_the_folder_are_possible_owners() -> None:
    assert "service/default/envoy-service" in possible_owners(STORY, [])
    assert possible_owners(STORY / "manifests", []) == possible_owners(STORY, [])
