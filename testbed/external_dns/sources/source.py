"""A source reads Kubernetes objects of some kinds and makes endpoints of them.

A new source is a module with one class, which `source_table.SOURCES` lists. Flags, the sync loop, its
watches, `testbed dns` and `testbed check` learn of it from there.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

from testbed.dated_releases import Release
from testbed.external_dns.core.endpoint import Endpoint
from testbed.external_dns.core.log_lines import Say, quiet
from testbed.external_dns.core.reasons import Reason
from testbed.external_dns.sources.merging import Absorbed, unheard
from testbed.external_dns.sources.source_options import SourceOptions

Object = Mapping[str, Any]
"""A Kubernetes object as its manifest has it, with its status."""
ObjectsOfKind = Callable[[str], Iterable[Object]]
"""Lists the objects of a kind."""


class SourceError(Exception):
    """The objects cannot be read; the text is the one that ExternalDNS logs."""


def _no_objects(_: str) -> Iterable[Object]:
    return ()


@dataclass(frozen=True, slots=True)
class SourceContext:
    """The surroundings of a source: everything that it reads besides its own objects.

    Attributes:
        release: the version of ExternalDNS.
        options: its flags.
        say: takes log lines.
        others: lists other objects, such as the nodes and pods whose addresses a Service publishes.
        absorbed: gets each endpoint that survives with the one that is merged into it or dropped for it.
    """

    release: Release
    options: SourceOptions
    say: Say = quiet
    others: ObjectsOfKind = _no_objects
    absorbed: Absorbed = unheard


class Source(Protocol):
    """A source of endpoints.

    Attributes:
        name: as `--source` has it: `gateway-httproute`.
        label: as the resource label of a TXT has it: `httproute`.
        since: tag of the first release in which it is emulated; None if it is in the oldest.
        kinds: of the objects that claim names through this source.
        filters: flags of this source alone that leave objects out, and the field of the options for each.
        grants: for each reason why an object may lack a claim, a function that gives it what it lacks.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    since: ClassVar[str | None] = None
    kinds: ClassVar[tuple[str, ...]]
    filters: ClassVar[Mapping[str, str]] = MappingProxyType({})
    grants: ClassVar[Mapping[Reason, Callable[[Object], Object]]] = MappingProxyType({})

    def __init__(self, context: SourceContext) -> None:
        """Open the source for one version and its flags."""

    @abstractmethod
    def endpoints(self, objects: Iterable[Object]) -> list[Endpoint]:
        """Return the endpoints of the objects, merged as this version merges them.

        Raises:
            SourceError: the objects cannot be read.
        """

    @classmethod
    def watched(cls) -> tuple[str, ...]:
        """Return the kinds whose changes cause a sync with `--events`."""
        return cls.kinds

    @classmethod
    def read_versions(cls, release: Release) -> Mapping[str, str]:  # noqa: ARG003 most kinds are always there
        """Return the API version of each kind without which a release ends; {} if it always starts."""
        return {}

    @classmethod
    def hosts_in_spec(cls, item: Object) -> Mapping[str, Sequence[str]]:  # noqa: ARG003 most sources have none
        """Return the hosts in an object's spec by their field; {} if a spec of this kind names no hosts."""
        return {}
