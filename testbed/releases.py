"""Which release of a controller a command plays, and who names it.

The first that names one wins: the option, the environment, `pyproject.toml`; then the Deployment among the
manifests; then the scenario; then it is the newest. A Deployment whose image tells no release (`latest`, a
tag of its own) comes after a scenario that names one.

A name may be short: `v0.22` means the newest patch of v0.22, `v3` the newest v3. What a vendor adds to a tag
(`0.15.1-debian-12-r3`) plays no role. A release newer than the table is played as the newest. One that never
existed is refused where a person names it; where a Deployment has it, the release before it stands in. Every
command says either in the same words.
"""

from __future__ import annotations

import contextlib
import enum
import re
from dataclasses import dataclass

from testbed.dated_releases import EXTERNAL_DNS_RELEASES, LB_CONTROLLER_RELEASES, Release, Releases
from testbed.errors import BadInput

THE_NEWEST = "the newest"
OPEN = "none"
"""The name that leaves the place of a controller to a program that the user starts."""
FLOATING_TAG = "latest"
"""The tag that an image without one has, and that the newest release moves to."""
# ASCII digits only: \d and int() also take those of other scripts. No release needs a number of nine digits.
_NAME = re.compile(r"v?([0-9]{1,9}(?:\.[0-9]{1,9}){0,2})(?:[-+_].*)?")


@dataclass(frozen=True, slots=True)
class Named:
    """A release as somebody names it.

    Attributes:
        tag: `v0.22`, `v0.14.2`, `3.5.0`, `0.15.1-debian-12-r3`, `latest`.
        by: who names it, for people: `--external-dns`, `Deployment dns/external-dns (dns.yaml:12)`.
        binary: a file that is this release, as the user wrote its path; "" for the emulation.
    """

    tag: str
    by: str
    binary: str = ""


class Match(enum.Enum):
    """How the release that is played relates to the name."""

    EXACT = "it is that release, or the newest that the short name means"
    NEWER = "the name is newer than the table: the newest is played"
    OLDER = "the name is older than the table: the oldest is played"
    NEVER = "there never was such a release: the one before it is played"
    UNTOLD = "the name tells no release: the newest is played"


@dataclass(frozen=True, slots=True)
class Choice:
    """The release that a command plays.

    Attributes:
        tag: the release as it is named.
        by: who names it, as `Named.by`; `THE_NEWEST` if the release is not named.
        release: the one that decides; for a binary, the one by which its flags are read.
        binary: the file that decides itself; "" for the emulation.
        is_open: True if nothing is played: the user starts a controller of their own.
    """

    controller: Controller
    tag: str
    by: str
    release: Release
    match: Match = Match.EXACT
    binary: str = ""
    is_open: bool = False

    @property
    def is_named(self) -> bool:
        """True if the release is named; False if it is the newest for want of a name."""
        return self.by != THE_NEWEST

    @property
    def played(self) -> str:
        """The tag of the release that decides."""
        return self.release.tag

    @property
    def is_emulated(self) -> bool:
        """True if what is played decides as the named release does."""
        return self.match is Match.EXACT

    @property
    def note(self) -> str:
        """One clause that says that another release stands in; empty if none does."""
        if self.is_emulated:
            return ""
        does = "reads its flags as those of" if self.binary else "decides as"
        return f"{self.what}; the testbed {does} {self.played}" + ("" if self.binary else " does")

    @property
    def what(self) -> str:
        """Why the named release cannot be played itself; empty if it is."""
        name, releases = f"{self.controller.name} {self.tag}", self.controller.releases
        newest = releases.newest
        if self.match is Match.NEWER:
            return f"{name} is newer than {newest} of {newest.released}, the newest that the testbed knows"
        if self.match is Match.OLDER:
            return f"{name} is older than {releases.oldest}, the oldest that the testbed knows"
        if self.match is Match.NEVER:
            return f"there is no {name}"
        if self.match is Match.UNTOLD:
            return f"{self.tag!r} tells no release of {self.controller.name}"
        return ""

    @property
    def remedy(self) -> str:
        """What to do about another release that stands in."""
        releases, option = self.controller.releases, self.controller.option
        if self.match is Match.NEWER:
            return f"read its release notes since {releases.newest}"
        if self.match is Match.OLDER:
            return f"what is said here is true of {releases.oldest}; name another release with {option}"
        if self.match is Match.NEVER:
            return f"correct the tag: {self.controller.around(self.tag)} exist"
        if self.match is Match.UNTOLD:
            return f"name the release with {option}, or give the image its tag"
        return ""

    @property
    def form(self) -> dict[str, str]:
        """The choice as JSON: what is played, as what it was named, by whom, and the note."""
        return {"release": str(self.release), "named": self.tag, "by": self.by, "note": self.note}

    def __str__(self) -> str:
        """`ExternalDNS v0.22.0 (--external-dns)`, `ExternalDNS v0.21.0, the real one: ./external-dns`."""
        if self.is_open:
            return f"no {self.controller.name}: you start your own ({self.by})"
        if self.binary:
            return f"{self.controller.name} {self.tag}, the real one: {self.binary} ({self.by})"
        return f"{self.controller.name} {self.played} ({self.by})"


