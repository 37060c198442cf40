"""Faults of containers: stop, kill, pause, cut off. Each ends with its block, and the container is as it was.

| fault     | what the others see                                               | ends by             |
|-----------|-------------------------------------------------------------------|---------------------|
| `stop`    | SIGTERM: it closes what it can; then nobody has its address       | start               |
| `kill`    | SIGKILL: open connections are reset; then nobody has its address  | start               |
| `pause`   | silence: the kernel still takes connections, nobody answers       | resume              |
| `cut_off` | silence: nobody has its address, what it runs goes on             | the same addresses  |
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from testbed.errors import BadInput, Missing
from testbed.runtime.compose.network import ContainerNetwork
from testbed.settings import PATIENCE

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

FAULTS = ("stop", "kill", "pause", "cut_off")
PARTS = ("nlb", "alb", "envoy-0", "envoy-1", "backend-0", "backend-1", "localstack")
"""What may be struck. `control` and `aws` hold the run itself."""

_PROJECT, _SERVICE = "com.docker.compose.project", "com.docker.compose.service"


class Containers:
    """The containers of the composed topology that has a network's addresses. A context manager.

    Raises:
        Missing: Docker does not answer, or keeps no such topology.
    """

    def __init__(self, network: ContainerNetwork) -> None:
        import docker  # slow to import, and only faults need it
        from docker.errors import DockerException

        try:
            self._client: DockerClient = docker.from_env(timeout=int(PATIENCE.api_call))
            self._project = _project(self._client, network)
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
        """Strike a part for as long as the block lasts.

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
        labels = [f"{_PROJECT}={self._project}", f"{_SERVICE}={part}"]
        found = self._client.containers.list(filters={"label": labels})
        if not found:
            raise Missing(f"the container of {part} does not run", do="start it with `docker compose up`")
        return found[0]


def _project(client: DockerClient, network: ContainerNetwork) -> str:
    """The project whose `control` has the network's address: several may stand side by side."""
    for container in client.containers.list(filters={"label": f"{_SERVICE}=control"}):
        attached: dict[str, dict[str, Any]] = container.attrs["NetworkSettings"]["Networks"]
        if any(one["IPAddress"] == network.control for one in attached.values()):
            return str(container.labels[_PROJECT])
    raise Missing(f"no composed topology has {network}", do="start it with `docker compose up`")


def _cut_off(client: DockerClient, container: Container) -> Any:
    attached = {
        name: one["IPAddress"] for name, one in container.attrs["NetworkSettings"]["Networks"].items()
    }
    networks = {name: client.networks.get(name) for name in attached}
    for one in networks.values():
        one.disconnect(container, force=True)

    def rejoin() -> None:
        for name, address in attached.items():
            networks[name].connect(container, ipv4_address=address)

    return rejoin
