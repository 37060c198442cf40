"""Changes of a made-up run's events: each makes one thing go wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from testbed import journal
from testbed.journal import Event

Change = Callable[[list[Event]], list[Event]]


def of(kind: type[Event], index: int, **changes: Any) -> Change:
    """Change fields of the event of a kind at an index among its kind."""

    def change(events: list[Event]) -> list[Event]:
        target = [event for event in events if type(event) is kind][index]
        return [dataclasses.replace(event, **changes) if event is target else event for event in events]

    return change


def every(kind: type[Event], **changes: Any) -> Change:
    def change(events: list[Event]) -> list[Event]:
        return [dataclasses.replace(event, **changes) if type(event) is kind else event for event in events]

    return change


def without(kind: type[Event], index: int | None = None) -> Change:
    def change(events: list[Event]) -> list[Event]:
        mine = [event for event in events if type(event) is kind]
        gone = mine if index is None else [mine[index]]
        return [event for event in events if not any(event is one for one in gone)]

    return change


def twice(kind: type[Event], index: int) -> Change:
    def change(events: list[Event]) -> list[Event]:
        return [*events, [event for event in events if type(event) is kind][index]]

    return change


def both(*changes: Change) -> Change:
    def change(events: list[Event]) -> list[Event]:
        for one in changes:
            events = one(events)
        return events

    return change


def added(kind: type[Event], **fields: Any) -> Change:
    def change(events: list[Event]) -> list[Event]:
        return [*events[:2], kind(time=events[1].time, **fields), *events[2:]]

    return change


def until_step(number: int) -> Change:
    """The generator fell silent when a step began, and says nothing of it."""

    def change(events: list[Event]) -> list[Event]:
        begin = start_of(number, events)
        kinds = (journal.Request, journal.Access)
        return settled(
            [event for event in events if not (isinstance(event, kinds) and event.time >= begin - 0.1)]
        )

    return change


def start_of(number: int, events: list[Event]) -> float:
    steps = [event for event in events if isinstance(event, journal.StepStarted)]
    return next(event.time for event in steps if event.number == number)


def settled(events: list[Event]) -> list[Event]:
    """The generator's account of what the ledger holds, and of nothing else."""
    ids = {event.id for event in events if isinstance(event, journal.Request)}
    logged = [event for event in events if not (isinstance(event, journal.Access) and event.id not in ids)]
    served = {event.id for event in logged if isinstance(event, journal.Access)}
    kept = [event for event in logged if not (isinstance(event, journal.Request) and event.id not in served)]
    sent = sum(isinstance(event, journal.Request) for event in kept)
    return every(journal.TrafficStopped, scheduled=sent, sent=sent, finished=sent)(kept)


def from_step(number: int) -> Change:
    """The generator began to send only when a step began."""

    def change(events: list[Event]) -> list[Event]:
        begin = start_of(number, events)
        kinds = (journal.Request, journal.Access)
        kept = [event for event in events if not (isinstance(event, kinds) and event.time < begin + 0.1)]
        return settled(kept)

    return change


def late(seconds: float, share: int) -> Change:
    """Every n-th request starts late."""

    def change(events: list[Event]) -> list[Event]:
        found, number = [], 0
        for event in events:
            if isinstance(event, journal.Request):
                number += 1
                if number % share == 0:
                    event = dataclasses.replace(event, sent=event.sent + seconds, time=event.time + seconds)
            found.append(event)
        return found

    return change


def held(start: float, seconds: float, *, field: str = "peer", value: str = "") -> Change:
    """What was due in an interval was answered at its end: of all, or where a field begins with a value."""

    def change(events: list[Event]) -> list[Event]:
        end = start + seconds

        def is_held(event: Event) -> bool:
            return (
                isinstance(event, journal.Request)
                and event.time >= start
                and event.intended < end
                and str(getattr(event, field)).startswith(value)
            )

        return [
            dataclasses.replace(event, time=max(event.time, end)) if is_held(event) else event
            for event in events
        ]

    return change


def slept(start: float, seconds: float) -> Change:
    """The generator did not run in an interval, and sent at its end what was due."""

    def change(events: list[Event]) -> list[Event]:
        end, found = start + seconds, []
        for event in events:
            if isinstance(event, journal.Request) and start <= event.intended < end:
                took = event.time - event.sent
                event = dataclasses.replace(event, sent=end, time=end + took)
            found.append(event)
        return found

    return change


def nothing_due(start: float, seconds: float) -> Change:
    """The schedule had no request in an interval."""

    def change(events: list[Event]) -> list[Event]:
        gone = {
            event.id
            for event in events
            if isinstance(event, journal.Request) and start <= event.intended < start + seconds
        }
        kinds = (journal.Request, journal.Access)
        return settled([event for event in events if not (isinstance(event, kinds) and event.id in gone)])

    return change


def absent(step: int, percent: int) -> Change:
    """A share of the requests of a step, spread over it, was never scheduled."""

    def change(events: list[Event]) -> list[Event]:
        begin, end = start_of(step, events), start_of(step + 1, events)
        requests = [event for event in events if isinstance(event, journal.Request)]
        due = [event.id for event in requests if begin <= event.intended < end]
        gone = {one for number, one in enumerate(due) if number * percent % 100 < percent}
        kinds = (journal.Request, journal.Access)
        return settled([event for event in events if not (isinstance(event, kinds) and event.id in gone)])

    return change


def absent_everywhere(percent: int) -> Change:
    """A share of all requests, spread over the run, was never scheduled."""

    def change(events: list[Event]) -> list[Event]:
        due = [event.id for event in events if isinstance(event, journal.Request)]
        gone = {one for number, one in enumerate(due) if number * percent % 100 < percent}
        kinds = (journal.Request, journal.Access)
        return settled([event for event in events if not (isinstance(event, kinds) and event.id in gone)])

    return change
