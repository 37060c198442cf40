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


def test_a_model_that_is_named_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    done = run(capsys, "clients", "python-requests", "grpcio")
    assert done.out.startswith(
        "python-requests (Python)\n  speaks http/1.1\n  goes to the new address only when"
    )
    assert "\n\ngrpcio (gRPC)\n" in done.out
    [found] = json.loads(run(capsys, "clients", "libcurl", "-o", "json").out)
    assert found["name"] == "libcurl"
    assert "did you mean grpcio?" in run(capsys, "clients", "grpcxx").err
