"""Names of balancers in scripts and thresholds, checked before anything starts."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from textwrap import indent

import pytest

from testbed.errors import BadInput, Location
from testbed.rehearsal.balancer_references import check_external_dns, check_references
from testbed.rehearsal.configured_thresholds import located_thresholds
from testbed.rehearsal.script import _import, _scenarios, load
from testbed.releases import EXTERNAL_DNS, Choice

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((*(ROOT / "scenarios").rglob("cutover.py"), *(ROOT / "tests" / "e2e").rglob("c*.py")))

SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: {name}
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-type: {type}
    service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip
spec:
  type: LoadBalancer
  selector: {{app: envoy}}
  ports: [{{port: 443, targetPort: 8443}}]
"""
SCRIPT = """\
from testbed import Cutover, scenario
from testbed.conditions import served_by, only_one
from testbed import conditions

@scenario("t", host="api.example.com", lb_controller="v3", thresholds=[{threshold!r}])
def story(cutover: Cutover) -> None:
    cutover.apply({applied!r})
    {line}
"""


@pytest.fixture
def two_services(tmp_path: Path) -> Path:
    """A folder with a Service in each of two files; each becomes an NLB."""
    for number, kind in ((1, "nlb"), (2, "external")):
        (tmp_path / f"{number}.yaml").write_text(SERVICE.format(name=f"s{number}", type=kind))
    (tmp_path / "k8s").mkdir()
    for number in (1, 2):
        (tmp_path / "k8s" / f"{number}.yaml").write_text((tmp_path / f"{number}.yaml").read_text())
    return tmp_path


def check(folder: Path, line: str, *, applied: str = "k8s", threshold: str = "failed == 0") -> None:
    (folder / "cutover.py").write_text(SCRIPT.format(applied=applied, line=line, threshold=threshold))
    scenario = load(str(folder / "cutover.py"))
    check_references(scenario, located_thresholds(scenario, folder), "v3")


@pytest.mark.parametrize(
    "line",
    [
        'cutover.wait_until(served_by("nlb"), within=9)',
        'cutover.expect(conditions.served_by(balancer="nlb"))',
        'cutover.change_alias("nlb")',
        'cutover.balancer("old", "nlb")',
        "cutover.expect(conditions.weights(nlb=1))",
        'name = "nlb"; cutover.expect(served_by(f"{name}"))',
    ],
)
def test_a_short_name_of_two_is_one_line_with_its_place_and_the_names_to_choose_from(
    two_services: Path, line: str
) -> None:
    with pytest.raises(BadInput) as refused:
        check(two_services, line)
    assert str(refused.value) == (
        f"{two_services / 'cutover.py'}:8: 'nlb' is ambiguous: the run has 2 NLBs; "
        "write service/default/s1 or service/default/s2"
    )


@pytest.mark.parametrize(
    "line",
    [
        'cutover.wait_until(served_by("service/default/s1"), within=9)',
        'cutover.wait_until(served_by("service/s2 (2)"), within=9)',
        'cutover.balancer("old", "service/s1"); cutover.expect(served_by("old"))',
        'cutover.expect(served_by("alb"))',
        'cutover.expect(only_one("nlb"))',
        'cutover.expect(served_by("a-0123456789abcdef.elb.eu-west-1.amazonaws.com"))',
        'for name in ("nlb",): cutover.expect(served_by(name))',
        'cutover.balancer("o" + "ld", "service/s1"); cutover.expect(served_by("old"))',
        'cutover.run("helm install web"); cutover.expect(served_by("ingress/shop/web"))',
        'cutover.annotate("x", {"alb.ingress.kubernetes.io/group.name": "g"}); '
        'cutover.expect(served_by("ingress-group/g"))',
    ],
)
def test_a_name_that_is_clear_or_cannot_be_known_by_reading_passes(two_services: Path, line: str) -> None:
    check(two_services, line)


