"""The run that `docker compose up` begins: the scenario's topology before its cutover."""

from __future__ import annotations

import sys
import threading

from testbed.clock import Clock
from testbed.errors import TestbedError
from testbed.kubernetes.references import check_references
from testbed.options import Options
from testbed.rehearsal import applied_manifests
from testbed.rehearsal.script import load
from testbed.rehearsal.setup import Setup
from testbed.rehearsal.standing import STANDS_WITHIN, are_made, owners_before
from testbed.runtime.compose.control_service import ControlService
from testbed.settings import PATIENCE


def keep_standing(service: ControlService, path: str, stop: threading.Event) -> None:
    """Begin a run with the manifests of a scenario; try again until it stands or a rehearsal begins one."""
    said = ""
    while not stop.is_set() and not service.is_taken:
        try:
            scenario = load(path)
            options = Options(scenario=path)
            setup = Setup.of(scenario, options)
            clock = Clock(speed=options.speed)
            run = service.stand(setup, clock)
            if run is None:
                return
            loaded = applied_manifests.loaded(scenario.folder, scenario.manifests)
            objects = run.cluster().objects
            check_references(loaded, zones=[scenario.zone], existing=objects.list("Service"))
            for item in loaded:
                objects.apply(item.object)
            owners = owners_before(scenario, setup.cluster.lb_controller)
            deadline = clock.wall() + clock.scaled(STANDS_WITHIN) + PATIENCE.api_call
            while clock.wall() < deadline and not are_made(owners, run.plane.balancers()):
                if stop.wait(PATIENCE.look) or service.is_taken:
                    return
            run.begin_story()
            return
        except TestbedError as error:
            if str(error) != said:  # one line for one problem, however often it occurs
                said = str(error)
                sys.stderr.write(f"{said}\n")
            stop.wait(PATIENCE.localstack_look)
