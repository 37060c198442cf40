"""A user's own AWS Load Balancer Controller in the place of the emulation: its process, log and webhooks.

The emulated cloud provider stays beside it: an in-tree NLB is not the controller's.
"""

from __future__ import annotations

import http.client
import shlex
import urllib.error
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from testbed import journal
from testbed.clock import Clock
from testbed.kubernetes import ObjectStore
from testbed.kubernetes.object_store import WebhookServer
from testbed.kubernetes.rules.webhook_configurations import MUTATING, VALIDATING
from testbed.lb_controller.core import chart_webhooks, controller_log
from testbed.lb_controller.offline import binary_flags
from testbed.lb_controller.offline.binary_flags import CERTIFICATE, KEY
from testbed.loopback_http import get
from testbed.network import Network
from testbed.rehearsal.setup import ClusterSetup
from testbed.releases import LB_CONTROLLER
from testbed.runtime.components.confined_controllers import ConfinedControllers
from testbed.runtime.components.real_controller import KUBECONFIG, RealController

WEBHOOKS = "webhooks"
"""The folder of the webhooks' certificate, in the home of the controller."""
_WEBHOOK_PORT, _HEALTH_PORT, _METRICS_PORT = 9400, 61700, 61800
_PORTS_OF_A_CLUSTER = 200
_HOST = f"{chart_webhooks.SERVICE}.{chart_webhooks.NAMESPACE}.svc"


def ports(network: Network, number: int) -> tuple[int, int, int]:
    """Return the ports of webhooks, metrics and health probe of the controller of the cluster `number`.

    The webhooks listen at every address of where the controller runs, which without a namespace is the whole
    machine (it has no flag for that): so the port of each run is another.
    """
    return (
        _WEBHOOK_PORT + network.second + _PORTS_OF_A_CLUSTER * number,
        _METRICS_PORT + number,
        _HEALTH_PORT + number,
    )


def make_certificate(home: Path) -> str:
    """Write certificate and key of the webhooks' server, and return the authority that issued it, as PEM."""
    import trustme

    authority = trustme.CA(organization_name="Testbed webhook CA")
    issued = authority.issue_cert(_HOST)
    folder = home / WEBHOOKS
    folder.mkdir(mode=0o700)
    for name, content in (
        (CERTIFICATE, b"".join(one.bytes() for one in issued.cert_chain_pems)),
        (KEY, issued.private_key_pem.bytes()),
    ):
        file = folder / name
        file.touch(mode=0o600)
        file.write_bytes(content)
    return authority.cert_pem.bytes().decode()


def install_webhooks(store: ObjectStore, server: WebhookServer, *, services: bool) -> None:
    """Lead the webhooks of the controller to its server; without the chart's objects, create them first.

    Args:
        services: whether new Services are claimed.
    """
    installed = [item for kind in (MUTATING, VALIDATING) for item in store.list(kind)]
    found = set(chart_webhooks.services_of(installed))
    if not found:
        for item in chart_webhooks.configurations(services=services):
            store.create(item)
        found = {(chart_webhooks.NAMESPACE, chart_webhooks.SERVICE)}
    for service in found:
        store.webhook_servers[service] = server


def started(
    setup: ClusterSetup,
    *,
    number: int,
    vpc: str,
    network: Network,
    clock: Clock,
    controllers: ConfinedControllers,
    kubeconfig: Callable[[], Mapping[str, Any]],
    name: str,
    log: Callable[[str, str, str], None],
) -> tuple[RealLbController, journal.RealController, WebhookServer]:
    """Make the controller of the cluster `number`, ready to run, and return where its webhooks will answer.

    Args:
        name: of the component.

    Raises:
        BadInput: a flag of its Deployment leads away from the testbed.
        Missing: a port is taken.
    """
    from testbed.real_controllers.binary import words_of

    path, home = setup.lb_controller_binary, controllers.home()
    webhooks, metrics, health = ports(network, number)
    authority = make_certificate(home)
    place = binary_flags.Place(
        cluster=setup.name,
        vpc=vpc,
        kubeconfig=home / KUBECONFIG,
        certificates=home / WEBHOOKS,
        address=network.control,
        webhook_port=webhooks,
        metrics_port=metrics,
        health_port=health,
    )
    known = binary_flags.listed(words_of(path, LB_CONTROLLER.name))
    flags = binary_flags.of_run(setup.lb_controller_args, place, known=known, speed=clock.speed)
    controllers.let_in(webhooks, metrics, health)
    real = RealLbController(
        name.replace("/", "-"),
        path,
        flags.arguments,
        home=home,
        kubeconfig=kubeconfig,
        controllers=controllers,
        clock=clock,
        health=f"http://{network.control}:{health}",
        log=log,
    )
    event = journal.RealController(
        time=clock.wall(),
        component=name,
        release=setup.lb_controller_binary_release,
        path=path,
        command=shlex.join([path, *flags.arguments]),
        changed=flags.changed,
        unscaled=flags.unscaled,
        is_closed=controllers.place.is_closed,
    )
    return real, event, webhook_server(network, webhooks, authority)


def webhook_server(network: Network, port: int, authority: str) -> WebhookServer:
    """Return where the webhooks of a controller are answered."""
    return WebhookServer(network.control, port, _HOST, authority)


class RealLbController(RealController):
    """A binary as the LB controller of a cluster.

    Args:
        health: the URL of its health probes.
        log: gets level, message and text of each line that it writes.
    """

    done = "become ready"

    def __init__(
        self, *arguments: Any, health: str, log: Callable[[str, str, str], None], **further: Any
    ) -> None:
        super().__init__(*arguments, **further)
        self._health, self._log = health, log

    def hear(self, line: str) -> None:
        """Log a line that it wrote."""
        level, message = controller_log.read(line)
        self._log(level, message, line)

    def restarts(self, told: str) -> None:
        """Log that it has ended, and is started again."""
        self._log("warning", told, told)

    def look(self) -> bool:
        """Ask its readiness probe, which waits for its webhooks; old releases have only the other probe."""
        try:
            get(f"{self._health}/readyz")
        except urllib.error.HTTPError as error:
            return error.code == http.client.NOT_FOUND and self._is_alive()
        except (OSError, ValueError):
            return False
        return True

    def _is_alive(self) -> bool:
        try:
            get(f"{self._health}/healthz")
        except (OSError, ValueError):
            return False
        return True