@pytest.mark.parametrize("name", ["nbl", "service/default/s3", "ingress/default/s1", "ingress-group/g"])
def test_a_name_that_no_object_has_is_refused_with_the_names_to_choose_from(
    two_services: Path, name: str
) -> None:
    with pytest.raises(BadInput) as refused:
        check(two_services, f'cutover.expect(served_by("{name}"))')
    assert str(refused.value) == (
        f"{two_services / 'cutover.py'}:8: no balancer has the name {name!r}; "
        "write service/default/s1 or service/default/s2"
    )


def test_only_the_manifests_that_the_story_applies_count(two_services: Path) -> None:
    check(two_services, 'cutover.expect(served_by("nlb"))', applied="1.yaml")
    check(
        two_services,
        'cutover.apply("k8s", only=["service/s1"]); cutover.expect(served_by("nlb"))',
        applied="1.yaml",
    )
    with pytest.raises(BadInput, match="ambiguous"):
        check(two_services, 'cutover.apply("2.yaml"); cutover.expect(served_by("nlb"))', applied="1.yaml")


def test_one_service_in_two_files_is_one_balancer(two_services: Path) -> None:
    (two_services / "later.yaml").write_text(SERVICE.format(name="s1", type="external"))
    check(two_services, 'cutover.apply("later.yaml"); cutover.expect(served_by("nlb"))', applied="1.yaml")


def test_a_threshold_is_checked_where_it_stands(two_services: Path) -> None:
    with pytest.raises(BadInput, match=r"cutover\.py:5: 'nlb' is ambiguous"):
        check(two_services, "pass", threshold="nlb.lost == 0")
    with pytest.raises(BadInput, match=r"cutover\.py:5: no balancer has the name 'old'"):
        check(two_services, "pass", threshold="old.lost == 0")
    check(two_services, 'cutover.balancer("old", "service/s1")', threshold="old.lost == 0")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_scenario_of_this_project_is_refused(script: Path) -> None:
    scenarios = _scenarios(_import(script))
    assert scenarios
    for scenario in scenarios:
        check_references(scenario, located_thresholds(scenario, script.parent), "v3")
        check_references(scenario, located_thresholds(scenario, script.parent), "v2.1")


def check_story(folder: Path, story: str, *, before: str = "") -> None:
    """Check a story of several lines, in a folder with the manifests of `two_services`."""
    inside = folder / "scenario"
    inside.mkdir()
    (inside / "k8s").mkdir()
    for number in (1, 2):
        (inside / "k8s" / f"{number}.yaml").write_text((folder / f"{number}.yaml").read_text())
    (folder / "3.yaml").write_text(SERVICE.format(name="s3", type="nlb"))
    (inside / "names_of_mine.py").write_text(
        "def give(cutover): ...\ndef gone(name): ...\nclass Base:\n  def __init__(self, cutover): ...\n"
    )
    head = "from testbed import Cutover, conditions, scenario\nfrom testbed.conditions import *\n"
    marked = (
        '\n@scenario("t", host="api.example.com", lb_controller="v3")\ndef story(cutover: Cutover) -> None:\n'
    )
    (inside / "cutover.py").write_text(head + before + marked + indent(story, "    ") + "\n")
    scenario = load(str(inside / "cutover.py"))
    check_references(scenario, located_thresholds(scenario, inside), "v3")


GIVEN = 'cutover.apply("k8s")\n{}\ncutover.expect(gone("old"))'
OUTSIDE = '{}\ncutover.expect(gone("service/s3"))'


