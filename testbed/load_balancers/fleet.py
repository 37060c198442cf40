"""Keeps the balancer Envoys equal to what stands in the ELBv2 API.

```
ChangeFeed ──► read ELBv2 ──► resources (pure) ──► ADS ──► Envoy "nlb", Envoy "alb"
                    │              ▲
                    └─► health checks (states)
```
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from testbed.clock import Clock
from testbed.errors import Missing
from testbed.journal import Balancer, Journal, Log
from testbed.load_balancers import elbv2_state
from testbed.load_balancers.addresses import AddressBook
from testbed.load_balancers.ads import AdsServer
from testbed.load_balancers.elbv2_state import LoadBalancer, State
from testbed.load_balancers.endings import endings
from testbed.load_balancers.endpoints import Address, NodeHealth, Resolve, nowhere, unknown
from testbed.load_balancers.health import HealthChecks, Key
from testbed.load_balancers.listeners import Surroundings
from testbed.load_balancers.resources import Certificate, Kind, Sources, resources, zones_in_service
from testbed.load_balancers.target_health import State as Health
from testbed.network import XDS_PORT, Network

KINDS: Sequence[Kind] = ("nlb", "alb")
ALB_LOG, NLB_LOG = "alb-access.json", "nlb-flows.json"
"""What the Envoys log in the run's folder."""
LOOK_AGAIN = 0.25
"""Wall seconds without a change of ELBv2 until certificates and provisioning are looked at."""


Cut = Callable[[Kind, Collection[str], Collection[Address]], int]


class Changes(Protocol):
    """Tells that an AWS service was changed; see `testbed.aws`."""

    def revision(self, service: str) -> int:
        """A number that grows with each change."""

    def wait(self, service: str, since: int, wall_seconds: float) -> int:
        """Wait until the revision is beyond `since`; the revision then."""


class Certificates(Protocol):
    """Certificates of ACM by their ARN; `KeyError` for one that does not exist."""

    def get(self, arn: str) -> tuple[bytes, bytes]:
        """Chain and key as PEM."""


