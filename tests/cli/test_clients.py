"""`testbed clients` as a person uses it."""

from __future__ import annotations

import json

import pytest

from testbed.cli.clients import clients
from testbed.client_models import MODELS
from tests.cli.runs import run


def test_the_table_is_printed_for_a_person_a_page_and_a_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert clients.name == "clients"
    done = run(capsys, "clients")
    assert (done.code, done.err) == (0, "")
    assert "python-requests" in done.out
    assert [one["name"] for one in json.loads(run(capsys, "clients", "-o", "json").out)] == list(MODELS)
    assert run(capsys, "clients", "-o", "markdown").out.startswith("| client | looks up |")
