"""A folder from which standard tools reach a running topology, and nothing else.

```
DIR/environment   . DIR/environment, then kubectl, aws, dig, curl
DIR/kubeconfig    the cluster
DIR/ca.pem        the authorities that the host's certificates come from
```
All files have mode 0600 and go with the topology.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from testbed.errors import BadInput, Location, Missing
from testbed.runtime import cluster
from testbed.runtime.clients import HTTPS
from testbed.settings import REGION

if TYPE_CHECKING:
    from testbed.network import Network
    from testbed.runtime.kubernetes_access import KubernetesAccess

DEFAULT_FOLDER = Path(".testbed")
FILE, KUBECONFIG, AUTHORITIES, CACHE = "environment", "kubeconfig", "ca.pem", "cache"
_NOWHERE = "/dev/null"
UNSET = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")
"""Names of the user's own account, which must not reach a tool that talks to the testbed."""


class Reachable(Protocol):
    """What is asked of a topology; `kubernetes` is None where it has no API of the cluster."""

    @property
    def network(self) -> Network:
        """Its addresses."""

    @property
    def bundle(self) -> Path:
        """The authorities that clients trust, PEM."""

    @property
    def kubernetes(self) -> KubernetesAccess | None:
        """The API of its cluster."""


def variables(topology: Reachable, folder: Path) -> dict[str, str]:
    """What tools take from the environment; `folder` is where the files are."""
    network = topology.network
    authorities = str(folder / AUTHORITIES)
    found = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": network.aws_endpoint,
        "AWS_CONFIG_FILE": _NOWHERE,
        "AWS_SHARED_CREDENTIALS_FILE": _NOWHERE,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "SSL_CERT_FILE": authorities,
        "CURL_CA_BUNDLE": authorities,
        "TESTBED_CA": authorities,
        "TESTBED_DNS": f"@{network.dns} -p {network.dns_port}",
        "TESTBED_DNS_ADDRESS": network.dns,
        "TESTBED_DNS_PORT": str(network.dns_port),
        "TESTBED_HTTPS": str(network.port(HTTPS)),
        "TESTBED_TARGETS": " ".join(network.envoy_pod(index) for index in range(cluster.PODS)),
    }
    if topology.kubernetes is not None:
        found |= {
            "KUBECONFIG": str(folder / KUBECONFIG),
            "KUBECACHEDIR": str(folder / CACHE),
            "KUBERC": "off",
        }
    return found


def write(topology: Reachable, folder: Path) -> dict[str, str]:
    """Write the files into a folder that exists; the variables.

    Raises:
        Missing: a file cannot be written, or the Kubernetes API did not start.
    """
    import yaml

    found = variables(topology, folder)
    files = {AUTHORITIES: topology.bundle.read_bytes()}
    if topology.kubernetes is not None:
        files[KUBECONFIG] = yaml.safe_dump(topology.kubernetes.kubeconfig(), sort_keys=False).encode()
    files[FILE] = text(found).encode()
    for name, content in files.items():
        _write(folder / name, content)
    return found


def text(found: Mapping[str, str]) -> str:
    """The file that a shell sources."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in found.items()]
    return "\n".join(
        ["# Reaches a running testbed; gone when it ends.", f"unset {' '.join(UNSET)}", *lines, ""]
    )


@contextmanager
def written(topology: Reachable, folder: Path) -> Iterator[dict[str, str]]:
    """The folder, as long as the block lasts.

    Raises:
        BadInput: a testbed that runs has its files there.
        Missing: a file cannot be written, or the Kubernetes API did not start.
    """
    folder = folder.absolute()
    made = not folder.exists()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Held open and locked: the lock goes with the process, however it ends.
        held = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        _lock(held, folder)
        try:
            yield write(topology, folder)
        finally:
            _remove(folder, made)
    finally:
        os.close(held)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise BadInput(
            "another testbed that runs has its environment there",
            where=Location(folder),
            do="name another folder with --environment",
        ) from None


def _write(path: Path, content: bytes) -> None:
    try:
        with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(content)
    except OSError as error:
        raise _unwritable(path, error) from None


def _remove(folder: Path, made: bool) -> None:
    shutil.rmtree(folder / CACHE, ignore_errors=True)
    for name in (FILE, KUBECONFIG, AUTHORITIES):
        with suppress(OSError):
            (folder / name).unlink()
    if made:
        with suppress(OSError):  # somebody has put a file of their own there
            folder.rmdir()


def _unwritable(path: Path, error: OSError) -> Missing:
    return Missing(f"{path} cannot be written: {error.strerror}", do="name another folder with --environment")
