"""`python -m testbed.runtime.compose SERVICE ...`: the command of each container of the testbed's image."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from testbed.errors import BadInput, ExitCode, TestbedError
from testbed.runtime.compose.container_network import EDGE, SUBNET, ContainerNetwork
from testbed.settings import PATIENCE

RUN = Path("/run/testbed")
"""A volume of `aws`, `control` and the Envoys: configuration, keys, logs. In memory only."""
SOCKETS = Path("/run/sockets")
"""A volume of `aws`, `control` and `rehearse`: the APIs, without a network between them."""


def main(arguments: list[str]) -> int:
    """Run a service until SIGTERM, and return the exit status."""
    try:
        network = ContainerNetwork(int(os.environ["TESTBED_SUBNET"] or SUBNET))
        match arguments:
            case ["node", kind, *command]:
                from testbed.runtime.compose.balancer_node import become_envoy

                become_envoy(network, kind, os.environ["TESTBED_USER"], command)
            case ["aws"]:
                _serve_aws(network)
            case ["control", scenario]:
                _serve_control(network, scenario)
            case _:
                raise BadInput(f"no such service: {' '.join(arguments)}")
    except TestbedError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return ExitCode.PASS


def _serve_aws(network: ContainerNetwork) -> None:
    from testbed.runtime.compose.aws_service import AwsService
    from testbed.runtime.upkeep import Upkeep

    upkeep = Upkeep()
    try:
        patience = float(os.environ.get("TESTBED_LOCALSTACK_START") or PATIENCE.localstack_start)
        AwsService(network, SOCKETS / "aws", upkeep, patience).start()
        _until_sigterm()
    finally:
        upkeep.close()


def _serve_control(network: ContainerNetwork, scenario: str) -> None:
    from testbed.runtime.compose.control_service import ControlService
    from testbed.runtime.compose.standing import keep_standing
    from testbed.runtime.upkeep import Upkeep

    upkeep = Upkeep()
    service = ControlService(network, RUN, upkeep, SOCKETS / "kubernetes")
    try:
        service.start([network.control, network.address(*EDGE)], SOCKETS / "control")
        upkeep.thread("standing", lambda stop: keep_standing(service, scenario, stop))
        _until_sigterm()
    finally:
        service.end()
        upkeep.close()


def _until_sigterm() -> None:
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
