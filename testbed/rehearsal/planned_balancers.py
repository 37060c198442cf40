"""The load balancers that the manifests of a story will become, planned as by `testbed lb plan`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from testbed.balancer_identity import BalancerIdentity, owner_of
from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.errors import BadInput
from testbed.kubernetes import manifests as manifest_files
from testbed.kubernetes.manifests import Manifest
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.offline import stack_plan
from testbed.network import BalancerType
from testbed.rehearsal.applied_manifests import selected
from testbed.rehearsal.foreign_balancers import at_address, in_status
from testbed.rehearsal.scenario import Scenario
from testbed.rehearsal.script_reading import Applied, Foreign

_SUFFIXES = (".yaml", ".yml", ".json")


def applied_before(scenario: Scenario) -> list[Applied]:
    """Return what stands before the first step, as if the story applied it."""
    return [Applied(one.files, tuple(one.only) or None) for one in scenario.manifests]


def foreign_before(scenario: Scenario) -> list[Foreign]:
    """Return the load balancers of other controllers that stand before the first step."""
    return [Foreign(one.name, one.address) for one in scenario.balancers]


def planned_balancers(
    folder: Path,
    applied: Iterable[Applied],
    groups: Sequence[str],
    lb_controller: str,
    foreign: Sequence[Foreign] = (),
    *,
    also_new: bool = True,
) -> tuple[BalancerIdentity, ...]:
    """Plan the balancers of the manifests that a story applies: one for each owner, with a made-up DNS name.

    Args:
        folder: the folder of the scenario.
        applied: the words that may be paths; those that are none are left out.
        groups: groups that Ingresses are moved to.
        lb_controller: the release of the AWS Load Balancer Controller that is played.
        also_new: plan what the Service webhook makes of objects that a step creates, too.
        foreign: objects of other controllers whose balancers the story makes itself.
    """
    versions: dict[tuple[str, str, str], list[Manifest]] = {}
    for manifest in (manifest for item in applied for manifest in _loaded(folder, item)):
        known = versions.setdefault(manifest.key, [])
        if manifest.object not in [one.object for one in known]:
            known.append(manifest)
    options = ControllerOptions(release=LB_CONTROLLER_RELEASES.line(lb_controller))
    owners: dict[str, BalancerType] = {}
    for number in range(max(map(len, versions.values()), default=0)):
        # An object stands in several files if the story changes it: each version has its turn.
        current = [known[min(number, len(known) - 1)] for known in versions.values()]
        plans = [
            stack_plan.plan(current, options, new=new) for new in ((False, True) if also_new else (False,))
        ]
        for planned in (planned for plan in plans for planned in plan.stacks):
            if planned.stack and planned.stack.load_balancer:
                kind: BalancerType = "nlb" if planned.stack.load_balancer.type == "network" else "alb"
                owners.setdefault(owner_of(planned.stack.stack_tags()), kind)
    for manifest in (one for known in versions.values() for one in known):
        for one in foreign:
            if one.name.lower() == f"{manifest.key[0].lower()}/{manifest.key[2]}":
                stands = at_address(manifest.key, one.address) if one.address else in_status(manifest)
                if stands:
                    owners.setdefault(stands.owner, stands.type)
    owners |= {f"ingress-group/{group}": "alb" for group in groups}
    return tuple(
        BalancerIdentity(f"planned-{number}.invalid", kind, owner=owner)
        for number, (owner, kind) in enumerate(owners.items())
    )


def possible_owners(folder: Path, applied: Iterable[Applied]) -> frozenset[str]:
    """Return the owners that the objects of a story could be; some make no balancer as they are.

    They are those that the story applies, and those of the folder of the scenario and the folders in it.
    """
    loaded = [manifest for item in applied for manifest in _loaded(folder, item)]
    for pattern in ("*", "*/*"):
        loaded += _files(sorted(one for one in folder.glob(pattern) if one.suffix in _SUFFIXES))
    return frozenset(
        f"{kind.lower()}/{namespace}/{name}"
        for kind, namespace, name in (manifest.key for manifest in loaded)
        if kind in ("Service", "Ingress", "Gateway")
    )


def _loaded(folder: Path, applied: Applied) -> list[Manifest]:
    loaded = [manifest for text in applied.paths for manifest in _files(_manifests_at(folder, text))]
    if applied.only is None:
        return loaded
    try:
        return selected(loaded, applied.only)
    except BadInput:
        return []  # applying them reports the fault


def _manifests_at(folder: Path, text: str) -> list[Path]:
    """Return the files that a word of a script names; none if it is no path."""
    path = folder / text
    try:
        if path.suffix in _SUFFIXES:
            return [path] if path.is_file() else []
        is_folder = bool(text.strip("./")) and not Path(text).is_absolute() and path.is_dir()
        return sorted(one for one in path.iterdir() if one.suffix in _SUFFIXES) if is_folder else []
    except OSError:
        return []  # a text of the script that is too long for a path, or a folder that cannot be read


def _files(paths: Iterable[Path]) -> list[Manifest]:
    loaded: list[Manifest] = []
    for path in paths:
        with suppress(BadInput):  # a file that is no manifest, or applying it reports the fault
            loaded += [one for one in manifest_files.load([path], custom=True) if not one.is_custom]
    return loaded
