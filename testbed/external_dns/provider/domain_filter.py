"""The domain filter: the names that `--domain-filter`, `--exclude-domains` and their regexes let through.

Source: external-dns, endpoint/domain_filter.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DomainFilter:
    """Filters names and hosted zones; the empty filter lets all through.

    Attributes:
        include: domains whose names pass; a leading dot leaves out the domain itself.
        exclude: domains whose names do not pass.
        pattern, exclude_pattern: replace both lists, if one of them is set (v0.8+).
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    exclude_pattern: re.Pattern[str] | None = None

    def matches(self, name: str) -> bool:
        """True if a name passes; a final dot and case do not matter."""
        name = _normal(name)
        if self._has_patterns:
            is_excluded = self.exclude_pattern is not None and self.exclude_pattern.search(name)
            return not is_excluded and (self.pattern is None or self.pattern.search(name) is not None)
        return _is_in(self.include, name, default=True) and not _is_in(self.exclude, name, default=False)

    def matches_parent(self, zone: str) -> bool:
        """True if an included domain lies below a zone (`--aws-zone-match-parent`)."""
        zone = _normal(zone)
        if _is_in(self.exclude, zone, default=False):
            return False
        return not self.include or any(
            _normal(one).endswith(f".{zone}") for one in self.include if one[:1] != "."
        )

    @property
    def _has_patterns(self) -> bool:
        return self.pattern is not None or self.exclude_pattern is not None

    def __str__(self) -> str:
        if self._has_patterns:
            flags = {"regex-domain-filter": self.pattern, "regex-domain-exclusion": self.exclude_pattern}
            return " ".join(f"--{name}={one.pattern}" for name, one in flags.items() if one is not None)
        lists = {"domain-filter": self.include, "exclude-domains": self.exclude}
        return " ".join(f"--{name}={','.join(domains)}" for name, domains in lists.items() if domains)


def _is_in(domains: Iterable[str], name: str, *, default: bool) -> bool:
    """True if a name lies in one of the domains; without domains, or at an empty one, the default."""
    known = [_normal(one) for one in domains]
    if not known:
        return default
    for one in known:
        if not one:  # an empty --domain-filter lets everything through, as in the real one
            return default
        if name.endswith(one) if one.startswith(".") else name == one or name.endswith("." + one):
            return True
    return False


def _normal(name: str) -> str:
    return name.strip().removesuffix(".").lower()
