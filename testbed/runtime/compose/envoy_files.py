"""The files that the Envoy containers read from the volume of `control`: bootstraps and target listeners.

```
<run>/nlb.json  alb.json           bootstrap of the balancers' nodes; ADS has everything else
<run>/envoy-0.json                 bootstrap of a target: its admin, and the paths of the next two
<run>/envoy-0/lds.json  cds.json   listeners and clusters, from envoy/target.yaml; each run replaces them
<run>/<number>/                    certificate, key, the file that names both, and access logs of one run
```

Envoy reads a file again when another is moved into its place (file-based discovery, `path_config_source`), so
the next run may have another speed or connection age without a restart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from testbed import loopback_http
from testbed.clock import Clock
from testbed.errors import BadInput, Missing
from testbed.rehearsal.setup import Setup
from testbed.runtime.components import balancer_envoys, cluster_objects, envoy_templates, target_envoys
from testbed.runtime.components.envoy_process import write_whole
from testbed.runtime.compose.container_network import ContainerNetwork
from testbed.settings import PATIENCE

_TYPES = {
    "cds": ("clusters", "type.googleapis.com/envoy.config.cluster.v3.Cluster"),
    "lds": ("listeners", "type.googleapis.com/envoy.config.listener.v3.Listener"),
}
"""Clusters come first: Envoy refuses a listener whose routes name a cluster that it does not have."""
_TOO_EARLY = "unknown cluster"
"""In the reason of a refusal: Envoy has read the listeners before the clusters."""


class EnvoyFiles:
    """The files of all Envoys of a composed topology.

    Args:
        folder: the volume, at the same path in every container.
    """

    def __init__(self, network: ContainerNetwork, folder: Path) -> None:
        self._network, self._folder = network, folder

    def write_bootstraps(self) -> None:
        """Write the files that the containers need to start, before any run."""
        for kind in balancer_envoys.ADMIN_PORTS:
            values = balancer_envoys.values(kind, self._network)
            write_whole(
                self._folder / f"{kind}.json", envoy_templates.filled(f"{kind}.yaml", values, Clock())
            )
        for index in range(cluster_objects.PODS):
            name = cluster_objects.pod_name(index)
            own = self._folder / name
            own.mkdir(exist_ok=True)
            for discovery in _TYPES:
                # Envoy does not start if a file that its bootstrap names is missing.
                write_whole(own / f"{discovery}.json", {"resources": []})
            admin = {"address": self._network.envoy_pod(index), "port_value": target_envoys.ADMIN_PORT}
            bootstrap = {
                "node": {"id": name, "cluster": "targets"},
                "admin": {"address": {"socket_address": admin}},
                "dynamic_resources": {
                    f"{discovery}_config": {"path_config_source": {"path": str(own / f"{discovery}.json")}}
                    for discovery in _TYPES
                },
            }
            write_whole(self._folder / f"{name}.json", bootstrap)

    def begin(self, setup: Setup, clock: Clock, run: Path, certificate: Path, key: Path) -> None:
        """Give the targets the listeners of a new run; their access logs go to the folder `run`."""
        for pod in target_envoys.pods(setup, self._network, certificate, key):
            write_whole(target_envoys.secret_file(run, pod.name), target_envoys.secret(certificate, key))
            resources = envoy_templates.filled("target.yaml", target_envoys.values(pod, run), clock)[
                "static_resources"
            ]
            for discovery, (field, kind) in _TYPES.items():
                listed = [{"@type": kind, **item} for item in resources[field]]
                write_whole(self._folder / pod.name / f"{discovery}.json", {"resources": listed})

    def serves(self, index: int, run: Path) -> bool:
        """True if a target has taken the listeners of a run.

        Raises:
            BadInput: it refuses them; the message is Envoy's own reason.
        """
        address = f"http://{self._network.envoy_pod(index)}:{target_envoys.ADMIN_PORT}"
        url = f"{address}/config_dump?resource=dynamic_listeners"
        try:
            listeners = json.loads(loopback_http.get(url)).get("configs", [])
        except OSError:
            return False
        for listener in listeners:
            if refused := listener.get("error_state"):
                name, why = cluster_objects.pod_name(index), str(refused.get("details"))
                if _TOO_EARLY in why:
                    # Envoy watches the two files apart, so a busy machine may see the later one first. It
                    # reads a file again when that is moved into its place.
                    path = self._folder / name / "lds.json"
                    write_whole(path, json.loads(path.read_text()))
                    return False
                raise BadInput(f"{name} refuses its listener: {why}")
        # Those of an earlier run stay active until the new ones have warmed up.
        active = [json.dumps(listener.get("active_state")) for listener in listeners]
        return bool(active) and all(str(run) in text for text in active)


def missing(indexes: Iterable[int]) -> Missing:
    """Return the error for targets that do not take their listeners."""
    names = " and ".join(cluster_objects.pod_name(index) for index in indexes)
    return Missing(
        f"{names} did not take new listeners within {PATIENCE.process_start:g} s",
        do="look at `docker compose logs envoy-0 envoy-1`",
    )
