"""What stands after `docker compose up`: the scenario's topology before its cutover."""

from __future__ import annotations

import sys
import threading

from testbed.clock import Clock
from testbed.errors import TestbedError
from testbed.kubernetes import manifests
from testbed.kubernetes.references import check_references
from testbed.options import Options
from testbed.rehearsal.scenario import load
from testbed.runtime.compose.control import ControlService
from testbed.runtime.setup import Setup
from testbed.settings import PATIENCE


def keep_standing(service: ControlService, path: str, stop: threading.Event) -> None:
    """Begin a run with the manifests of a scenario; again if it fails, until a rehearsal has begun one."""
    said = ""
    while not stop.is_set() and not service.is_taken:
        try:
            scenario = load(path)
            options = Options(scenario=path)
            setup = Setup(
                host=scenario.host,
                zone=scenario.zone,
                external_dns_version=options.external_dns,
                external_dns_flags=scenario.flags(options.external_dns),
                connection_age=scenario.connection_age,
                seed=options.seed,
            )
            run = service.stand(setup, Clock(speed=options.speed))
            if run is None:
                return
            loaded = manifests.load([scenario.folder / name for name in scenario.manifests])
            store = run.plane.store
            check_references(loaded, zones=[scenario.zone], existing=store.list_all())
            for item in loaded:
                store.apply(item.object)
            return
        except TestbedError as error:
            if str(error) != said:  # one line for one problem, however often it is met
                said = str(error)
                sys.stderr.write(f"{said}\n")
            stop.wait(PATIENCE.localstack_look)
