"""What the Envoy containers read from the volume that `control` writes: bootstraps, the targets' listeners.

```
<run>/nlb.json  alb.json           bootstrap of the balancers' nodes: all else comes over ADS
<run>/envoy-0.json                 bootstrap of a target: admin, and where its listeners and clusters are
<run>/envoy-0/lds.json  cds.json   those, from envoy/target.yaml; a new run moves new ones into their place
<run>/<number>/                    certificate, key and access logs of one run
```

Envoy takes a new file when one is moved there (file-based discovery, `path_config_source`), so that the next
run may have another speed or connection age without a restart.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from testbed.clock import Clock
from testbed.errors import BadInput, Missing
from testbed.runtime import cluster, envoy
from testbed.runtime.compose.network import ContainerNetwork
from testbed.runtime.setup import Setup
from testbed.settings import PATIENCE

_TYPES = {
    "cds": ("clusters", "type.googleapis.com/envoy.config.cluster.v3.Cluster"),
    "lds": ("listeners", "type.googleapis.com/envoy.config.listener.v3.Listener"),
}
"""Clusters first: Envoy refuses a listener whose routes name a cluster that it does not have."""


class EnvoyFiles:
    """The files of all Envoys of a composed topology.

    Args:
        folder: the volume, at the same path in every container.
    """

    def __init__(self, network: ContainerNetwork, folder: Path) -> None:
        self._network, self._folder = network, folder

    def write_bootstraps(self) -> None:
        """What the containers need to start, before there is any run."""
        for kind in envoy.BALANCER_ADMIN_PORTS:
            values = envoy.balancer_values(kind, self._network)
            self._write(self._folder / f"{kind}.json", envoy.filled(f"{kind}.yaml", values, Clock()))
        for index in range(cluster.PODS):
            name = cluster.pod_name(index)
            own = self._folder / name
            own.mkdir(exist_ok=True)
            for discovery in _TYPES:
                self._write(own / f"{discovery}.json", {"resources": []})
            admin = {"address": self._network.envoy_pod(index), "port_value": envoy.TARGET_ADMIN_PORT}
            bootstrap = {
                "node": {"id": name, "cluster": "targets"},
                "admin": {"address": {"socket_address": admin}},
                "dynamic_resources": {
                    f"{discovery}_config": {"path_config_source": {"path": str(own / f"{discovery}.json")}}
                    for discovery in _TYPES
                },
            }
            self._write(self._folder / f"{name}.json", bootstrap)

    def begin(self, setup: Setup, clock: Clock, run: Path, certificate: Path, key: Path) -> None:
        """Give the targets the listeners of a new run, whose access logs go to `run`."""
        backends = tuple(self._network.backend_pod(index) for index in range(cluster.PODS))
        for index in range(cluster.PODS):
            pod = envoy.TargetPod(
                name=cluster.pod_name(index),
                address=self._network.envoy_pod(index),
                backends=backends,
                certificate=certificate,
                key=key,
                max_connection_age=setup.connection_age,
            )
            resources = envoy.filled("target.yaml", envoy.target_values(pod, run), clock)["static_resources"]
            for discovery, (field, kind) in _TYPES.items():
                listed = [{"@type": kind, **item} for item in resources[field]]
                self._write(self._folder / pod.name / f"{discovery}.json", {"resources": listed})

    def serves(self, index: int, run: Path) -> bool:
        """Whether a target has taken the listeners of a run.

        Raises:
            BadInput: it refuses them; the message is Envoy's own reason.
        """
        address = f"http://{self._network.envoy_pod(index)}:{envoy.TARGET_ADMIN_PORT}"
        url = f"{address}/config_dump?resource=dynamic_listeners"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE.api_call) as answer:  # noqa: S310
                listeners = json.load(answer).get("configs", [])
        except OSError:
            return False
        for listener in listeners:
            if refused := listener.get("error_state"):
                raise BadInput(f"{cluster.pod_name(index)} refuses its listener: {refused.get('details')}")
        active = [json.dumps(listener.get("active_state")) for listener in listeners]
        return bool(active) and all(str(run) in text for text in active)

    def _write(self, path: Path, document: Mapping[str, Any]) -> None:
        """Move the file there whole: Envoy must never read half of it."""
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(document, indent=1))
        fresh.replace(path)


def missing(indexes: Iterable[int]) -> Missing:
    """The error for targets that do not take their listeners."""
    names = " and ".join(cluster.pod_name(index) for index in indexes)
    return Missing(
        f"{names} did not take new listeners within {PATIENCE.process_start:g} s",
        do="look at `docker compose logs envoy-0 envoy-1`",
    )
