"""Which release is played: who wins, what a name means, and what is said where another stands in."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.dated_releases import EXTERNAL_DNS_RELEASES, LB_CONTROLLER_RELEASES
from testbed.errors import BadInput
from testbed.releases import EXTERNAL_DNS, LB_CONTROLLER, THE_NEWEST, Controller, Match, Named

OPTION, DEPLOYED, SCENARIO = "--external-dns", "Deployment dns/external-dns, dns.yaml:12", "the scenario"
CONTROLLERS = st.sampled_from([EXTERNAL_DNS, LB_CONTROLLER])
TAGS = st.tuples(st.integers(0, 4), st.integers(0, 30), st.integers(0, 9)).map(
    lambda numbers: "v" + ".".join(map(str, numbers))
)


@given(
    st.none() | st.sampled_from(["v0.7.4", "v0.22.0"]),
    st.none() | st.sampled_from(["v0.7.5", "v0.14.2"]),
    st.none() | st.sampled_from(["v0.7", "v0.22"]),
    st.none() | st.just("v0.18"),
)
def test_option_then_deployment_then_scenario_then_default_then_the_newest_wins(
    option: str | None, deployed: str | None, scenario: str | None, otherwise: str | None
) -> None:
    names = ((option, OPTION), (deployed, DEPLOYED), (scenario, SCENARIO), (otherwise, "default"))
    choice = EXTERNAL_DNS.choose(
        Named(option, OPTION) if option else None,
        deployed=Named(deployed, DEPLOYED) if deployed else None,
        scenario=Named(scenario, SCENARIO) if scenario else None,
        otherwise=Named(otherwise, "default") if otherwise else None,
    )
    first = next(((tag, by) for tag, by in names if tag), (EXTERNAL_DNS.newest, THE_NEWEST))
    assert (choice.tag, choice.by) == first
    assert choice.is_named == any(tag for tag, _ in names)


def test_a_scenario_that_names_a_release_wins_over_an_image_that_tells_none() -> None:
    untold, scenario = Named("latest", DEPLOYED), Named("v0.14.2", SCENARIO)
    assert EXTERNAL_DNS.choose(None, deployed=untold, scenario=scenario).by == SCENARIO
    alone = EXTERNAL_DNS.choose(None, deployed=untold, otherwise=scenario)
    assert (alone.by, alone.release, alone.match) == (DEPLOYED, EXTERNAL_DNS_RELEASES.newest, Match.UNTOLD)


@pytest.mark.parametrize(
    ("controller", "tag", "release"),
    [
        (EXTERNAL_DNS, "v0.22", "v0.22.0"),
        (EXTERNAL_DNS, "0.22.0", "v0.22.0"),
        (EXTERNAL_DNS, "v0.7.4", "v0.7.4"),
        (EXTERNAL_DNS, "v0.7", "v0.7.6"),
        (EXTERNAL_DNS, "v0.13", "v0.13.6"),
        (EXTERNAL_DNS, "v0", "v0.22.0"),
        (EXTERNAL_DNS, "0.15.1-debian-12-r3", "v0.15.1"),
        (EXTERNAL_DNS, "v0.19.0-eksbuild.2", "v0.19.0"),
        (EXTERNAL_DNS, "v0.19.0_1", "v0.19.0"),
        (LB_CONTROLLER, "v3", "v3.5.0"),
        (LB_CONTROLLER, "v2", "v2.17.1"),
        (LB_CONTROLLER, "v2.8.3", "v2.8.3"),
        (LB_CONTROLLER, "v2.1", "v2.1.3"),
    ],
)
def test_a_short_name_means_the_newest_of_its_line_and_what_a_vendor_adds_plays_no_role(
    controller: Controller, tag: str, release: str
) -> None:
    choice = controller.named(Named(tag, OPTION))
    assert (choice.release.tag, choice.match) == (release, Match.EXACT)


@pytest.mark.parametrize("releases", [EXTERNAL_DNS_RELEASES, LB_CONTROLLER_RELEASES], ids=["dns", "lb"])
def test_every_tag_of_the_table_is_that_release(releases: dict[str, object]) -> None:
    controller = EXTERNAL_DNS if releases is EXTERNAL_DNS_RELEASES else LB_CONTROLLER
    assert [controller.named(Named(tag, OPTION)).release.tag for tag in releases] == list(releases)


@pytest.mark.parametrize(
    ("controller", "tag", "words"),
    [
        (EXTERNAL_DNS, "v0.13.3", "there is no ExternalDNS v0.13.3; use v0.13.2 and v0.13.4"),
        (LB_CONTROLLER, "v2.9.9", "there is no AWS Load Balancer Controller v2.9.9; use v2.9.2 and v2.10.0"),
        (EXTERNAL_DNS, "v0.5.0", "ExternalDNS v0.5.0 is not emulated; use v0.7.4 to v0.22.0"),
        (EXTERNAL_DNS, "stable", "'stable' is not a release of ExternalDNS; use one of v0.7.4 to v0.22.0"),
        (EXTERNAL_DNS, "", "'' is not a release of ExternalDNS"),
        (EXTERNAL_DNS, "v\u0660.\u0667", "'v\u0660.\u0667' is not a release of ExternalDNS"),
        (EXTERNAL_DNS, "v" + "9" * 5000, f"'v{'9' * 5000}' is not a release of ExternalDNS"),
    ],
)
def test_a_person_who_names_what_never_was_reads_what_there_is(
    controller: Controller, tag: str, words: str
) -> None:
    with pytest.raises(BadInput) as refused:
        controller.choose(Named(tag, "TESTBED_X"))
    assert str(refused.value).startswith(f"TESTBED_X: {words}")


@pytest.mark.parametrize(
    ("controller", "tag", "release", "match", "what", "remedy"),
    [
        (EXTERNAL_DNS, "v0.13.3", "v0.13.2", Match.NEVER, "there is no ExternalDNS v0.13.3",
         "correct the tag: v0.13.2 and v0.13.4 exist"),
        (EXTERNAL_DNS, "v0.5.0", "v0.7.4", Match.OLDER,
         "ExternalDNS v0.5.0 is older than v0.7.4, the oldest that the testbed knows", "what is said here"),
        (EXTERNAL_DNS, "v0.23.0", "v0.22.0", Match.NEWER, "ExternalDNS v0.23.0 is newer than v0.22.0 of "
         "2026-08-19, the newest that the testbed knows", "read its release notes since v0.22.0"),
        (EXTERNAL_DNS, "latest", "v0.22.0", Match.UNTOLD, "'latest' tells no release of ExternalDNS",
         "name the release with --external-dns, or give the image its tag"),
        (LB_CONTROLLER, "v2.0.1", "v2.1.0", Match.OLDER,
         "AWS Load Balancer Controller v2.0.1 is older than v2.1.0", "what is said here"),
        (LB_CONTROLLER, "v4.0", "v3.5.0", Match.NEWER,
         "AWS Load Balancer Controller v4.0 is newer than v3.5.0", "read its release notes since v3.5.0"),
    ],
)  # fmt: skip
def test_where_a_deployment_has_what_the_table_lacks_another_release_stands_in_and_that_is_said(
    controller: Controller, tag: str, release: str, match: Match, what: str, remedy: str
) -> None:
    choice = controller.choose(None, deployed=Named(tag, DEPLOYED))
    assert (choice.release.tag, choice.match, choice.is_emulated) == (release, match, False)
    assert choice.what.startswith(what)
    assert choice.note == f"{choice.what}; the testbed decides as {choice.played} does"
    assert choice.remedy.startswith(remedy)


@pytest.mark.parametrize("tag", ["v0.30.0", "latest"])
def test_a_person_may_name_what_is_newer_than_the_table_and_reads_what_is_played(tag: str) -> None:
    choice = EXTERNAL_DNS.named(Named(tag, OPTION))
    assert choice.release == EXTERNAL_DNS_RELEASES.newest
    assert choice.note


def test_a_choice_says_what_is_played_and_who_named_it() -> None:
    choice = EXTERNAL_DNS.choose(Named("v0.22.0", OPTION))
    assert str(choice) == f"ExternalDNS {choice.played} (--external-dns)"
    assert choice.form == {"release": "v0.22.0", "named": "v0.22.0", "by": OPTION, "note": ""}
    assert str(LB_CONTROLLER.choose(None)).endswith(" (the newest)")


def test_an_option_may_leave_the_place_open_and_nothing_else_may() -> None:
    choice = LB_CONTROLLER.choose(Named("none", OPTION), scenario=Named("v2.1.0", "the scenario"))
    assert choice.is_open
    assert str(choice) == "no AWS Load Balancer Controller: you start your own (--external-dns)"
    assert not LB_CONTROLLER.choose(None, deployed=Named("none", DEPLOYED)).is_open
    with pytest.raises(BadInput, match="'none' is not a release"):
        LB_CONTROLLER.named(Named("none", "the scenario"))


@given(CONTROLLERS, TAGS)
def test_every_deployed_tag_is_played_as_one_of_the_table_and_a_difference_is_said(
    controller: Controller, tag: str
) -> None:
    choice = controller.choose(None, deployed=Named(tag, DEPLOYED))
    assert choice.release.tag in controller.releases
    assert choice.is_emulated == (not choice.note)
    assert (choice.match is Match.EXACT) == (tag in controller.releases)


@given(CONTROLLERS, TAGS, TAGS)
def test_a_newer_release_is_never_played_as_an_older_one_is(
    controller: Controller, one: str, other: str
) -> None:
    older, newer = sorted((one, other), key=lambda tag: [int(part) for part in tag[1:].split(".")])
    places = [controller.choose(None, deployed=Named(tag, DEPLOYED)).release.place for tag in (older, newer)]
    assert places == sorted(places)


@given(CONTROLLERS, st.text(max_size=12))
def test_any_text_is_a_release_or_bad_input(controller: Controller, text: str) -> None:
    with contextlib.suppress(BadInput):
        assert controller.named(Named(text, OPTION)).release.tag in controller.releases
