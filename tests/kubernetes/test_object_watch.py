from __future__ import annotations

import threading

from testbed.kubernetes.object_watch import Change, Watch, WatchEvent
from testbed.settings import PATIENCE


def event(kind: str, revision: int) -> WatchEvent:
    return WatchEvent(Change.ADDED, {"kind": kind}, revision)


def watch(*kinds: str, first: tuple[WatchEvent, ...] = ()) -> tuple[Watch, list[str]]:
    """A watch, and what its consumer heard: `wake` and `closed`."""
    heard: list[str] = []
    made = Watch(frozenset(kinds), first, lambda _: heard.append("closed"), lambda: heard.append("wake"))
    return made, heard


def test_events_come_in_the_order_of_their_writes_and_only_those_of_the_kinds() -> None:
    followed, heard = watch("Pod", first=(event("Pod", 1),))
    for revision, kind in enumerate(["Pod", "Service", "Pod"], 2):
        followed.offer(event(kind, revision))
    revisions = [following.revision for _ in range(3) if (following := followed.get(0))]
    assert revisions == [1, 2, 4]
    assert heard == ["wake", "wake"]


def test_without_an_event_there_is_none_after_the_time() -> None:
    followed, _ = watch("Pod")
    assert followed.get(0) is None


def test_closing_wakes_the_consumer() -> None:
    followed, heard = watch("Pod")
    got: list[WatchEvent | None] = []
    thread = threading.Thread(target=lambda: got.append(followed.get(PATIENCE.condition)))
    thread.start()
    followed.close()
    thread.join(PATIENCE.condition)
    assert got == [None]
    assert heard == ["closed"]


def test_a_watch_is_closed_at_the_end_of_its_block() -> None:
    followed, heard = watch("Pod")
    with followed as inside:
        assert inside is followed
        assert heard == []
    assert heard == ["closed"]


def test_the_object_before_does_not_count_for_equality() -> None:
    after = {"kind": "Pod"}
    assert WatchEvent(Change.MODIFIED, after, 1, {"kind": "Pod", "a": 1}) == WatchEvent(
        Change.MODIFIED, after, 1
    )
