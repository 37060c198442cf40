"""The faults of certificates: what a TLS listener shows instead of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Literal, get_args

from testbed.errors import BadInput
from testbed.faults.injected_fault import InjectedFault, Reach

Place = Literal["targets", "balancers"]
PLACES: tuple[Place, ...] = get_args(Place)


class Spoilt(Enum):
    """What is wrong with a certificate."""

    EXPIRED = "it has expired"
    ANOTHER_NAME = "it is of another name"


@dataclass(frozen=True, slots=True)
class SpoiltCertificates(InjectedFault):
    """A fault of certificates. New connections see it; those that are open go on.

    Attributes:
        at: whose certificates.
        how: what is wrong with them.

    Raises:
        BadInput: nobody there has certificates.
    """

    reach: ClassVar[Reach] = Reach.CERTIFICATES
    how: ClassVar[Spoilt]
    at: Place = "targets"

    def __post_init__(self) -> None:
        if self.at not in PLACES:
            raise BadInput(f"{self.name}: no certificates at {self.at!r}", do=f"write {' or '.join(PLACES)}")

    @classmethod
    def samples(cls) -> Sequence[SpoiltCertificates]:
        """Return the fault of each place."""
        return [cls(place) for place in PLACES]
