"""Checks the names of balancers when a scenario is read, so that none is refused in the middle of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed.balancer_identity import BalancerNames, is_owner, owner_in, unknown
from testbed.errors import BadInput, Location
from testbed.network import BALANCER_TYPES
from testbed.rehearsal import conditions
from testbed.rehearsal.external_dns_upgrade import check_upgrade
from testbed.rehearsal.planned_balancers import (
    applied_before,
    foreign_before,
    planned_balancers,
    possible_owners,
)
from testbed.rehearsal.scenario import Scenario
from testbed.rehearsal.script_reading import Called, ScriptReading, read_script
from testbed.releases import Choice
from testbed.verdict.thresholds import Threshold


def check_references(
    scenario: Scenario, thresholds: Iterable[tuple[Threshold, Location]], lb_controller: str
) -> None:
    """Check each name of a balancer in the script and its thresholds.

    Args:
        scenario: the scenario that will be played.
        thresholds: the thresholds of the run, with their places.
        lb_controller: the release of the AWS Load Balancer Controller that is played.

    Raises:
        BadInput: a name means nothing, or is short and the manifests make balancers of several owners; or a
            condition would hold of nothing, or has too few arguments.
    """
    script, reading = _read(scenario)
    _check_conditions(reading.conditions, script)
    _check_foreign(scenario, reading, script)
    used = [(one.name, Location(script, one.line)) for one in reading.used]
    used += [(one.balancer, where) for one, where in thresholds if one.balancer]
    if not used and not reading.given:
        return
    folder = scenario.folder
    applied = [*applied_before(scenario), *reading.applied]
    foreign = [*foreign_before(scenario), *reading.foreign]
    names = BalancerNames(planned_balancers(folder, applied, reading.groups, lb_controller, foreign))
    for given, balancer in reading.given:
        where = Location(script, given.line)
        with _at(where):
            names.resolve(balancer)
            if given.name not in names.given:  # a branch may give it otherwise: the run decides
                names = names.with_name(given.name, balancer)
        used.append((balancer, where))
    for name, where in used:
        with _at(where):
            if reading.gives_computed_names and name not in BALANCER_TYPES and not is_owner(name):
                continue
            names.resolve(name)
            if not is_owner(name) or reading.is_opaque or names.resolve(owner_in(name)):
                continue
            if owner_in(name) not in possible_owners(folder, applied):
                raise unknown(name, names.by_name)


def check_external_dns(scenario: Scenario, choice: Choice) -> None:
    """Check what the script asks of an ExternalDNS that the testbed does not play itself.

    Raises:
        BadInput: a condition looks at what nobody here sees, or a file is to become another release.
    """
    if not scenario.external_dns:
        return
    script, reading = _read(scenario)
    for one in reading.conditions if choice.is_open else ():
        if one.condition in conditions.OF_EXTERNAL_DNS:
            with _at(Location(script, one.line)):
                raise conditions.unseen(f"{one.condition}()")
    for upgrade in reading.upgrades:
        with _at(Location(script, upgrade.line)):
            check_upgrade(upgrade.name, choice.binary, is_open=choice.is_open)


def _read(scenario: Scenario) -> tuple[Path, ScriptReading]:
    script = Path(scenario.play.__code__.co_filename)
    return script, read_script(script, scenario.play.__name__)


def _check_conditions(called: Iterable[Called], script: Path) -> None:
    """Make each condition once: it refuses what it cannot look for."""
    for one in called:
        with _at(Location(script, one.line)):
            try:
                getattr(conditions, one.condition)(*one.arguments, **one.keywords)
            except (TypeError, AttributeError) as error:
                raise BadInput(f"{one.condition}() cannot be made: {error}") from None


def _check_foreign(scenario: Scenario, reading: ScriptReading, script: Path) -> None:
    """Refuse a balancer of another controller whose object is in no manifest of the scenario."""
    foreign = [*foreign_before(scenario), *reading.foreign]
    if not foreign or reading.is_opaque:
        return
    owners = possible_owners(scenario.folder, [*applied_before(scenario), *reading.applied])
    objects = {(kind, name) for kind, _, name in (owner.split("/") for owner in owners)}
    for one in foreign:
        kind, _, name = one.name.lower().partition("/")
        if name and (kind, name) not in objects:
            known = ", ".join(sorted("/".join(known) for known in objects)) or "none"
            raise BadInput(
                f"no manifest of the scenario has {one.name}, whose load balancer is to stand",
                where=Location(script, one.line),
                do=f"apply its manifest, or name another object; known are {known}",
            )


@contextmanager
def _at(where: Location) -> Iterator[None]:
    """Add a place to the errors of a block."""
    try:
        yield
    except BadInput as error:
        error.where = error.where or where
        raise
