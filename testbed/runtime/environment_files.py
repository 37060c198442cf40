"""A folder of files by which standard tools reach a running topology, and nothing else.

```
DIR/environment   . DIR/environment, then kubectl, aws, dig, curl
DIR/kubeconfig    the cluster
DIR/ca.pem        the authorities that issued the host's certificates
DIR/bin           dig and curl that ask the DNS of the testbed
DIR/webhooks      a certificate for the webhooks of an LB controller that the user starts
```
All files have mode 0600 and are removed with the topology.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from testbed.errors import Location, Missing
from testbed.runtime import name_resolution
from testbed.runtime.components import cluster_objects, real_lb_controller
from testbed.settings import REGION

if TYPE_CHECKING:
    from testbed.rehearsal.topology import Topology

DEFAULT_FOLDER = Path(".testbed")
FILE, KUBECONFIG, AUTHORITIES, CACHE, PROGRAMS = "environment", "kubeconfig", "ca.pem", "cache", "bin"
WEBHOOKS = real_lb_controller.WEBHOOKS
_NOWHERE = "/dev/null"
# What leads a tool to the user's own account or proxy: `child_process.FOREIGN`, as a shell says it. The name
# before it keeps `unset` from having none.
_UNSET = "unset AWS_PROFILE $(env | grep -Eio '^(aws_[a-z0-9_]*|[a-z]*_proxy)=' | tr -d =)"


def variables(topology: Topology, folder: Path) -> dict[str, str]:
    """Return the variables that tools read from the environment; the files are in `folder`."""
    network = topology.network
    authorities = str(folder / AUTHORITIES)
    values = {
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
        name_resolution.OFFSET: str(network.port(1) - 1),
        "TESTBED_PROGRAMS": str(folder / PROGRAMS),
        "TESTBED_DNS": f"@{network.dns} -p {network.dns_port}",
        "TESTBED_DNS_ADDRESS": network.dns,
        "TESTBED_DNS_PORT": str(network.dns_port),
        "TESTBED_HTTPS": str(network.port(topology.setup.port)),
        "TESTBED_TARGETS": " ".join(network.envoy_pod(index) for index in cluster_objects.indexes(0)),
    }
    if topology.cluster.kubernetes is not None:
        # The user's own cache may hold another cluster of this address, and their kuberc other defaults.
        values |= {
            "KUBECONFIG": str(folder / KUBECONFIG),
            "KUBECACHEDIR": str(folder / CACHE),
            "KUBERC": "off",
        }
    return values


def write(topology: Topology, folder: Path) -> dict[str, str]:
    """Write the files into a folder that exists, and return the variables.

    Raises:
        Missing: a file cannot be written, or the Kubernetes API did not start.
    """
    import yaml

    values = variables(topology, folder)
    files = {AUTHORITIES: topology.bundle.read_bytes()}
    if topology.cluster.kubernetes is not None:
        files[KUBECONFIG] = yaml.safe_dump(topology.cluster.kubernetes.kubeconfig(), sort_keys=False).encode()
    files[FILE] = text(values).encode()
    for name, content in files.items():
        _write(folder / name, content)
    try:
        name_resolution.write(folder / PROGRAMS)
        if topology.setup.cluster.lb_controller_is_open:
            shutil.rmtree(folder / WEBHOOKS, ignore_errors=True)
            real_lb_controller.make_certificate(folder)
    except OSError as error:
        raise _unwritable(folder, error) from None
    return values


def text(values: Mapping[str, str]) -> str:
    """Return the content of the file that a shell sources."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
    path = 'export PATH="$TESTBED_PROGRAMS:$PATH"'
    return "\n".join(["# Reaches a running testbed; removed when it ends.", _UNSET, *lines, path, ""])


@contextmanager
def written(topology: Topology, folder: Path) -> Iterator[dict[str, str]]:
    """Keep the files in a folder while the block lasts.

    Raises:
        Missing: another running testbed has its files there, a file cannot be written, or the Kubernetes API
            did not start.
    """
    folder = folder.absolute()
    is_new = not folder.exists()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Held open and locked, because the lock ends with the process, however it ends.
        held = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        _lock(held, folder)
        try:
            yield write(topology, folder)
        finally:
            _remove(folder, is_new)
    finally:
        os.close(held)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Missing(
            "another running testbed has its environment there",
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


def _remove(folder: Path, is_new: bool) -> None:
    for name in (CACHE, PROGRAMS, WEBHOOKS):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (FILE, KUBECONFIG, AUTHORITIES):
        with suppress(OSError):
            (folder / name).unlink()
    if is_new:
        with suppress(OSError):  # the user has put a file of their own there
            folder.rmdir()


def _unwritable(path: Path, error: OSError) -> Missing:
    return Missing(f"{path} cannot be written: {error.strerror}", do="name another folder with --environment")
