from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from testbed import journal
from testbed.errors import BadInput
from testbed.journal.field_types import fit

NLB = {"name": "n", "type": "nlb", "dns_name": "d", "state": "active", "addresses": ["10.0.0.1"], "time": 1.5}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("balancer", NLB),
        ("balancer", {}),
        ("step_started", {"time": 1, "number": 1, "title": "t", "why": "w"}),
        ("command", {"status": None, "seconds": 2}),
        ("run", {"clock": {"speed": 60, "epoch": 1.5}, "seed": 2**62}),
        ("dns_change", {"changes": [{"Action": "UPSERT", "ResourceRecordSet": {"TTL": 60}}]}),
        ("request", {"outcome": "an outcome of a later version", "retries": 0}),
        ("access", {"id": None, "status": 0, "duration": 1.5}),
        ("request", {"a_field_of_a_later_version": {}}),
        ("an_event_of_a_later_version", {"time": []}),
    ],
)
def test_fields_of_their_types_fit(kind: str, fields: dict[str, Any]) -> None:
    assert fit(kind, fields)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("balancer", {"type": "clb"}),
        ("balancer", {"addresses": True}),
        ("balancer", {"addresses": ["10.0.0.1", None]}),
        ("step_started", {"number": 1.5}),
        ("step_started", {"number": True}),
        ("step_started", {"title": 3}),
        ("expectation", {"passed": 1}),
        ("run", {"clock": {"speed": "fast"}}),
        ("run", {"host": None}),
        ("dns_change", {"changes": [[]]}),
        ("request", {"time": 1e308}),
        ("request", {"outcome": None}),
        ("access", {"id": 3}),
    ],
)
def test_a_value_of_another_type_does_not_fit(kind: str, fields: dict[str, Any]) -> None:
    assert not fit(kind, fields)


def test_a_journal_with_such_a_line_is_bad_input_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"
    path.write_text(
        '{"event":"threshold","time":1,"text":"a"}\n{"event":"threshold","time":1,"text":["a"]}\n'
    )
    with pytest.raises(BadInput, match=r"journal\.ndjson:2: not an event of a testbed journal"):
        list(journal.read(path))
    path.write_text('{"event":["threshold"],"time":1}\n')
    with pytest.raises(BadInput, match=r"journal\.ndjson:1: not an event of a testbed journal"):
        list(journal.rows(path))