class Fleet:
    """All load balancers of a run. Its coroutine `run` belongs into the servers' loop.

    Thread-safe: `addresses`, `balancer_of` and `state`.

    Attributes:
        cut: resets the connections of a type's Envoy from nodes to targets; until it is set, none is.
    """

    def __init__(
        self,
        *,
        elbv2: Any,
        changes: Changes,
        certificates: Certificates,
        network: Network,
        clock: Clock,
        journal: Journal,
        folder: Path,
        resolve: Resolve = nowhere,
        node_health: NodeHealth = unknown,
    ) -> None:
        self.cut: Cut = lambda _kind, _nodes, _targets: 0
        self.state = State()
        self._serving = self.state
        self._elbv2, self._changes, self._certificates = elbv2, changes, certificates
        self._network, self._clock, self._journal = network, clock, journal
        self._logs = folder.resolve()
        self._resolve = resolve
        self._book = AddressBook(network)
        self._told: dict[str, Balancer] = {}
        self._seen: tuple[State, Mapping[str, Certificate]] = (self.state, {})
        self._stale = asyncio.Event()
        self._over: list[tuple[Key, Health]] = []
        self.health = HealthChecks(clock, resolve, self._stale.set, self._is_over, node_health)
        self.server = AdsServer(network.control, XDS_PORT, KINDS, self._refused)

    def addresses(self, dns_name: str) -> tuple[str, ...]:
        """The addresses in service of an active balancer, one a zone; none if there is no such balancer.

        `<zone>.` in front of an NLB's name asks for that zone alone [NLB guide, "Network Load Balancers"].
        """
        wanted = dns_name.rstrip(".").lower().removeprefix("dualstack.")
        state = self._serving
        for balancer in filter(lambda one: one.is_active, state.balancers):
            name = balancer.dns_name.lower()
            if wanted == name:
                return self._addresses(balancer, state)
            zone = wanted.removesuffix(f".{name}")
            if balancer.type == "nlb" and zone in balancer.zones:
                serving = zones_in_service(balancer, state, self.health.states())
                index = balancer.zones.index(zone)
                return (self._book.address(balancer.arn, index),) if index in serving else ()
        return ()

    def balancer_of(self, address: str) -> LoadBalancer | None:
        """The balancer that has an address."""
        arn = self._book.balancer_of(address)
        return next((balancer for balancer in self.state.balancers if balancer.arn == arn), None)

    async def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve the Envoys and follow ELBv2 until cancelled. `ready` is called when Envoys may be started."""
        async with self.server, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish_changes())
            ready()
            try:
                await self._follow()
            finally:
                await self.health.close()

    async def _follow(self) -> None:
        seen = (-1, -1)
        while True:
            now = self._revisions()
            if now != seen or self._is_provisioning():
                self._seen = await asyncio.to_thread(self._read)
                self.state = self._seen[0]
                self.health.follow(self.state)
                self._stale.set()
            seen = now
            await asyncio.to_thread(self._changes.wait, "elbv2", now[0], LOOK_AGAIN)

    async def _publish_changes(self) -> None:
        while True:
            await self._stale.wait()
            self._stale.clear()
            state, certificates = self._seen
            over, self._over = self._over, []
            await self._publish(state, certificates)
            await self._end_flows(state, over)
            self._serving = state  # only now do its listeners answer
            self._tell(state)

    def _is_over(self, key: Key, over: Health) -> None:
        self._over.append((key, over))

    async def _end_flows(self, state: State, over: Iterable[tuple[Key, Health]]) -> None:
        """Cut what flows to targets whose time is over; Envoy sends nothing new there any more."""
        for (arn, target), why in over:
            group = state.groups.get(arn)
            if group is None:
                continue
            for ending in endings(group, target, why, state, self.health.states(), self._resolve):
                balancer = ending.balancer
                nodes = [self._book.address(balancer.arn, zone) for zone in range(len(balancer.zones))]
                try:
                    await asyncio.to_thread(self.cut, balancer.type, nodes, ending.targets)
                except Missing as error:
                    self._journal.write(
                        Log(time=self._clock.wall(), component=f"{balancer.type}-envoy", level="error",
                            message="connections are not cut", line=str(error))
                    )  # fmt: skip

    def _revisions(self) -> tuple[int, int]:
        return self._changes.revision("elbv2"), self._changes.revision("acm")

    def _is_provisioning(self) -> bool:
        return any(balancer.state == "provisioning" for balancer in self.state.balancers)

    async def _publish(self, state: State, certificates: Mapping[str, Certificate]) -> None:
        names = _server_names(state, certificates)
        logs = str(self._logs / ALB_LOG), str(self._logs / NLB_LOG)
        run = Surroundings(self._network, self._clock, logs[0], names, logs[1])
        sources = Sources(self._book.address, self._resolve, certificates, run)
        await asyncio.gather(
            *(
                self.server.nodes[kind].publish(resources(kind, state, self.health.states(), sources))
                for kind in KINDS
            )
        )

    def _read(self) -> tuple[State, Mapping[str, Certificate]]:
        state = elbv2_state.read(self._elbv2)
        arns = {
            arn for balancer in state.balancers for item in balancer.listeners for arn in item.certificates
        }
        certificates = {}
        for arn in sorted(arns):
            with contextlib.suppress(KeyError):  # a listener may name what ACM has not: then it stays closed
                certificates[arn] = Certificate(*self._certificates.get(arn))
        return state, certificates

    def _addresses(self, balancer: LoadBalancer, state: State) -> tuple[str, ...]:
        zones = zones_in_service(balancer, state, self.health.states())
        return tuple(self._book.address(balancer.arn, zone) for zone in zones)

    def _tell(self, state: State) -> None:
        """Journal the balancers that changed; one that is gone is told once, as deleted."""
        now = {balancer.arn: self._event(balancer, state) for balancer in state.balancers}
        for arn, event in now.items():
            if _facts(self._told.get(arn)) != _facts(event):
                self._journal.write(event)
        for arn in self._told.keys() - now.keys():
            last = self._told[arn]
            self._journal.write(
                Balancer(time=self._clock.wall(), name=last.name, type=last.type, dns_name=last.dns_name,
                         state="deleted", addresses=())
            )  # fmt: skip
        self._told = now

    def _event(self, balancer: LoadBalancer, state: State) -> Balancer:
        addresses = self._addresses(balancer, state)
        inside = tuple(self._network.inside(address) for address in addresses)
        return Balancer(
            time=self._clock.wall(),
            name=balancer.name,
            type=balancer.type,
            dns_name=balancer.dns_name,
            state=balancer.state,
            addresses=addresses,
            peers=() if inside == addresses else inside,
        )

    def _refused(self, node: str, kind: str, reason: str) -> None:
        self._journal.write(
            Log(time=self._clock.wall(), component=f"{node}-envoy", level="error",
                message=f"Envoy refuses a {kind}", line=reason)
        )  # fmt: skip


def _facts(event: Balancer | None) -> object:
    return event and (event.state, event.addresses, event.dns_name)


def _server_names(state: State, certificates: Mapping[str, Certificate]) -> dict[str, Sequence[str]]:
    """The names of the certificates beyond the default ones; parsing is left out where there are none."""
    further: Iterable[str] = {
        arn for balancer in state.balancers for item in balancer.listeners for arn in item.certificates[1:]
    }
    return {arn: server_names(certificates[arn].chain) for arn in further if arn in certificates}


def server_names(chain: bytes) -> Sequence[str]:
    """The server names of a certificate (PEM): its alternative names, else its common name, if it has one."""
    from cryptography import x509  # slow to import, rarely needed

    certificate = x509.load_pem_x509_certificate(chain)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return [str(name.value) for name in common]
    return names.value.get_values_for_type(x509.DNSName)