@pytest.mark.parametrize(
    ("before", "story"),
    [
        ("", GIVEN.format('cutover.balancer(name="old", balancer="service/s1")')),
        ("", GIVEN.format('cutover.balancer("old", balancer="service/s1")')),
        ("from names_of_mine import give", GIVEN.format("give(cutover)")),
        ("import names_of_mine as mine", GIVEN.format("mine.give(cutover)")),
        ("from names_of_mine import *", GIVEN.format("give(cutover)")),
        ("from names_of_mine import give", GIVEN.format("for act in (give,): act(cutover)")),
        ('give = lambda c: c.balancer("old", "service/s1")', GIVEN.format("give(cutover)")),
        ("from names_of_mine import Base\nclass Mine(Base): ...", GIVEN.format("Mine(cutover)")),
        ("", GIVEN.format('name = cutover.balancer\nname("old", "service/s1")')),
        ("", GIVEN.format('cutover.balancer("old", "service/s1" if cutover else "service/s2")')),
        (
            "",
            GIVEN.format(
                'if cutover: cutover.balancer("old", "service/s1")\n'
                'else: cutover.balancer("old", "service/s2")'
            ),
        ),
    ],
)
def test_a_name_that_the_story_gives_in_any_legal_way_is_known(
    two_services: Path, before: str, story: str
) -> None:
    check_story(two_services, story, before=before)


@pytest.mark.parametrize(
    ("before", "story"),
    [
        ('ALL = ["../3.yaml"]', OUTSIDE.format("cutover.apply(*ALL)")),
        ('ALL = ["../3.yaml"]', OUTSIDE.format("for one in ALL: cutover.apply(one)")),
        ('PATH: str = "../3.yaml"', OUTSIDE.format("cutover.apply(PATH)")),
        ('def go(c, path="../3.yaml"): c.apply(path)', OUTSIDE.format("go(cutover)")),
        ("", OUTSIDE.format('cutover.apply("../" + "3.yaml")')),
        ("", OUTSIDE.format('cutover.run("./deploy.sh")')),
        (
            'ANNOTATIONS = {"alb.ingress.kubernetes.io/group.name": "shop"}',
            'cutover.annotate("ingress/web", ANNOTATIONS)\ncutover.expect(gone("ingress-group/shop"))',
        ),
    ],
)
def test_an_owner_of_an_object_that_the_text_does_not_show_is_not_refused(
    two_services: Path, before: str, story: str
) -> None:
    check_story(two_services, story, before=before)


def test_a_folder_that_only_prose_mentions_is_not_applied(two_services: Path) -> None:
    check_story(
        two_services,
        '''"""Applies one of k8s alone."""
with cutover.step("The first of k8s", why="More of k8s comes later."):
    cutover.apply("k8s/1.yaml")
    print("see k8s for more")
    cutover.expect(gone("nlb"))''',
    )


@pytest.mark.parametrize(
    ("before", "story"),
    [
        ('name = "nope"\ndef check(c, name): c.expect(gone(name))', 'check(cutover, "nlb")'),
        ('name = "nope"', 'for name in ["nlb"]: cutover.expect(gone(name))'),
        ("from names_of_mine import gone", 'gone("file")'),
        ("", 'def gone(name): ...\ngone("file")'),
        ("import names_of_mine", 'names_of_mine.gone("file")'),
    ],
)
def test_a_name_that_only_looks_like_that_of_a_balancer_is_not_refused(
    two_services: Path, before: str, story: str
) -> None:
    check_story(two_services, story, before=before)


@pytest.mark.parametrize(
    "line", ['cutover.expect(only_one("nbl"))', 'cutover.expect(conditions.gone("nbl"))']
)
def test_a_misspelt_name_is_refused_before_the_run(two_services: Path, line: str) -> None:
    with pytest.raises(BadInput, match="no balancer has the name 'nbl'"):
        check_story(two_services, line)


def test_one_type_of_several_owners_can_be_counted(two_services: Path) -> None:
    check_story(two_services, 'cutover.apply("k8s")\ncutover.expect(only_one("nlb"))')


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('cutover.expect(conditions.forwards("nlb", 443))', "forwards() needs a protocol version"),
        (
            'v = "GPRC"; cutover.expect(conditions.forwards("nlb", 443, v))',
            "'GPRC' is not a protocol version",
        ),
        ("cutover.wait_until(conditions.synced(times=0), within=9)", "synced(0) would always hold"),
        ('cutover.expect(conditions.not_logged(""))', "not_logged('') has no text"),
        ("cutover.expect(conditions.gone())", "gone() cannot be made"),
    ],
)
def test_a_condition_that_says_nothing_is_refused_before_the_run_at_its_line(
    two_services: Path, line: str, message: str
) -> None:
    with pytest.raises(BadInput) as raised:
        check_story(two_services, line)
    assert message in str(raised.value)
    assert "cutover.py:" in str(raised.value)


