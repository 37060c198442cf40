"""`--lb-controller none`, `--external-dns none`: what a person needs to start a controller of their own."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from testbed.options import Options
from testbed.printing import plain
from testbed.report.console import Terminal
from testbed.runtime.environment_files import DEFAULT_FOLDER, FILE, KUBECONFIG, WEBHOOKS

if TYPE_CHECKING:
    from testbed.rehearsal.topology import Topology


def are_there(topology: Topology) -> bool:
    """True if the user starts a controller of the topology."""
    cluster = topology.setup.cluster
    return cluster.lb_controller_is_open or (
        cluster.external_dns_is_open and bool(cluster.external_dns_flags)
    )


def show(console: Terminal, topology: Topology, options: Options) -> None:
    """Print the command that starts each controller that the run leaves to the user.

    Raises:
        BadInput: flags of the scenario or of a Deployment lead away from the testbed.
    """
    if not are_there(topology):
        return
    folder = (options.environment or DEFAULT_FOLDER).absolute()
    console.print("Start your own in another terminal:\n")
    for command in (f". {shlex.quote(str(folder / FILE))}", *_commands(topology, folder)):
        console.print(plain(f"  {command}"), soft_wrap=True)
    if topology.setup.cluster.lb_controller_is_open:
        from testbed.lb_controller.offline.binary_flags import NOT_IN_EVERY_RELEASE

        console.print(f"\nAdd {NOT_IN_EVERY_RELEASE} if your controller's --help lists it.", soft_wrap=True)
    console.print("")


def _commands(topology: Topology, folder: Path) -> Iterator[str]:
    from testbed.external_dns.core.facts import release_of
    from testbed.external_dns.process import binary_flags, flags
    from testbed.lb_controller.offline import binary_flags as lb_flags
    from testbed.runtime.components.real_lb_controller import ports

    cluster, network, speed = topology.setup.cluster, topology.network, topology.clock.speed
    kubeconfig = folder / KUBECONFIG
    if cluster.lb_controller_is_open:
        webhooks, metrics, health = ports(network, 0)
        place = lb_flags.Place(
            cluster=cluster.name,
            vpc=_vpc(topology),
            kubeconfig=kubeconfig,
            certificates=folder / WEBHOOKS,
            address=network.control,
            webhook_port=webhooks,
            metrics_port=metrics,
            health_port=health,
        )
        own = lb_flags.of_run(cluster.lb_controller_args, place, known=lb_flags.IN_EVERY_RELEASE, speed=speed)
        yield shlex.join(["./aws-load-balancer-controller", *own.arguments])
    if cluster.external_dns_is_open and cluster.external_dns_flags:
        adapted = binary_flags.of_run(
            cluster.external_dns_flags,
            release_of(cluster.external_dns_version),
            speed=speed,
            address=network.control,
            kubeconfig=str(kubeconfig),
        )
        yield shlex.join(["./external-dns", *flags.shown(adapted.arguments)])


def _vpc(topology: Topology) -> str:
    vpcs = topology.clients.ec2.describe_vpcs()["Vpcs"]
    return next(vpc["VpcId"] for vpc in vpcs if vpc.get("IsDefault"))
