"""Strikes containers: stop, kill, pause, cut off; `testbed.faults` describes them.

Each fault ends with its block, and the container is as it was before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from testbed.errors import BadInput, Missing
from testbed.faults import FAULTS, PARTS
from testbed.runtime.compose.container_network import ContainerNetwork
from testbed.settings import PATIENCE

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

PROJECT, _SERVICE = "com.docker.compose.project", "com.docker.compose.service"
"""Labels of Compose."""


class Containers:
    """The containers of the topology that has a network's addresses. A context manager.

    Raises:
        Missing: Docker does not answer, or runs no such topology.
    """

    def __init__(self, network: ContainerNetwork) -> None:
        import docker  # slow to import, and only faults need it
        from docker.errors import DockerException

        try:
            self._client: DockerClient = docker.from_env(timeout=int(PATIENCE.api_call))
            self._project = project_of(self._client, network)
        except DockerException as error:
            raise Missing(
                f"Docker does not answer: {error}", do="faults are played from the host, by --on compose"
            ) from None

    def __enter__(self) -> Containers:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @contextlib.contextmanager
    def fault(self, kind: str, part: str) -> Iterator[None]:
        """Strike a part while the block lasts.

        Raises:
            BadInput: no such fault or part.
        """
        if kind not in FAULTS or part not in PARTS:
            raise BadInput(
                f"no fault {kind!r} of {part!r}", do=f"use {'|'.join(FAULTS)} of {'|'.join(PARTS)}"
            )
        container = self._container(part)
        if kind == "pause":
            container.pause()
            undo = container.unpause
        elif kind == "cut_off":
            undo = _cut_off(self._client, container)
        else:
            container.kill() if kind == "kill" else container.stop(timeout=int(PATIENCE.process_stop))
            undo = container.start
        try:
            yield
        finally:
            undo()

    def _container(self, part: str) -> Container:
        # By Compose's own labels: the names of containers depend on the project and on the version of
        # Compose.
        labels = [f"{PROJECT}={self._project}", f"{_SERVICE}={part}"]
        containers = self._client.containers.list(filters={"label": labels})
        if not containers:
            raise Missing(f"the container of {part} does not run", do="start it with `docker compose up`")
        return containers[0]


def project_of(client: DockerClient, network: ContainerNetwork) -> str:
    """Return the project whose `control` has the network's address: several may run side by side.

    Raises:
        Missing: none has.
    """
    for container in client.containers.list(filters={"label": f"{_SERVICE}=control"}):
        attached: dict[str, dict[str, Any]] = container.attrs["NetworkSettings"]["Networks"]
        if any(place["IPAddress"] == network.control for place in attached.values()):
            return str(container.labels[PROJECT])
    raise Missing(f"no composed topology has {network}", do="start it with `docker compose up`")


def _cut_off(client: DockerClient, container: Container) -> Any:
    # Read before the cut: a container without a network no longer shows the addresses that it had.
    attached = {
        name: place["IPAddress"] for name, place in container.attrs["NetworkSettings"]["Networks"].items()
    }
    networks = {name: client.networks.get(name) for name in attached}
    for network in networks.values():
        network.disconnect(container, force=True)

    def rejoin() -> None:
        for name, address in attached.items():
            # With its old address, which the plan of the network and the balancers' configuration name.
            networks[name].connect(container, ipv4_address=address)

    return rejoin
