"""What all faults have: a name, the numbers of `docs/faults.md`, and the words of a report."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, TypeVar

from testbed.errors import BadInput


class Reach(Enum):
    """Where a fault strikes. A runtime plays a fault only if it reaches there."""

    PARTS = "processes of the data plane"
    CUT_OFF = "the addresses of a part"
    TARGET_FILTER = "Envoy's fault filter in the targets"
    AWS = "the AWS endpoint"
    DNS = "the DNS server of the hosted zones"
    DEPLOYMENTS = "the Deployments of the controllers"
    ZONES = "the nodes of one zone"
    EDGES = "the connections between parts"
    CERTIFICATES = "the certificates of targets and balancers"
    PODS = "the readiness of the target pods"


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """A fault as a value: its fields are its parameters.

    Attributes:
        name: of its class, e.g. `target-killed`.
        numbers: the faults of `docs/faults.md` that it plays.
        reach: where it strikes.
    """

    name: ClassVar[str]
    numbers: ClassVar[tuple[int, ...]]
    reach: ClassVar[Reach]

    @property
    def text(self) -> str:
        """The fault in one line, for the journal and the report: `target-killed envoy-1`."""
        values = [getattr(self, one.name) for one in dataclasses.fields(self)]
        return " ".join([self.name, *(str(value) for value in values if value != "")])

    @classmethod
    def samples(cls) -> Sequence[InjectedFault]:
        """Return the values of this class that chaos draws from; of one without fields there is one."""
        return [cls()]


AnyFault = TypeVar("AnyFault", bound=type[InjectedFault])
KNOWN: dict[str, type[InjectedFault]] = {}
"""All faults by name."""


def registered(fault: AnyFault) -> AnyFault:
    """Register the class of a fault by its name."""
    KNOWN[fault.name] = fault
    return fault


def check_share(fault: InjectedFault, share: float) -> None:
    """Check the share of what a fault strikes.

    Raises:
        BadInput: it is not above 0 and at most 1.
    """
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
        raise BadInput(f"{fault.name}: {share!r} is not a share", do="write a number above 0, at most 1")


def check_seconds(fault: InjectedFault, seconds: float) -> None:
    """Check the production seconds of a fault.

    Raises:
        BadInput: they are not above 0 and below a day.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 86400:
        raise BadInput(f"{fault.name}: {seconds!r} are not seconds", do="write a number above 0")
