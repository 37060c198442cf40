from __future__ import annotations

from pathlib import Path

from testbed.options import Options
from testbed.rehearsal.pace import paced
from testbed.rehearsal.played_releases import PlayedReleases, played_releases
from testbed.rehearsal.scenario import Scenario
from testbed.releases import Named


def scenario(*flags: str) -> Scenario:
    given = ("--source=service", *flags)
    return Scenario(
        play=lambda _: None, name="s", title="s", host="a.b", zone="b", folder=Path(), external_dns=given
    )


def played(scenario: Scenario, binary: str) -> PlayedReleases:
    return played_releases(scenario, Options(external_dns=Named("v0.21.0", "--external-dns", binary)))


def test_the_emulation_keeps_any_speed() -> None:
    options = Options(speed=600.0)
    assert paced(options, played(scenario(), "")) == (options, "")


def test_a_binary_keeps_a_speed_that_leaves_its_interval_long_enough() -> None:
    options = Options(speed=20.0)
    assert paced(options, played(scenario(), "./external-dns")) == (options, "")


def test_a_higher_speed_is_lowered_and_said() -> None:
    slower, why = paced(Options(speed=60.0), played(scenario(), "./external-dns"))
    assert slower.speed == 20.0
    assert why.startswith("speed 20, not 60: ./external-dns looks at its clock every 1 s")


def test_a_longer_interval_allows_a_higher_speed() -> None:
    own = scenario("--interval=5m")
    assert paced(Options(speed=60.0), played(own, "./external-dns"))[0].speed == 60.0


def test_a_binary_of_the_lb_controller_has_a_highest_speed_too_and_the_lower_one_counts() -> None:
    lbc = Named("v3.5.0", "--lb-controller", "./controller")
    alone = played_releases(scenario(), Options(lb_controller=lbc))
    assert paced(Options(speed=10.0), alone) == (Options(speed=10.0), "")
    slower, why = paced(Options(speed=60.0), alone)
    assert slower.speed == 10.0
    assert why.startswith("speed 10, not 60: ./controller needs seconds of wall time")
    dns = Named("v0.21.0", "--external-dns", "./external-dns")
    options = Options(lb_controller=lbc, external_dns=dns)
    both = played_releases(scenario(), options)
    assert paced(Options(speed=60.0), both)[0].speed == 10.0
    shorter = played_releases(scenario("--interval=15s"), options)
    assert paced(Options(speed=60.0), shorter)[0].speed == 5.0


def test_a_scenario_without_external_dns_runs_no_binary_of_it() -> None:
    none = Scenario(
        play=lambda _: None, name="s", title="s", host="a.b", zone="b", folder=Path(), external_dns=()
    )
    options = Options(speed=600.0)
    assert paced(options, played(none, "./external-dns")) == (options, "")
