"""Plays faults in a topology of local processes: each kind of fault by the part that can play it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from testbed import ipv6_loopback
from testbed.borrowed_sockets import Address
from testbed.child_process import Process
from testbed.clock import Clock
from testbed.faults import ChangesPending, InjectedFault, ReadinessFlapping, TargetErrors, TargetSlow
from testbed.faults.spoiled_answers import Spoiled, SpoiledAnswers
from testbed.faults.spoilt_certificates import SpoiltCertificates
from testbed.faults.stopped_controller import StoppedController
from testbed.faults.struck_edge import StruckEdge
from testbed.faults.struck_part import StruckPart
from testbed.faults.struck_zone import StruckZone
from testbed.network import Network
from testbed.runtime.components import fault_filters, target_envoys
from testbed.runtime.components.envoy_process import Envoy
from testbed.runtime.edge_relay import EdgeRelays
from testbed.runtime.flapping_pods import flapping
from testbed.runtime.scaled_controllers import scaled_to_zero
from testbed.runtime.struck_edges import Accepting, StruckEdges
from testbed.runtime.struck_processes import Strikable, StruckProcesses
from testbed.runtime.struck_zones import zone_struck
from testbed.runtime.upkeep import Upkeep

if TYPE_CHECKING:
    from testbed.aws.aws_endpoint import AwsEndpoint
    from testbed.aws.certificate_store import CertificateStore
    from testbed.aws.change_feed import ChangeFeed
    from testbed.aws.served_certificates import ServedCertificates
    from testbed.kubernetes.client import KubernetesClient
    from testbed.runtime.components.control_plane import ControlPlane


@dataclass(frozen=True, slots=True)
class Certified:
    """Where the certificates of a run come from.

    Attributes:
        host: whose certificate the targets have.
        store: the authorities.
        served: what the balancers get.
        changes: tells them that there is something new.
    """

    host: str
    store: CertificateStore
    served: ServedCertificates
    changes: ChangeFeed


@dataclass(frozen=True, slots=True)
class Struck:
    """The parts of a topology that faults strike.

    Attributes:
        targets, balancers: their Envoys with the processes; balancers by their type.
        backends: address, process and readiness of each backend pod.
        plane: has balancers and name servers.
        endpoint: the AWS endpoint.
        objects: those of the cluster.
        folder: of the access logs.
        certified: where the certificates come from.
    """

    targets: Sequence[tuple[Envoy, Process]]
    balancers: Sequence[tuple[Envoy, Process]]
    backends: Sequence[tuple[str, Process, Callable[[], bool]]]
    plane: ControlPlane
    endpoint: AwsEndpoint
    objects: KubernetesClient
    folder: Path
    certified: Certified


class LocalFaults:
    """The faults of a run."""

    def __init__(self, upkeep: Upkeep, clock: Clock) -> None:
        self._upkeep, self._clock = upkeep, clock
        self._processes = StruckProcesses(upkeep)

    def know(self, struck: Struck) -> None:
        """Let these parts be struck from now on."""
        self._struck = struck
        self._filters = [envoy.admin for envoy, _ in struck.targets]
        relays = EdgeRelays(self._upkeep.loop())
        self._upkeep.at_end(relays.close)
        by_type = {process.name: process for _, process in struck.balancers}
        targets = [(process, _at_target(envoy)) for envoy, process in struck.targets]
        backends: list[Accepting] = [(process, _at(address)) for address, process, _ in struck.backends]
        self._edges = StruckEdges(
            relays,
            {
                "clients-nlb": [(by_type["nlb"], _at_balancer)],
                "clients-alb": [(by_type["alb"], _at_balancer)],
                "balancers-targets": targets,
                "targets-backends": backends,
            },
        )
        self._by_type: Mapping[str, Process] = by_type
        self._processes.know(
            {
                **{
                    process.name: Strikable(
                        process,
                        partial(envoy.wait_until_ready, process),
                        target_envoys.access_log(struck.folder, process.name),
                        has=_at_target(envoy),
                    )
                    for envoy, process in struck.targets
                },
                **{
                    process.name: Strikable(
                        process, partial(envoy.wait_until_ready, process), restarts=False, has=_at_balancer
                    )
                    for envoy, process in struck.balancers
                },
                **{
                    process.name: Strikable(process, partial(process.wait_until, is_ready), has=_at(address))
                    for address, process, is_ready in struck.backends
                },
            }
        )

    def fault(self, kind: str, part: str) -> AbstractContextManager[None]:
        """Strike a process while the block lasts.

        Raises:
            BadInput: there is no such fault or part here, or the part is struck already.
        """
        return self._processes.struck(kind, part)

    @contextmanager
    def strike(self, fault: InjectedFault) -> Iterator[None]:
        """Play a fault while the block lasts.

        Raises:
            BadInput: what it strikes is struck already, or is not part of this run.
            Missing: this user may not reach what it strikes.
        """
        struck = self._struck
        with ExitStack() as stack:
            match fault:
                case StruckPart():
                    stack.enter_context(self.fault(fault.word, fault.part))
                case StruckZone():
                    balancers = self._by_type[fault.kind]
                    stack.enter_context(zone_struck(fault, struck.plane.fleet, lambda: balancers.pid))
                case StruckEdge():
                    stack.enter_context(self._edges.struck(fault))
                case TargetSlow() | TargetErrors():
                    stack.enter_context(fault_filters.set_in(self._filters, fault.runtime()))
                case SpoiltCertificates():
                    stack.enter_context(self._certificates_struck(fault))
                case SpoiledAnswers():
                    stack.enter_context(struck.plane.name_server.spoiled(fault.effect))
                case ChangesPending():
                    stack.enter_context(struck.plane.name_server.spoiled(Spoiled.STALE))
                    stack.enter_context(struck.endpoint.strike(fault))
                case StoppedController():
                    stack.enter_context(scaled_to_zero(struck.objects, fault.image))
                case ReadinessFlapping():
                    stack.enter_context(flapping(struck.objects, fault, self._clock))
                case _:
                    stack.enter_context(struck.endpoint.strike(fault))
            yield

    def _certificates_struck(self, fault: SpoiltCertificates) -> AbstractContextManager[None]:
        from testbed.runtime.struck_certificates import balancers_spoilt, targets_spoilt

        struck, one = self._struck, self._struck.certified
        if fault.at == "targets":
            return targets_spoilt(fault.how, one.host, one.store, [envoy for envoy, _ in struck.targets])
        return balancers_spoilt(
            fault.how,
            one.served,
            one.changes,
            [envoy.admin for envoy, _ in struck.balancers],
            lambda: struck.plane.fleet.state.has_certificates,
        )


def _at(address: str) -> Callable[[Address], bool]:
    return lambda at: at[0] == address


def _at_target(envoy: Envoy) -> Callable[[Address], bool]:
    host, _, port = envoy.admin.removeprefix("http://").partition(":")
    # Its admin interface is the testbed's own: the run looks at it, whatever strikes the pod.
    return lambda at: at[0] == host and at[1] != int(port)


def _at_balancer(at: Address) -> bool:
    address = ipaddress.ip_address(at[0])
    if isinstance(address, ipaddress.IPv6Address):
        return at[0] == ipv6_loopback.ADDRESS
    return Network.is_balancer(address)
