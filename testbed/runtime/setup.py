"""What a topology is set up for, whatever it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setup:
    """What a topology is set up for.

    Attributes:
        host: the name that the clients call.
        zone: the hosted zone.
        external_dns_version, external_dns_flags: which ExternalDNS, with which `args:`.
        connection_age: maximum age of a connection at the targets' TLS listener, production seconds.
        seed: of everything random.
    """

    host: str
    zone: str
    external_dns_version: str
    external_dns_flags: Sequence[str]
    connection_age: float | None
    seed: int
