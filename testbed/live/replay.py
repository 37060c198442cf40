"""A finished journal as the frames of a slider: the first frame whole, each later one as a merge patch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from testbed import journal
from testbed.live.frame import Entry, Standing, difference
from testbed.live.scene import Scene
from testbed.live.ticks import Row, UnfitRow, ticks
from testbed.settings import PATIENCE

MOST_FRAMES = 400
"""As many as a slider has room for; a longer run has them farther apart."""
MOST_ENTRIES = 2_000
"""Lines of the log that a report keeps; what comes later is counted."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict in words: the result, its headline, its reasons."""

    standing: Standing
    text: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Replay:
    """What a page needs to show any moment of a run.

    Attributes:
        first: the first frame.
        patches: from each frame to the next.
        entries: the lines of the log; a frame says how many it has.
        entries_left_out: later ones, which are not kept.
    """

    first: dict[str, Any]
    patches: tuple[dict[str, Any], ...]
    entries: tuple[Entry, ...]
    entries_left_out: int = 0

    def as_script(self) -> str:
        """Return it as JSON for a `script` element, which no text of the run can end."""
        return orjson.dumps(self).decode().replace("<", "\\u003c")


def _until_its_end(rows: Iterator[Row]) -> Iterator[Row]:
    """Leave out what a topology logs while it closes: the report of the run is written before."""
    for row in rows:
        yield row
        if row[1] == journal.RunFinished.kind:
            return


def replay(path: Path, judged: Judged | None = None) -> Replay:
    """Read a journal as a replay.

    Args:
        judged: the verdict, which stands in the last frame.

    Raises:
        BadInput: the journal cannot be read, or a line is not an event of this version.
    """
    try:
        divided = ticks(_until_its_end(journal.rows(path)), MOST_FRAMES, PATIENCE.page_update)
    except UnfitRow as error:
        raise journal.not_an_event(path, error.number) from None
    scene, frames = Scene(), list[dict[str, Any]]()
    for index, (wall, tick) in enumerate(divided):
        scene.absorb(tick, wall)
        if judged and index == len(divided) - 1:
            scene.verdict.judged(judged.standing, judged.text, judged.reasons)
        frames.append(scene.frame().plain())
    if not frames:
        return Replay(scene.frame().plain(), (), ())
    patches = tuple(difference(before, after) for before, after in itertools.pairwise(frames))
    kept = tuple(scene.entries[:MOST_ENTRIES])
    return Replay(frames[0], patches, kept, len(scene.entries) - len(kept))
