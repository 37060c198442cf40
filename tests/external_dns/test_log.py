"""Lines read as logrus writes them."""

from __future__ import annotations

from testbed.external_dns.log import LogLine


def test_a_line_has_time_level_message_and_sorted_fields() -> None:
    line = LogLine("info", 'say "hi"', {"zoneName": "example.com.", "profile": "a b"})
    assert line.text("2020-01-01T00:00:00Z") == (
        'time="2020-01-01T00:00:00Z" level=info msg="say \\"hi\\"" profile="a b" zoneName=example.com.'
    )


def test_a_line_in_json_has_sorted_keys_and_escapes_as_go_does() -> None:
    line = LogLine("warning", 'a <b> & "c" \u00e9', {"zoneID": "Z", "profile": "default"})
    assert line.written("2020-01-01T00:00:00Z", "json") == (
        '{"level":"warning","msg":"a \\u003cb\\u003e \\u0026 \\"c\\" \u00e9","profile":"default",'
        '"time":"2020-01-01T00:00:00Z","zoneID":"Z"}'
    )
    assert line.written("2020-01-01T00:00:00Z", "text") == line.text("2020-01-01T00:00:00Z")
