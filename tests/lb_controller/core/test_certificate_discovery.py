from __future__ import annotations

import pytest

from testbed.lb_controller.core.certificate_discovery import name_matches


@pytest.mark.parametrize(
    ("name", "host", "is_match"),
    [
        ("api.example.com", "api.example.com", True),
        ("*.example.com", "api.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "a.b.example.com", False),
        ("api.*.com", "api.example.com", False),
        ("*.example.com", "*.example.com", True),
    ],
)
def test_a_wildcard_stands_for_exactly_the_first_label(name: str, host: str, is_match: bool) -> None:
    assert name_matches(name, host) is is_match
