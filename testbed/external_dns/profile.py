"""What differs between the versions of ExternalDNS, as fields that are asked where it is decided.

Source of each difference: the release notes of external-dns; `docs/traps.md` shows what they mean.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from testbed.errors import BadInput

ALPHA_PREFIX = "external-dns.alpha.kubernetes.io/"
PREFIX = "external-dns.kubernetes.io/"


@dataclass(frozen=True, slots=True)
class Profile:
    """A version of ExternalDNS.

    Attributes:
        version: its release tag.
        annotation_prefix: default of `--annotation-prefix`; before v0.20 there is no such flag.
        typed: v0.13.5+: the plan works per record type and knows the owner; AAAA beside each alias (v0.16);
            typed TXT names only (v0.18); an A alias's TXT is `a-` (v0.22).
        merges_services: v0.7.5: endpoints of Services of equal name, type and TTL become one.
        replaces_on_type_change: v0.7.5+: a type change is DELETE and CREATE instead of an UPSERT.
        target_annotation_on_services: v0.13.5+.
        start_delay: production seconds from the start to the first sync.
        managed: record types that the plan looks at.
        replaces_txt_wildcard: v0.7.5+: `--txt-wildcard-replacement`.
    """

    version: str
    annotation_prefix: str
    typed: bool
    merges_services: bool
    replaces_on_type_change: bool
    target_annotation_on_services: bool
    start_delay: float
    managed: tuple[str, ...]
    replaces_txt_wildcard: bool = True

    @property
    def release(self) -> tuple[int, ...]:
        """The release as numbers that compare: (0, 7, 4)."""
        return _release(self.version)


@functools.cache
def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.removeprefix("v").split("."))


PROFILES = {
    profile.version: profile
    for profile in (
        Profile("v0.7.4", ALPHA_PREFIX, False, False, False, False, 5.0, ("A", "CNAME"), False),
        Profile("v0.7.5", ALPHA_PREFIX, False, True, True, False, 5.0, ("A", "CNAME", "NS")),
        Profile("v0.22", PREFIX, True, False, True, True, 0.0, ("A", "AAAA", "CNAME")),
    )
}


def emulates(version: str, release: str) -> bool:
    """Whether a profile decides as a release does: v0.22 as all of its patch releases."""
    numbers = PROFILES[version].release
    return _release(release)[: len(numbers)] == numbers


def nearest(release: str) -> str:
    """The newest profile that is no newer than a release, or the oldest."""
    older = [one for one, found in PROFILES.items() if found.release <= _release(release)]
    return older[-1] if older else next(iter(PROFILES))


def next_after(release: str) -> str | None:
    """The oldest profile that is newer than a release."""
    return next((one for one, found in PROFILES.items() if found.release > _release(release)), None)


def profile(version: str) -> Profile:
    """The profile of a version.

    Raises:
        BadInput: no such profile.
    """
    try:
        return PROFILES[version]
    except KeyError:
        raise BadInput(f"no profile for ExternalDNS {version}", do=f"use {', '.join(PROFILES)}") from None
