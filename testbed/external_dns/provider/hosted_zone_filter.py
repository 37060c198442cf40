"""The hosted zones of an account: which ones the flags let through, and which ones get a name's record.

Source: external-dns, provider/aws/aws.go (zones, suitableZones), provider/zone_*_filter.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from testbed.external_dns.provider.domain_filter import DomainFilter


@dataclass(frozen=True, slots=True)
class Zone:
    """A hosted zone: id `/hostedzone/Z…` and name without its dot."""

    id: str
    name: str
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class ZoneFilter:
    """`--domain-filter` and its like, `--zone-id-filter`, `--aws-zone-type`, `-tags`, `-match-parent`.

    Attributes:
        ids: endings of the zones' ids; empty for all.
        kind: `public`, `private` or "" for both.
        tags: `key=value` or `key`; a zone must have all of them.
        parents: a zone around an included domain passes too.
    """

    domains: DomainFilter = field(default_factory=DomainFilter)
    ids: tuple[str, ...] = ()
    kind: str = ""
    tags: tuple[str, ...] = ()
    parents: bool = False

    def takes(self, zone: Zone) -> bool:
        """True if a zone passes all filters except the one by tags."""
        is_of_kind = not self.kind or zone.is_private is (self.kind == "private")
        is_named = not any(self.ids) or zone.id.endswith(self.ids)
        is_parent = self.parents and self.domains.matches_parent(zone.name)
        return is_of_kind and is_named and (is_parent or self.domains.matches(zone.name))

    def takes_tags(self, tags: Mapping[str, str]) -> bool:
        """True if a zone has the tags that the filter asks for."""
        pairs = (tag.partition("=") for tag in self.tags if tag)
        return all(key in tags and (not value or tags[key] == value) for key, _, value in pairs)


def suitable(name: str, zones: Iterable[Zone]) -> list[Zone]:
    """Return the zones that get a name's record: every private zone around it, and the nearest public one.

    Case counts: a name with capitals lies in no zone.
    """
    around = [zone for zone in zones if name == zone.name or name.endswith("." + zone.name)]
    if len(around) < 2:
        return around
    public = [zone for zone in around if not zone.is_private]
    nearest = [max(public, key=lambda zone: len(zone.name))] if public else []
    return [zone for zone in around if zone.is_private] + nearest
