"""An image of ExternalDNS that the user brings, as a container of the composed topology.

It is in the network `control`, from which no way leads out, with no rights, a root that it cannot write, and
no variables but those that lead it to the AWS endpoint.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from testbed.errors import Missing
from testbed.real_controllers.confinement import led_environment
from testbed.real_controllers.forked_processes import MARK
from testbed.runtime.compose.container_network import ContainerNetwork
from testbed.runtime.compose.faults import PROJECT, project_of
from testbed.settings import PATIENCE

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

HOME = Path("/testbed")
"""Where the container finds the folder of the run that has its kubeconfig."""
AUTHORITY = "proxy-ca.pem"
_NETWORK, _OF_COMPOSE = "control", "com.docker.compose.network"


class ContainerPlace:
    """Where the image runs.

    Args:
        network: of the composed topology.

    Raises:
        Missing: Docker does not answer, or runs no such topology.
    """

    def __init__(self, network: ContainerNetwork) -> None:
        import docker  # slow to import, and most runs need none
        from docker.errors import DockerException

        self._network = network
        try:
            self._client: DockerClient = docker.from_env(timeout=int(PATIENCE.process_start))
            self._project = project_of(self._client, network)
            labels = [f"{PROJECT}={self._project}", f"{_OF_COMPOSE}={_NETWORK}"]
            (joined,) = self._client.networks.list(filters={"label": labels})
        except DockerException as error:
            raise Missing(
                f"Docker does not answer: {error}", do="an image is played from the host, by --on compose"
            ) from None
        self._joined = str(joined.name)

    def close(self) -> None:
        """Give up the connection to Docker."""
        self._client.close()

    def quote(self, last_words: Callable[[], str]) -> None:
        """Do nothing: the proxy is the service `control`'s, which names the host that was asked for."""

    @contextmanager
    def started(
        self, name: str, path: str, arguments: Sequence[str], home: Path
    ) -> Iterator[RunningContainer]:
        """Run the image `path` while the block lasts.

        Raises:
            Missing: there is no such image, or it cannot be started.
        """
        from docker.errors import APIError, ImageNotFound

        called = f"{self._project}-{name}"
        self._remove(called)  # of a run that was killed
        try:
            container = self._client.containers.create(
                path, list(arguments), name=called, **self._limits(home)
            )
            container.start()
        except ImageNotFound:
            raise Missing(f"Docker has no image {path}", do=f"docker pull {path}, or build it") from None
        except APIError as error:
            self._remove(called)
            raise Missing(f"{path} cannot be started: {error.explanation or error}") from None
        running = RunningContainer(container)
        try:
            yield running
        finally:
            with suppress(APIError):
                container.stop(timeout=int(PATIENCE.process_stop))
            running.join()
            self._remove(called)

    def _limits(self, home: Path) -> dict[str, Any]:
        network = self._network
        variables = led_environment(
            HOME, HOME / AUTHORITY, network.aws_endpoint, network.control, (network.control, network.aws)
        )
        del variables[MARK]  # of children of this machine
        endpoint = self._client.api.create_endpoint_config(ipv4_address=network.external_dns)
        return {
            "environment": variables,
            "user": f"{os.getuid()}:{os.getgid()}",  # whose folder it is
            "volumes": {str(home): {"bind": str(HOME), "mode": "ro"}},
            "labels": {PROJECT: self._project},
            "network": self._joined,
            "networking_config": {self._joined: endpoint},
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            "init": True,
        }

    def _remove(self, name: str) -> None:
        from docker.errors import NotFound

        with suppress(NotFound):
            self._client.containers.get(name).remove(force=True)


class RunningContainer:
    """A container whose output is read line by line.

    Attributes:
        returncode: the exit status, once it has ended and all its lines are there; None before.
    """

    def __init__(self, container: Container) -> None:
        self.returncode: int | None = None
        self._container = container
        self._output = b""
        self._writing = threading.Lock()
        self._reader = threading.Thread(target=self._read, name="external-dns-output", daemon=True)
        self._reader.start()

    def lines(self) -> Iterable[str]:
        """Return the whole lines that it has printed since the last call; the rest once it has ended."""
        has_ended = self.returncode is not None
        with self._writing:
            whole = len(self._output) if has_ended else self._output.rfind(b"\n") + 1
            new, self._output = self._output[:whole], self._output[whole:]
        return [line for line in new.decode(errors="replace").splitlines() if line.strip()]

    def join(self) -> None:
        """Wait until its output has ended."""
        self._reader.join(PATIENCE.process_stop)

    def _read(self) -> None:
        for part in self._container.logs(stream=True, follow=True):
            with self._writing:
                self._output += part
        self.returncode = int(self._container.wait()["StatusCode"])
