"""Keeps the Envoys of the balancers equal to the state of the ELBv2 API.

```
ChangeFeed ──► read ELBv2 ──► resources (pure) ──► ADS ──► Envoy "nlb", Envoy "alb"
                    │              ▲
                    └─► health checks (states)
```
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from testbed import ipv6_loopback
from testbed.balancer_identity import BalancerIdentity
from testbed.clock import Clock
from testbed.errors import Missing
from testbed.journal import Balancer, Journal, LeftOut, Log
from testbed.load_balancers import elbv2_state
from testbed.load_balancers.balancer_addresses import AddressBook
from testbed.load_balancers.connection_termination import endings
from testbed.load_balancers.elbv2_state import Elbv2State, LoadBalancer, Target
from testbed.load_balancers.eligible_targets import Address, NodeHealth, Resolve, nowhere, unknown
from testbed.load_balancers.envoy_listeners import ListenerInputs
from testbed.load_balancers.envoy_resources import Certificate, Sources, resources, zones_in_service
from testbed.load_balancers.health_checks import HealthChecks, Key
from testbed.load_balancers.target_health_state import HealthState
from testbed.load_balancers.xds_server import AdsServer
from testbed.network import BALANCER_TYPES, XDS_PORT, BalancerType, Network

ALB_LOG, NLB_LOG = "alb-access.json", "nlb-flows.json"
"""Logs of the Envoys in the run's folder."""
NO_IPV6 = "it is dualstack, and this runtime or machine has no ::1: its IPv6 clients are not played"
LOOK_AGAIN = 0.25
"""Wall seconds without a change of ELBv2 until it is looked whether a balancer is provisioned now."""

Cut = Callable[[BalancerType, Collection[str], Collection[Address]], int]
"""(type, addresses of nodes, addresses of targets) → number of connections that were reset."""


class Changes(Protocol):
    """Reports changes of an AWS service; see `testbed.aws.change_feed`."""

    def revision(self, service: str) -> int:
        """Return a number that grows with each change."""

    def wait(self, service: str, since: int, wall_seconds: float) -> int:
        """Wait until the revision is beyond `since`, and return it."""


class Certificates(Protocol):
    """Certificates of ACM by their ARN."""

    def get(self, arn: str) -> tuple[bytes, bytes]:
        """Return chain and key as PEM.

        Raises:
            KeyError: there is no such certificate.
        """