@pytest.mark.parametrize(
    "line",
    [
        'versions = ["HTTP1"]; cutover.expect(conditions.forwards("nlb", 443, *versions))',
        "cutover.wait_until(conditions.synced(len([1])), within=9)",
    ],
)
def test_a_condition_that_is_computed_is_left_to_the_run(two_services: Path, line: str) -> None:
    check_story(two_services, 'cutover.apply("1.yaml")\n' + line)


OPEN = replace(EXTERNAL_DNS.choose(None), is_open=True)
FILE = replace(EXTERNAL_DNS.choose(None), binary="./external-dns")


def asked(folder: Path, line: str, choice: Choice) -> None:
    text = SCRIPT.format(applied="k8s", line=line, threshold="failed == 0")
    (folder / "cutover.py").write_text(text.replace("served_by,", "served_by, logged, synced,"))
    check_external_dns(load(str(folder / "cutover.py")), choice)


@pytest.mark.parametrize(
    ("line", "choice", "words"),
    [
        ("cutover.wait_until(synced(), within=60)", OPEN, "synced() never holds: nobody here sees"),
        ("cutover.expect(logged('a'))", OPEN, "logged() never holds"),
        ("cutover.upgrade_external_dns('v0.21.0')", OPEN, "you start ExternalDNS"),
        ("cutover.upgrade_external_dns('v0.21.0')", FILE, "the run plays ./external-dns"),
        (
            "cutover.upgrade_external_dns('./external-dns')",
            EXTERNAL_DNS.choose(None),
            "./external-dns is no release, and a run plays one file",
        ),
    ],
)
def test_what_an_external_dns_of_the_users_own_cannot_do_is_refused_with_its_line(
    two_services: Path, line: str, choice: Choice, words: str
) -> None:
    with pytest.raises(BadInput, match=re.escape(words)) as caught:
        asked(two_services, line, choice)
    assert str(caught.value).startswith(f"{two_services}/cutover.py:8: ")


def test_what_it_does_is_seen_and_an_emulation_may_be_upgraded(two_services: Path) -> None:
    asked(two_services, "cutover.expect(served_by('nlb'))", OPEN)
    asked(two_services, "cutover.wait_until(synced(), within=60)", FILE)
    asked(two_services, "cutover.upgrade_external_dns('v0.21.0')", EXTERNAL_DNS.choose(None))


def test_a_balancer_of_another_controller_whose_object_no_manifest_has_is_refused(two_services: Path) -> None:
    making = "cutover.foreign_balancer({!r}, target_port=8443, address='a-1.elb.eu-west-1.amazonaws.com')"
    check(two_services, making.format("service/s1"))
    with pytest.raises(BadInput, match="no manifest of the scenario has ingress/none") as error:
        check(two_services, making.format("ingress/none"))
    assert error.value.where == Location(two_services / "cutover.py", 8)
    assert "known are service/s1" in str(error.value)
    check(two_services, f"cutover.run(command); {making.format('ingress/none')}")


def test_one_that_stands_before_the_first_step_needs_a_manifest_too(two_services: Path) -> None:
    script = SCRIPT.format(applied="k8s", line="pass", threshold="failed == 0")
    standing = "from testbed import StandingBalancer\n" + script.replace(
        'lb_controller="v3"', 'lb_controller="v3", balancers=[StandingBalancer("ingress/none", 8443)]'
    )
    (two_services / "cutover.py").write_text(standing)
    with pytest.raises(BadInput, match="no manifest of the scenario has ingress/none"):
        check_references(load(str(two_services / "cutover.py")), [], "v3")
