"""Lines read as logrus writes them."""

from __future__ import annotations

from testbed.external_dns.log import LogLine


def test_a_line_has_time_level_message_and_sorted_fields() -> None:
    line = LogLine("info", 'say "hi"', {"zoneName": "example.com.", "profile": "a b"})
    assert line.text("2020-01-01T00:00:00Z") == (
        'time="2020-01-01T00:00:00Z" level=info msg="say \\"hi\\"" profile="a b" zoneName=example.com.'
    )