class Fleet:
    """All load balancers of a run. Its coroutine `run` must run in the servers' loop.

    Thread-safe: `addresses`, `balancer_of`, `balancer_named`, `identities` and `state`.

    Args:
        elbv2, front: clients of ELBv2, as `elbv2_state.read` wants them.
        ipv6_ports: where the ports of `::1` are written; None if the nodes have no IPv6 here.

    Attributes:
        cut: resets connections from nodes to targets; by default it does nothing.
    """

    def __init__(
        self,
        *,
        elbv2: Any,
        front: Any,
        changes: Changes,
        certificates: Certificates,
        network: Network,
        clock: Clock,
        journal: Journal,
        folder: Path,
        resolve: Resolve = nowhere,
        node_health: NodeHealth = unknown,
        ipv6_ports: ipv6_loopback.NodePorts | None = None,
    ) -> None:
        self.cut: Cut = lambda _kind, _nodes, _targets: 0
        self.state = Elbv2State()
        self._serving = self.state
        self._elbv2, self._front = elbv2, front
        self._changes, self._certificates = changes, certificates
        self._network, self._clock, self._journal = network, clock, journal
        self._logs = folder.resolve()
        self._resolve = resolve
        self._book = AddressBook(network)
        self._ipv6_ports = ipv6_ports
        self._without_ipv6: set[str] = set()
        self._had: dict[str, LoadBalancer] = {}
        self._written: dict[str, Balancer] = {}
        self._unmodelled: Mapping[str, str] = {}
        self._failed: Mapping[str, str] = {}
        self._seen: tuple[Elbv2State, Mapping[str, Certificate]] = (self.state, {})
        self._stale = asyncio.Event()
        self._over: list[tuple[Key, HealthState]] = []
        self._left_out: list[tuple[BalancerType, str]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self.health = HealthChecks(
            clock, resolve, self._stale.set, self._is_over, node_health, self._unchecked
        )
        self.server = AdsServer(network.control, XDS_PORT, BALANCER_TYPES, self._refused)

    @property
    def has_ipv6(self) -> bool:
        """True if the nodes of dualstack balancers have IPv6 addresses here."""
        return self._ipv6_ports is not None

    def addresses(self, dns_name: str) -> tuple[str, ...]:
        """Return the addresses in service of a balancer, one for each zone; () if there is none.

        They are IPv4 addresses. One that is still provisioned has them, and nothing listens at them.

        `<zone>.` in front of an NLB's name selects that zone alone [NLB guide, "Network Load Balancers"].
        """
        lookup = dns_name.rstrip(".").lower().removeprefix("dualstack.")
        state = self._serving
        for balancer in state.balancers:
            name = balancer.dns_name.lower()
            if lookup == name:
                return self._addresses(balancer, state)
            zone = lookup.removesuffix(f".{name}")
            if balancer.type == "nlb" and zone in balancer.zones:
                serving = self._zones(balancer, state)
                index = balancer.zones.index(zone)
                return (self._book.address(balancer.arn, index),) if index in serving else ()
        return ()

    def addresses_in_dns(self, dns_name: str) -> tuple[str, ...]:
        """Return the addresses of a balancer as DNS answers them: of a dualstack one also those of IPv6."""
        nodes = self.addresses(dns_name)
        owner = self.balancer_of(nodes[0]) if nodes else None
        now = next((one for one in self._serving.balancers if owner and one.arn == owner.arn), None)
        return (*nodes, *self._ipv6(now, nodes)) if now else nodes

    def balancer_of(self, address: str) -> LoadBalancer | None:
        """Return the balancer that has or had an address; None if no balancer had it."""
        arn = self._book.balancer_of(address)
        return self._had.get(arn) if arn else None

    def balancer_named(self, dns_name: str) -> LoadBalancer | None:
        """Return the balancer that has or had a DNS name; None if no balancer had it."""
        return next((one for one in tuple(self._had.values()) if one.dns_name == dns_name), None)

    @property
    def identities(self) -> tuple[BalancerIdentity, ...]:
        """All balancers that there have been, in the order in which they appeared."""
        return tuple(one.identity for one in tuple(self._had.values()))

    def node_ends(self, kind: BalancerType, zone: str) -> tuple[set[str], set[tuple[str, int]]]:
        """Return where the nodes of all balancers of a type are in a zone.

        Args:
            zone: the last letter of its name.

        Returns:
            their addresses, and their ports of `::1`.
        """
        nodes = {
            self._book.address(one.arn, index)
            for one in self.state.balancers
            if one.type == kind
            for index, name in enumerate(one.zones)
            if name.endswith(zone)
        }
        aaaa = set(map(ipv6_loopback.aaaa_of, nodes))
        ports = {port for (node, _), port in self._book.ipv6_ports.items() if node in aaaa}
        return nodes, {(ipv6_loopback.ADDRESS, port) for port in ports}

    @contextlib.contextmanager
    def leaving_out(self, kind: BalancerType, zone: str) -> Iterator[None]:
        """Leave the addresses of a type's nodes in a zone out of DNS while the block lasts, in any thread.

        Args:
            zone: the last letter of its name.
        """
        self._left_out.append((kind, zone))
        self._publish_again()
        try:
            yield
        finally:
            self._left_out.remove((kind, zone))
            self._publish_again()

    def _publish_again(self) -> None:
        if self._loop:
            self._loop.call_soon_threadsafe(self._stale.set)

    async def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve the Envoys and follow ELBv2 until cancelled; call `ready` once Envoys may start."""
        self._loop = asyncio.get_running_loop()
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
            # The revisions are from before the reading, so a change meanwhile is read in the next turn.
            if now != seen or await self._is_provisioned_now():
                # boto3 blocks, and this loop also serves the Envoys and their health checks.
                self._seen = await asyncio.to_thread(self._read)
                self.state = self._seen[0]
                for balancer in self.state.balancers:
                    self._had.setdefault(balancer.arn, balancer)
                self.health.follow(self.state)
                self._stale.set()
            seen = now
            await asyncio.to_thread(self._changes.wait, "elbv2", now[0], LOOK_AGAIN)

    async def _publish_changes(self) -> None:
        while True:
            await self._stale.wait()
            self._stale.clear()
            state, certificates = self._seen
            # Taken before publishing: Envoy opens no connections to these targets only after that.
            over, self._over = self._over, []
            await self._publish(state, certificates)
            await self._end_flows(state, over)
            self._serving = state  # only now do its listeners answer
            self._write_changes(state)

    def _is_over(self, key: Key, over: HealthState) -> None:
        self._over.append((key, over))

    async def _end_flows(self, state: Elbv2State, over: Iterable[tuple[Key, HealthState]]) -> None:
        """Reset connections to targets that have drained or failed; Envoy opens no new ones there."""
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

    async def _is_provisioned_now(self) -> bool:
        """True if a balancer's provisioning has ended: that is no change, it comes with time alone."""
        waiting = {one.arn for one in self.state.balancers if one.is_provisioning}
        if not waiting:
            return False
        # One call, as it is asked often for minutes of production time; reading everything takes dozens.
        states = await asyncio.to_thread(elbv2_state.states, self._front)
        return any(states.get(arn) != "provisioning" for arn in waiting)

    async def _publish(self, state: Elbv2State, certificates: Mapping[str, Certificate]) -> None:
        names = _server_names(state, certificates)
        logs = str(self._logs / ALB_LOG), str(self._logs / NLB_LOG)
        run = ListenerInputs(self._network, self._clock, logs[0], names, logs[1])
        ipv6_port = self._book.ipv6_port if self._ipv6_ports else None
        sources = Sources(self._book.address, self._resolve, certificates, run, ipv6_port)
        wanted = {kind: resources(kind, state, self.health.states(), sources) for kind in BALANCER_TYPES}
        failed = {arn: why for one in wanted.values() for arn, why in one.failed.items()}
        self._unmodelled = self._named(
            "warning", "not modelled, so skipped: {}", state.unmodelled, self._unmodelled
        )
        self._failed = self._named("error", "does not listen: {}", failed, self._failed)
        self._tell_ipv6(state)
        await asyncio.gather(*(self.server.nodes[kind].publish(one) for kind, one in wanted.items()))

    def _tell_ipv6(self, state: Elbv2State) -> None:
        if self._ipv6_ports:
            self._ipv6_ports.write(self._book.ipv6_ports)
            return
        for one in state.balancers:
            if one.is_dualstack and one.arn not in self._without_ipv6:
                self._without_ipv6.add(one.arn)
                owner = one.identity.owner or one.name
                self._journal.write(LeftOut(time=self._clock.wall(), owner=owner, text=NO_IPV6))

    def _read(self) -> tuple[Elbv2State, Mapping[str, Certificate]]:
        state = elbv2_state.read(self._elbv2, self._front)
        arns = {
            arn for balancer in state.balancers for item in balancer.listeners for arn in item.certificates
        }
        certificates = {}
        for arn in sorted(arns):
            with contextlib.suppress(KeyError):  # a listener without its certificate stays closed
                certificates[arn] = Certificate(*self._certificates.get(arn))
        return state, certificates

    def _addresses(self, balancer: LoadBalancer, state: Elbv2State) -> tuple[str, ...]:
        return tuple(self._book.address(balancer.arn, zone) for zone in self._zones(balancer, state))

    def _ipv6(self, balancer: LoadBalancer, nodes: Iterable[str]) -> tuple[str, ...]:
        has_it = balancer.is_dualstack and self._ipv6_ports
        return tuple(ipv6_loopback.aaaa_of(node) for node in nodes) if has_it else ()

    def _zones(self, balancer: LoadBalancer, state: Elbv2State) -> list[int]:
        if balancer.is_provisioning:  # no health check has taken a zone out yet
            return list(range(len(balancer.zones)))
        left_out = [zone for kind, zone in self._left_out if kind == balancer.type]
        return [
            index
            for index in zones_in_service(balancer, state, self.health.states())
            if not any(balancer.zones[index].endswith(zone) for zone in left_out)
        ]

    def _write_changes(self, state: Elbv2State) -> None:
        """Write the balancers that changed to the journal; a deleted balancer is written once."""
        now = {balancer.arn: self._event(balancer, state) for balancer in state.balancers}
        for arn, event in now.items():
            if _facts(self._written.get(arn)) != _facts(event):
                self._journal.write(event)
        for arn in self._written.keys() - now.keys():
            last = self._written[arn]
            self._journal.write(
                replace(last, time=self._clock.wall(), state="deleted", addresses=(), peers=())
            )
        self._written = now

    def _event(self, balancer: LoadBalancer, state: Elbv2State) -> Balancer:
        addresses = self._addresses(balancer, state)
        inside = tuple(self._network.inside(address) for address in addresses)
        ipv6 = self._ipv6(balancer, addresses)
        return Balancer(
            time=self._clock.wall(),
            name=balancer.name,
            type=balancer.type,
            dns_name=balancer.dns_name,
            state=balancer.state,
            addresses=(*addresses, *ipv6),
            # Only on Docker Compose a balancer has another address towards its targets.
            peers=() if inside == addresses else inside,
            scheme=balancer.scheme,
            owner=balancer.identity.owner,
        )

    def _named(
        self, level: str, words: str, now: Mapping[str, str], before: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Write what is wrong with objects of ELBv2, by ARN, to the journal, each thing once; return it."""
        for arn, what in now.items():
            if before.get(arn) != what:
                self._journal.write(
                    Log(time=self._clock.wall(), component="load-balancers", level=level,
                        message=words.format(what), line=arn)
                )  # fmt: skip
        return now

    def _unchecked(self, target: Target, error: BaseException) -> None:
        self._journal.write(
            Log(time=self._clock.wall(), component="load-balancers", level="error",
                message=f"nobody checks the target {target.id}:{target.port} any more",
                line=f"{type(error).__name__}: {error}")
        )  # fmt: skip

    def _refused(self, node: str, kind: str, reason: str) -> None:
        self._journal.write(
            Log(time=self._clock.wall(), component=f"{node}-envoy", level="error",
                message=f"Envoy refuses a {kind}", line=reason)
        )  # fmt: skip


def _facts(event: Balancer | None) -> object:
    return event and (event.state, event.addresses, event.dns_name)


def _server_names(state: Elbv2State, certificates: Mapping[str, Certificate]) -> dict[str, Sequence[str]]:
    """Return the server names of the certificates beyond the default ones, which alone need parsing."""
    further: Iterable[str] = {
        arn for balancer in state.balancers for item in balancer.listeners for arn in item.certificates[1:]
    }
    return {arn: server_names(certificates[arn].chain) for arn in further if arn in certificates}


def server_names(chain: bytes) -> Sequence[str]:
    """Return the server names of a certificate (PEM): its alternative names, else its common name, if any."""
    from cryptography import x509  # slow to import, rarely needed

    certificate = x509.load_pem_x509_certificate(chain)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return [str(name.value) for name in common]
    return names.value.get_values_for_type(x509.DNSName)
