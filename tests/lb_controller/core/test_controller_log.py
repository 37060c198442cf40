"""Lines of the real controller's log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.lb_controller.core.controller_log import read


@pytest.mark.parametrize(
    ("line", "level", "message"),
    [
        (
            '{"level":"info","ts":"2026-11-27T19:01:58Z","logger":"controllers.service",'
            '"msg":"creating loadBalancer","stackID":"default/web"}',
            "info",
            "creating loadBalancer",
        ),
        (
            '{"level":"error","ts":"2026-11-27T19:01:58Z","msg":"Reconciler error","controller":"service",'
            '"error":"unable to resolve at least one subnet"}',
            "error",
            "Reconciler error: unable to resolve at least one subnet",
        ),
        ('{"level":"warn","msg":"slow"}', "warning", "slow"),
        ("unknown flag: --nonsense", "info", "unknown flag: --nonsense"),
        ('{"other":1}', "info", '{"other":1}'),
    ],
)
def test_level_and_message_of_a_line(line: str, level: str, message: str) -> None:
    assert read(line) == (level, message)


@given(st.text())
def test_every_line_has_a_message(line: str) -> None:
    level, message = read(line)
    assert level
    assert message or not line
