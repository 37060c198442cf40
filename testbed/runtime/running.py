"""Starts the topology of a scenario, on processes or on containers, and closes it at the end of the block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from testbed import interrupts, journal
from testbed.clock import Clock
from testbed.errors import BadInput
from testbed.faults import Reach
from testbed.network import lease
from testbed.options import ON_COMPOSE, Options
from testbed.real_controllers.named_release import is_image
from testbed.rehearsal.fault_schedule import check_faults
from testbed.rehearsal.pace import paced
from testbed.rehearsal.played_releases import played_releases
from testbed.rehearsal.scenario import Scenario, Targets
from testbed.rehearsal.setup import Setup
from testbed.rehearsal.topology import Topology
from testbed.runtime.components.confined_controllers import ConfinedControllers
from testbed.runtime.processes import Processes

JOURNAL = "journal.ndjson"


def reaches(on: str) -> frozenset[Reach]:
    """Return where faults may strike in a runtime, `--on`."""
    if on == ON_COMPOSE:
        from testbed.runtime.compose.composed import Composed

        return Composed.reaches
    return Processes.reaches


def confined_controllers(topology: Topology) -> ConfinedControllers:
    """Return where binaries of the user live in a topology of local processes."""
    assert isinstance(topology, Processes)
    return topology.controllers


@contextmanager
def running(scenario: Scenario, options: Options, folder: Path) -> Iterator[Topology]:
    """Start a scenario's topology with nothing applied yet; its journal goes to the folder.

    Raises:
        TestbedError: it cannot be started, or was interrupted.
    """
    # Whoever starts it: a real controller keeps no higher speed.
    options, _ = paced(options, played_releases(scenario, options))
    setup = Setup.of(scenario, options)
    external_dns = setup.cluster.external_dns_binary
    with interrupts.as_error(), ExitStack() as stack:
        stack.enter_context(interrupts.by_sigterm())
        written = stack.enter_context(journal.Journal(folder / JOURNAL))
        clock = Clock(speed=options.speed)
        topology: Topology
        if options.on == ON_COMPOSE:
            if scenario.traffic is not None or scenario.targets != (Targets(),):
                raise BadInput("containers have the sample service only", do="leave out --on compose")
            if setup.cluster.lb_controller_binary or (external_dns and not is_image(external_dns)):
                raise BadInput(
                    "containers run no binary of this machine",
                    do="leave out --on compose, or name an image of ExternalDNS",
                )
            # Imported here, because most runs are on processes and wait for no import of containers.
            from testbed.runtime.compose.composed import Composed

            topology = Composed(setup, clock, written)
        else:
            if is_image(external_dns):
                raise BadInput(f"{external_dns} is an image, which a container runs", do="add --on compose")
            network = stack.enter_context(lease(options.network, privileged=options.privileged_ports))
            topology = Processes(setup, clock, network, written, folder)
        check_faults([one.fault for one in scenario.faults], topology.reaches)
        try:
            topology.start()
            yield topology
        except Exception:
            # An AWS API that cannot write the journal answers 500, and boto3's error hides the reason.
            if written.failure:
                raise written.failure from None
            raise
        finally:
            with interrupts.ignored():  # a second Ctrl-C must not leave processes behind
                topology.close()
