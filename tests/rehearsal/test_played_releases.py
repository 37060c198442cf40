"""Which releases a run plays: the options, the Deployments of its manifests, the scenario."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.options import Options
from testbed.rehearsal.played_releases import BY_OPTIONS, BY_SCENARIO, NO_EXTERNAL_DNS, played_releases
from testbed.rehearsal.scenario import EXTERNAL_DNS_FLAGS, Manifests, Scenario
from testbed.releases import OPEN, Match, Named
from tests.made_setups import WIDGETS

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec: {{template: {{spec: {{containers: [{{name: a, image: "{image}"}}]}}}}}}
"""


def scenario(folder: Path, *images: str, **fields: str) -> Scenario:
    for number, image in enumerate(images):
        (folder / f"{number}.yaml").write_text(DEPLOYMENT.format(name=f"d{number}", image=image))
    names = tuple(Manifests(f"{number}.yaml") for number in range(len(images)))
    return Scenario(
        play=lambda _: None,
        name="a",
        title="a",
        host="a.b",
        zone="b",
        folder=folder,
        manifests=names,
        **fields,  # type: ignore[arg-type]
    )


def test_a_scenario_that_names_none_is_played_as_the_story(tmp_path: Path) -> None:
    played = played_releases(scenario(tmp_path), Options())
    assert (played.external_dns.played, played.lb_controller.played) == ("v0.7.4", "v2.1.0")
    assert {played.external_dns.by, played.lb_controller.by} == {BY_SCENARIO}
    assert played.lines == ()


def test_the_scenario_names_its_releases(tmp_path: Path) -> None:
    named = scenario(tmp_path, external_dns_release="v0.22.0", lb_controller="v3.5.0")
    played = played_releases(named, Options())
    assert (played.external_dns.played, played.lb_controller.played) == ("v0.22.0", "v3.5.0")


def test_a_deployment_among_the_manifests_wins_over_the_scenario_and_is_printed(tmp_path: Path) -> None:
    images = "acme/external-dns:0.14.2", "eks/aws-load-balancer-controller:v3.5.0"
    played = played_releases(scenario(tmp_path, *images), Options())
    assert (played.external_dns.played, played.lb_controller.played) == ("v0.14.2", "v3.5.0")
    assert played.lines == (
        f"ExternalDNS v0.14.2 (Deployment default/d0, {tmp_path}/0.yaml:4)",
        f"AWS Load Balancer Controller v3.5.0 (Deployment default/d1, {tmp_path}/1.yaml:4)",
    )


def test_the_options_win_over_all(tmp_path: Path) -> None:
    options = Options(external_dns=Named("v0.22", "TESTBED_EXTERNAL_DNS"), lb_controller="v2.1.0")
    played = played_releases(scenario(tmp_path, "acme/external-dns:0.7.5"), options)
    assert (played.external_dns.played, played.external_dns.by) == ("v0.22.0", "TESTBED_EXTERNAL_DNS")
    assert (played.lb_controller.played, played.lb_controller.by) == ("v2.1.0", BY_OPTIONS)


def test_manifests_that_cannot_be_read_name_no_release(tmp_path: Path) -> None:
    broken = scenario(tmp_path, "acme/external-dns:0.22.0")
    (tmp_path / "0.yaml").write_text("a: [\n")
    assert played_releases(broken, Options()).external_dns.by == BY_SCENARIO


def test_a_scenario_that_names_what_never_existed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"the scenario: there is no ExternalDNS v0\.13\.3"):
        played_releases(scenario(tmp_path, external_dns_release="v0.13.3"), Options())


def test_an_image_that_tells_no_release_wins_over_the_story_s_release_but_not_over_a_named_one(
    tmp_path: Path,
) -> None:
    image = "acme/external-dns:latest"
    untold = played_releases(scenario(tmp_path, image), Options())
    assert untold.external_dns.match is Match.UNTOLD
    assert "'latest' tells no release of ExternalDNS" in untold.lines[0]
    named = played_releases(scenario(tmp_path, image, external_dns_release="v0.7.5"), Options())
    assert (named.external_dns.by, named.lines) == (BY_SCENARIO, ())


def test_a_scenario_without_external_dns_says_so_whatever_release_is_named(tmp_path: Path) -> None:
    without = replace(scenario(tmp_path), external_dns=())
    assert played_releases(without, Options()).lines == (NO_EXTERNAL_DNS,)
    played = played_releases(without, Options(external_dns="v0.22", lb_controller="v3"))
    assert played.lines == (NO_EXTERNAL_DNS, "AWS Load Balancer Controller v3.5.0 (the options of the run)")


FLAGS = "containers: [{name: a, args: [--source=ingress, --interval=2m], "


@pytest.mark.parametrize(
    ("external_dns", "has_own_flags", "of_deployment"),
    [
        (Named("v0.14.2", BY_OPTIONS, "./external-dns"), False, True),
        (OPEN, False, True),
        (Named("v0.14.2", BY_OPTIONS, "./external-dns"), True, False),
        ("v0.14.2", False, False),
    ],
    ids=["a file", "started by hand", "the scenario has flags", "the emulation"],
)
def test_a_program_of_ones_own_has_the_flags_of_its_deployment(
    tmp_path: Path, external_dns: Named | str, has_own_flags: bool, of_deployment: bool
) -> None:
    plain = scenario(tmp_path, "acme/external-dns:0.14.2")
    (tmp_path / "0.yaml").write_text(
        (tmp_path / "0.yaml").read_text().replace("containers: [{name: a, ", FLAGS)
    )
    played = played_releases(replace(plain, has_own_flags=has_own_flags), Options(external_dns=external_dns))
    own = ("--source=ingress", "--interval=2m")
    assert played.external_dns_flags == (own if of_deployment else EXTERNAL_DNS_FLAGS)


def test_definitions_among_the_manifests_are_found(tmp_path: Path) -> None:
    plain = scenario(tmp_path, "acme/other:1")
    written = (tmp_path / "0.yaml").read_text()
    (tmp_path / "0.yaml").write_text(f"{written}---\n{json.dumps(WIDGETS)}\n")
    assert played_releases(plain, Options()).definitions == (WIDGETS,)
