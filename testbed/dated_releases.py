"""Every release of the two controllers with its date, and what a release does as dated facts.

A fact is a member of an enumeration (`core/facts.py` of `external_dns` and of `lb_controller`). Its value
names the release that brought it and the one that took it away. Code asks a release for the fact by name and
never compares version numbers: adding a release is a row here.

Source of the tags and dates: the tags of both repositories. There is no ExternalDNS v0.13.3.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True, eq=False)  # equal values would make one member of two in an enumeration
class Dates:
    """When a fact holds.

    Attributes:
        since: tag of the first release that has it; None if the oldest in the table has it.
        until: tag of the first release without it; None if the newest in the table has it.
        source: where that is written or was seen: an issue, a commit, a recording.
    """

    since: str | None = None
    until: str | None = None
    source: str = ""


class Fact(enum.Enum):
    """Base of a controller's facts. Each value is a `Dates` with tags of that controller."""

    # enum's own hashes the name by a call in Python, and a sync of 10,000 hosts asks a million times.
    __hash__ = object.__hash__

    @property
    def dates(self) -> Dates:
        """When the fact holds."""
        dates: Dates = self.value
        return dates


@dataclass(frozen=True, slots=True, eq=False)  # a table has each release once, and many caches ask for it
class Release:
    """A release of a controller.

    Attributes:
        place: its row in the table, the oldest is 0.
        tag: as in its repository: `v0.14.2`.
        released: the day of the tag.
        table: the table it stands in.
    """

    place: int
    tag: str
    released: date
    table: Releases = field(repr=False, compare=False)
    _known: dict[Fact, bool] = field(default_factory=dict, repr=False, compare=False)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the tag: (0, 14, 2). To find a release by its name, never to compare two."""
        return tuple(int(part) for part in self.tag.removeprefix("v").split("."))

    def has(self, fact: Fact) -> bool:
        """Tell whether a fact holds for this release."""
        try:
            return self._known[fact]
        except KeyError:
            found = self._known[fact] = self.lies_between(fact.dates.since, fact.dates.until)
            return found

    def lies_between(self, since: str | None, until: str | None) -> bool:
        """Tell whether this is the release of a tag or a later one, and older than that of another tag."""
        return (since is None or self.is_since(since)) and (until is None or not self.is_since(until))

    def is_since(self, tag: str) -> bool:
        """Tell whether this is the release of a tag or a later one; the tag stands in the table."""
        return self.table[tag].place <= self.place

    def facts(self, of: type[Fact]) -> frozenset[Fact]:
        """All facts of an enumeration that hold for this release."""
        return frozenset(fact for fact in of if self.has(fact))

    def __str__(self) -> str:
        return self.tag


class Releases(Mapping[str, Release]):
    """The releases of a controller by tag, oldest first."""

    def __init__(self, dates: Mapping[str, str]) -> None:
        self._releases = {
            tag: Release(place, tag, date.fromisoformat(day), self)
            for place, (tag, day) in enumerate(dates.items())
        }

    def __getitem__(self, tag: str) -> Release:
        return self._releases[tag]

    def __iter__(self) -> Iterator[str]:
        return iter(self._releases)

    def __len__(self) -> int:
        return len(self._releases)

    def line(self, name: str) -> Release:
        """Return the newest release whose numbers begin as a name's do: v2.1 is v2.1.3.

        Raises:
            KeyError: there is none.
        """
        found = [one for one in self._releases.values() if f"{one.tag}.".startswith(f"{name}.")]
        if not found:
            raise KeyError(name)
        return found[-1]

    def before(self, numbers: Sequence[int]) -> Release | None:
        """The newest release with smaller numbers, None if there is none."""
        older = [one for one in self._releases.values() if one.numbers < tuple(numbers)]
        return older[-1] if older else None

    def after(self, release: Release) -> Release | None:
        """The next release, None after the newest."""
        return next((one for one in self._releases.values() if one.place == release.place + 1), None)

    @property
    def oldest(self) -> Release:
        """The oldest release."""
        return next(iter(self._releases.values()))

    @property
    def newest(self) -> Release:
        """The newest release."""
        return next(reversed(self._releases.values()))


EXTERNAL_DNS_RELEASES = Releases(
    {
        "v0.7.4": "2020-09-24",
        "v0.7.5": "2020-12-09",
        "v0.7.6": "2021-01-13",
        "v0.8.0": "2021-05-04",
        "v0.9.0": "2021-08-04",
        "v0.10.0": "2021-10-01",
        "v0.10.1": "2021-10-23",
        "v0.10.2": "2021-12-10",
        "v0.11.0": "2022-03-21",
        "v0.11.1": "2022-04-13",
        "v0.12.0": "2022-05-26",
        "v0.12.1": "2022-07-20",
        "v0.12.2": "2022-07-27",
        "v0.13.0": "2022-10-17",
        "v0.13.1": "2022-10-20",
        "v0.13.2": "2023-01-10",
        "v0.13.4": "2023-03-27",
        "v0.13.5": "2023-05-24",
        "v0.13.6": "2023-09-05",
        "v0.14.0": "2023-11-07",
        "v0.14.1": "2024-03-18",
        "v0.14.2": "2024-05-16",
        "v0.15.0": "2024-09-04",
        "v0.15.1": "2024-12-19",
        "v0.16.0": "2025-03-12",
        "v0.16.1": "2025-03-14",
        "v0.17.0": "2025-05-14",
        "v0.18.0": "2025-06-25",
        "v0.19.0": "2025-09-02",
        "v0.20.0": "2025-11-14",
        "v0.21.0": "2026-04-06",
        "v0.22.0": "2026-08-19",
    }
)

LB_CONTROLLER_RELEASES = Releases(
    {
        "v2.1.0": "2020-11-30",
        "v2.1.1": "2021-01-05",
        "v2.1.2": "2021-02-09",
        "v2.1.3": "2021-02-18",
        "v2.2.0": "2021-05-14",
        "v2.2.1": "2021-06-25",
        "v2.2.2": "2021-07-28",
        "v2.2.3": "2021-08-04",
        "v2.2.4": "2021-08-26",
        "v2.3.0": "2021-10-20",
        "v2.3.1": "2021-12-08",
        "v2.4.0": "2022-02-15",
        "v2.4.1": "2022-03-15",
        "v2.4.2": "2022-05-24",
        "v2.4.3": "2022-08-09",
        "v2.4.4": "2022-09-23",
        "v2.4.5": "2022-11-08",
        "v2.4.6": "2023-01-11",
        "v2.4.7": "2023-02-22",
        "v2.5.0": "2023-04-14",
        "v2.5.1": "2023-04-17",
        "v2.5.2": "2023-05-19",
        "v2.5.3": "2023-06-22",
        "v2.5.4": "2023-07-12",
        "v2.6.0": "2023-08-10",
        "v2.6.1": "2023-09-11",
        "v2.6.2": "2023-10-27",
        "v2.7.0": "2024-01-31",
        "v2.7.1": "2024-02-08",
        "v2.7.2": "2024-03-22",
        "v2.8.0": "2024-05-16",
        "v2.8.1": "2024-05-31",
        "v2.8.2": "2024-08-09",
        "v2.8.3": "2024-09-16",
        "v2.9.0": "2024-09-30",
        "v2.9.1": "2024-10-11",
        "v2.9.2": "2024-10-17",
        "v2.10.0": "2024-10-31",
        "v2.10.1": "2024-11-22",
        "v2.11.0": "2024-12-12",
        "v2.12.0": "2025-03-08",
        "v2.13.0": "2025-05-06",
        "v2.13.1": "2025-05-13",
        "v2.13.2": "2025-05-15",
        "v2.13.3": "2025-06-16",
        "v2.13.4": "2025-07-30",
        "v2.14.0": "2025-10-02",
        "v2.14.1": "2025-10-17",
        "v2.15.0": "2025-11-14",
        "v2.16.0": "2025-11-20",
        "v2.17.0": "2025-12-19",
        "v2.17.1": "2026-01-09",
        "v3.0.0": "2026-01-23",
        "v3.1.0": "2026-02-24",
        "v3.2.0": "2026-04-03",
        "v3.2.1": "2026-04-06",
        "v3.2.2": "2026-04-17",
        "v3.3.0": "2026-05-05",
        "v3.4.0": "2026-06-02",
        "v3.4.1": "2026-07-07",
        "v3.4.2": "2026-07-13",
        "v3.4.3": "2026-07-28",
        "v3.5.0": "2026-08-03",
    }
)
