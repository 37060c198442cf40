"""What stands before the first step: the scenario's manifests, with load balancers that are active already.

```
apply ──► made (a balancer for each owner in the manifests) ──► the story begins ──► stands
          active at once: it was provisioned long ago           from here on, it takes minutes
```
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterable

from testbed import journal
from testbed.balancer_identity import BalancerIdentity
from testbed.network import BALANCER_TYPES
from testbed.rehearsal.cutover import Cutover
from testbed.rehearsal.planned_balancers import applied_before, foreign_before, planned_balancers
from testbed.rehearsal.scenario import Scenario
from testbed.settings import PATIENCE

STANDS_WITHIN = 240.0
"""Production seconds until manifests have balancers and alias: health checks, two syncs. Manifests may ask
for less, or for what never comes, so the story begins after this time in any case."""


def make(cutover: Cutover, tell: Callable[[str], None] | None = None) -> None:
    """Apply the scenario's manifests, wait until their balancers are there, and begin the story.

    Args:
        tell: gets what it waits for, if a person is to bring it about; without it the journal does.

    Raises:
        BadInput: a manifest is wrong, or lacks a value.
    """
    scenario, topology = cutover.scenario, cutover.topology
    if scenario.manifests:
        cutover.apply_standing()
        for one in scenario.balancers:
            cutover.foreign_balancer(**dataclasses.asdict(one))
        owners = owners_before(scenario, topology.setup.cluster.lb_controller)
        if topology.setup.cluster.lb_controller_is_open:
            _wait_for_the_users_own(cutover, owners, tell)
        else:
            _wait(cutover, lambda: are_made(owners, topology.balancers()))
    topology.begin_story()


def let_stand(cutover: Cutover) -> None:
    """`make`, and wait until the balancers have healthy targets and ExternalDNS has seen them.

    Raises:
        BadInput: a manifest is wrong, or lacks a value.
    """
    make(cutover)
    if cutover.scenario.manifests:
        _wait(cutover, lambda: _is_healthy(cutover))
        begun, _ = cutover.topology.cluster.external_dns_syncs()
        _wait(cutover, lambda: _is_in_dns(cutover, begun))


def owners_before(scenario: Scenario, lb_controller: str) -> frozenset[str]:
    """Return the owners of the load balancers that the scenario's manifests make before the first step."""
    before = applied_before(scenario)
    return frozenset(
        one.owner
        for one in planned_balancers(
            scenario.folder, before, (), lb_controller, foreign_before(scenario), also_new=False
        )
    )


def are_made(owners: Iterable[str], balancers: Iterable[BalancerIdentity]) -> bool:
    """True if each owner has a load balancer."""
    return frozenset(owners) <= {one.owner for one in balancers}


def _is_healthy(cutover: Cutover) -> bool:
    balancers = [one for kind in BALANCER_TYPES for one in cutover.balancers_of_type(kind)]
    return all(
        one.state == "active" and cutover.has_targets(one) for one in balancers
    ) and not cutover.unhealthy_targets(balancers)


def _is_in_dns(cutover: Cutover, begun: int) -> bool:
    cluster = cutover.topology.setup.cluster
    if not cluster.external_dns_flags or cluster.external_dns_is_open or cutover.alias() is not None:
        return True
    return cutover.topology.cluster.external_dns_syncs()[1] > begun


def _wait_for_the_users_own(
    cutover: Cutover, owners: Iterable[str], tell: Callable[[str], None] | None
) -> None:
    """Wait for load balancers without a limit, and say so: a person is at work."""
    topology, pause = cutover.topology, threading.Event()
    missing = sorted({*owners} - {one.owner for one in topology.balancers()})
    if missing:
        what = f"wait for your AWS Load Balancer Controller to make that of {', '.join(missing)}"
        if tell:
            tell(what)
        else:
            topology.journal.write(journal.Action(time=topology.clock.wall(), step=0, text=what))
    while not are_made(owners, topology.balancers()):
        topology.check()
        pause.wait(PATIENCE.look)


def _wait(cutover: Cutover, holds: Callable[[], bool]) -> None:
    clock, pause = cutover.topology.clock, threading.Event()
    deadline = clock.wall() + clock.scaled(STANDS_WITHIN) + PATIENCE.api_call
    while clock.wall() < deadline and not holds():
        cutover.topology.check()
        pause.wait(PATIENCE.look)
