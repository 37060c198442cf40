"""The kinds of events, and that each survives the file."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testbed import journal
from testbed.journal import events

JSON_OBJECT = st.dictionaries(st.text(max_size=5), st.integers(-9, 9) | st.text(max_size=5), max_size=2)


def field_values(name: str, hint: Any) -> st.SearchStrategy[Any]:
    if name == "clock" or name == "values":
        return st.dictionaries(st.text(max_size=5), st.floats(0, 1e9), max_size=2)
    if name == "changes":
        return st.lists(JSON_OBJECT, max_size=2).map(tuple)
    if name == "format":
        return st.just(events.FORMAT)
    if hint in (int, int | None):
        return st.integers(-(2**53), 2**53)
    if hint in (float, float | None):
        numbers = st.floats(-1e14, 1e14)  # a larger one is no time, no rate and no age of a run
        return numbers if hint is float else st.none() | numbers
    return st.from_type(hint)


def of_kind(kind: type[events.Event]) -> st.SearchStrategy[events.Event]:
    hints = get_type_hints(kind)
    fields = {field.name: field_values(field.name, hints[field.name]) for field in dataclasses.fields(kind)}
    return st.builds(kind, **(fields | {"time": st.floats(0, 4e9)}))


@pytest.mark.parametrize("kind", events.EVENTS.values(), ids=list(events.EVENTS))
@given(data=st.data())
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_event_is_read_back_as_it_was_written(
    kind: type[events.Event], data: st.DataObject, tmp_path: Path
) -> None:
    event = data.draw(of_kind(kind))
    path = tmp_path / "journal.ndjson"
    path.write_bytes(journal.encode(event))
    (found,) = journal.read(path)
    again = tmp_path / "again.ndjson"
    again.write_bytes(journal.encode(found))
    assert type(found) is kind
    assert again.read_bytes() == path.read_bytes()


def test_every_kind_of_event_has_a_name_of_its_own() -> None:
    kinds = [
        value
        for value in vars(events).values()
        if isinstance(value, type) and issubclass(value, events.Event)
    ]
    assert {kind for kind in kinds if kind is not events.Event} == set(events.EVENTS.values())
    assert all(kind.kind == name for name, kind in events.EVENTS.items())


def test_an_event_cannot_be_changed() -> None:
    stop = events.TrafficStopRequested(time=1.0, step=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        stop.step = 2  # type: ignore[misc]