@dataclass(frozen=True)
class Controller:
    """A controller with its releases.

    Attributes:
        option: the option that names a release.
        releases: all of them, oldest first.
    """

    name: str
    option: str
    releases: Releases

    @property
    def newest(self) -> str:
        """The tag of the newest release."""
        return self.releases.newest.tag

    @property
    def span(self) -> str:
        """The releases for people: `v0.7.4 to v0.22.0`."""
        return f"{self.releases.oldest} to {self.releases.newest}"

    def choose(
        self,
        option: Named | None,
        *,
        deployed: Named | None = None,
        scenario: Named | None = None,
        otherwise: Named | None = None,
    ) -> Choice:
        """Choose the release that is played; each argument names one, or is None.

        Args:
            option: of the command line, the environment or `pyproject.toml`, whichever wins there.
            deployed: by a Deployment among the manifests.
            scenario: by the scenario that is played.
            otherwise: what is played if nobody names one, before the newest.

        Raises:
            BadInput: a person names a release that does not exist.
        """
        if option and option.tag == OPEN:
            return Choice(self, OPEN, option.by, self.releases.newest, is_open=True)
        if option:
            return self.named(option)
        # Before the scenario: a script says what its author once meant, a Deployment what the cluster runs.
        running = self._matched(deployed) if deployed else None
        if running and (running.match is not Match.UNTOLD or not scenario):
            return running
        by_script = scenario or otherwise
        if by_script:
            return self.named(by_script)
        return Choice(self, self.newest, THE_NEWEST, self.releases.newest)

    def named(self, named: Named) -> Choice:
        """Choose a release that a person names; `latest` is the newest.

        Raises:
            BadInput: there is none of that name, or it is older than the oldest of the table.
        """
        choice = self._matched(named)
        what = f"{named.by}: {named.tag!r} is not a release of {self.name}"
        if named.binary:
            return choice
        if choice.match is Match.UNTOLD and named.tag != FLOATING_TAG:
            raise BadInput(what, do=f"use one of {self.span}")
        if choice.match is Match.OLDER:
            raise BadInput(f"{named.by}: {self.name} {named.tag} is not emulated", do=f"use {self.span}")
        if choice.match is Match.NEVER:
            raise BadInput(
                f"{named.by}: there is no {self.name} {named.tag}", do=f"use {self.around(named.tag)}"
            )
        return choice

    def around(self, tag: str) -> str:
        """The releases before and after a tag that never existed: `v0.13.2 and v0.13.4`."""
        before = self.releases.before(_numbers(tag))
        return f"{before} and {self.releases.after(before)}" if before else str(self.releases.oldest)

    def _matched(self, named: Named) -> Choice:
        numbers = _numbers(named.tag)
        if not numbers:
            return Choice(self, named.tag, named.by, self.releases.newest, Match.UNTOLD, named.binary)
        # Two numbers name a line of releases, of which people mean the newest: v0.7 is v0.7.6.
        with contextlib.suppress(KeyError):
            exact = self.releases.line("v" + ".".join(map(str, numbers)))
            return Choice(self, named.tag, named.by, exact, binary=named.binary)
        before = self.releases.before(numbers)
        if before is None:
            return Choice(self, named.tag, named.by, self.releases.oldest, Match.OLDER, named.binary)
        match = Match.NEWER if before == self.releases.newest else Match.NEVER
        return Choice(self, named.tag, named.by, before, match, named.binary)


def _numbers(tag: str) -> tuple[int, ...]:
    found = _NAME.fullmatch(tag)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


EXTERNAL_DNS = Controller("ExternalDNS", "--external-dns", EXTERNAL_DNS_RELEASES)
LB_CONTROLLER = Controller("AWS Load Balancer Controller", "--lb-controller", LB_CONTROLLER_RELEASES)
