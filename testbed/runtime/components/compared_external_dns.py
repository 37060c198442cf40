"""A real ExternalDNS sync by sync, each in a process of its own (`--once`), beside the emulation.

Nothing else runs meanwhile, so both read one state: the objects of the cluster and the records of Route 53.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from testbed.errors import Missing
from testbed.external_dns.core import log_lines
from testbed.external_dns.core.facts import release_of
from testbed.external_dns.offline.hosted_zones_in_memory import InitialZone
from testbed.external_dns.offline.reached_sync import Outcome, State, outcome, reached
from testbed.external_dns.process import binary_flags, flags
from testbed.external_dns.sources.source_table import KINDS
from testbed.journal import DnsChange, Event
from testbed.real_controllers.controller_process import ControllerProcess
from testbed.runtime.components.confined_controllers import ConfinedControllers, file_and_flags
from testbed.runtime.components.real_controller import KUBECONFIG
from testbed.settings import PATIENCE

if TYPE_CHECKING:
    from testbed.rehearsal.topology import Topology

SYNCS = 4
"""A release that still sends something after as many syncs sends it for ever."""
# What both need and no manifest has.
_KINDS = (*KINDS, "Pod", "Node", "EndpointSlice")


_BEFORE_A_SYNC = ("flag parsing error", "config validation failed")


@dataclass(frozen=True, slots=True)
class ComparedSync:
    """A sync of the real one, and what the emulation does from the same state.

    Attributes:
        real: what it did.
        emulated: what the emulation does in different orders of the objects; the last is `real` if it can.
        log: what it logged.
    """

    real: Outcome
    emulated: tuple[Outcome, ...]
    log: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """True if some order of the objects makes the emulation do the same."""
        return self.real in self.emulated


class ComparedExternalDns:
    """A binary and the emulation of its release, on a running topology without an ExternalDNS.

    Args:
        path: of the binary, as the user wrote it.
        release: by which its flags are read, and which the emulation decides as.
        given: the flags of both.

    Raises:
        BadInput: a flag leads elsewhere, or the testbed does not emulate it.
    """

    def __init__(
        self,
        path: str,
        release: str,
        given: Sequence[str],
        topology: Topology,
        controllers: ConfinedControllers,
    ) -> None:
        self._path, self._topology, self._controllers = path, topology, controllers
        self._release = release_of(release)
        self._flags = flags.parse(given, self._release, {})
        self._home = controllers.home()
        kubeconfig = self._home / KUBECONFIG
        adapted = binary_flags.of_run(
            given,
            self._release,
            speed=1.0,
            address=topology.network.control,
            kubeconfig=str(kubeconfig),
        )
        self._arguments = (*adapted.arguments, "--once")
        access = topology.cluster.kubernetes
        assert access
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(yaml.safe_dump(access.kubeconfig(), sort_keys=False))

    def syncs(self) -> Iterator[ComparedSync]:
        """Sync until nothing is sent any more, at most `SYNCS` times.

        Raises:
            Missing: the binary cannot be started, or does not end.
        """
        for _ in range(SYNCS):
            one = self.sync()
            yield one
            if not one.real.batches:
                return

    def sync(self) -> ComparedSync:
        """Let the real one sync once, and the emulation from the same state.

        Raises:
            Missing: the binary cannot be started, or does not end.
        """
        state = self._state()
        changes: list[DnsChange] = []
        with _heard(self._topology, changes):
            failed, log = self._run()
        real = outcome(((one.changes, bool(one.refused)) for one in changes), failed=failed)
        return ComparedSync(real, reached(state, self._flags, self._release, real), log)

    def _run(self) -> tuple[bool, tuple[str, ...]]:
        command = file_and_flags(self._path, self._arguments)
        with ControllerProcess("external-dns", command, self._controllers.place, self._home) as process:
            status = process.wait(PATIENCE.first_sync)
            lines = tuple(process.lines())
        self._topology.check()
        said = lines[-1] if lines else "it printed nothing"
        if status is None:
            raise Missing(f"{self._path} has not synced within {PATIENCE.first_sync:g} s: {said}")
        fatal = [one.message for one in map(log_lines.read, lines) if one.level == "fatal"]
        if status and (not fatal or fatal[-1].startswith(_BEFORE_A_SYNC)):
            raise Missing(f"{self._path} ended with status {status}: {said}")
        return bool(status), lines

    def _state(self) -> State:
        objects = self._topology.cluster.objects
        route53 = self._topology.clients.route53
        zones = [
            InitialZone(
                zone["Name"].rstrip("."),
                zone["Id"],
                [
                    record
                    for page in route53.get_paginator("list_resource_record_sets").paginate(
                        HostedZoneId=zone["Id"]
                    )
                    for record in page["ResourceRecordSets"]
                ],
            )
            for page in route53.get_paginator("list_hosted_zones").paginate()
            for zone in page["HostedZones"]
        ]
        return State(tuple(one for kind in _KINDS for one in objects.list(kind)), tuple(zones))


class _heard:  # noqa: N801 a block, not a thing
    """Collects the calls that change records, during a block."""

    def __init__(self, topology: Topology, changes: list[DnsChange]) -> None:
        self._journal, self._changes = topology.journal, changes
        self._before: Callable[[Event], None] | None = None

    def __enter__(self) -> None:
        self._before = self._journal.listener
        self._journal.listener = self._hear

    def __exit__(self, *_: object) -> None:
        self._journal.listener = self._before

    def _hear(self, event: Event) -> None:
        if isinstance(event, DnsChange):
            self._changes.append(event)
        if self._before:
            self._before(event)
