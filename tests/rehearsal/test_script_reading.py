from __future__ import annotations

from pathlib import Path

from testbed.rehearsal.script_reading import Applied, Foreign, Named, read_script

SCRIPT = """\
from testbed.conditions import active as is_active, served_by
OLD, NEW = "service/shop/old", "service/shop/new"
FOLDER = "k8s"
TWICE = "a"
TWICE = "b"

def drained(name): ...

def helper(cutover):
    cutover.expect(served_by(NEW))

def unused(cutover):
    cutover.expect(served_by("unused"))

def story(cutover):
    cutover.apply(f"{FOLDER}/1.yaml")
    cutover.apply("all.yaml", only=["service/envoy"])
    cutover.balancer("old", OLD)
    helper(cutover)
    cutover.foreign_balancer("ingress/nginx", target_port=8443)
    cutover.foreign_balancer("ingress/auto", target_port=1, address="a-1.eu-west-1.elb.amazonaws.com")
    cutover.expect(is_active("old"))
    cutover.expect(drained("mine"))
    cutover.expect(served_by(TWICE))
    cutover.run("kubectl annotate ingress web alb.ingress.kubernetes.io/group.name=shop")
"""


def test_a_story_is_read_with_the_functions_that_it_uses(tmp_path: Path) -> None:
    script = tmp_path / "cutover.py"
    script.write_text(SCRIPT)
    reading = read_script(script, "story")
    assert sorted(reading.used, key=lambda one: one.line) == [Named("service/shop/new", 10), Named("old", 22)]
    assert reading.given == ((Named("old", 18), "service/shop/old"),)
    assert reading.applied[0] == Applied(("all.yaml",), ("service/envoy",))
    assert "k8s/1.yaml" in reading.applied[1].paths
    assert "all.yaml" not in reading.applied[1].paths
    assert reading.groups == ("shop",)
    assert reading.foreign == (
        Foreign("ingress/nginx"),
        Foreign("ingress/auto", "a-1.eu-west-1.elb.amazonaws.com"),
    )
    assert not reading.is_opaque
    assert not reading.gives_computed_names


def test_what_makes_objects_from_elsewhere_is_opaque(tmp_path: Path) -> None:
    script = tmp_path / "cutover.py"
    for line in ('t.run("helm upgrade web .")', "t.run(command)", "t.topology.cluster.objects"):
        script.write_text(f"def story(t):\n    {line}\n")
        assert read_script(script, "story").is_opaque


def test_a_script_that_cannot_be_read_names_nothing(tmp_path: Path) -> None:
    assert read_script(tmp_path / "missing.py", "story").used == ()


def test_a_story_that_a_decorator_of_the_user_put_elsewhere_is_not_known(tmp_path: Path) -> None:
    script = tmp_path / "cutover.py"
    script.write_text("def wrapper(cutover): ...\n")
    reading = read_script(script, "story")
    assert (reading.is_opaque, reading.gives_computed_names) == (True, True)


def test_annotations_that_a_function_of_the_script_returns_are_known(tmp_path: Path) -> None:
    script = tmp_path / "cutover.py"
    for returned, is_opaque in (('{"a": arn}', False), ("computed(arn)", True), ("{**computed(arn)}", True)):
        script.write_text(
            f"def of_this_run(arn):\n    return {returned}\n\n"
            "def story(t):\n    t.apply('a.yaml', annotations={**of_this_run('x'), 'b': None})\n"
        )
        assert read_script(script, "story").is_opaque is is_opaque
