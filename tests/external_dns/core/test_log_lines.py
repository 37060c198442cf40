"""Lines read as logrus writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.external_dns.core.log_lines import LEVELS, LogLine, read


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


LINES = st.builds(
    LogLine,
    st.sampled_from(LEVELS),
    st.text(),
    st.dictionaries(st.from_regex(r"[a-z]{1,8}Z", fullmatch=True), st.text(), max_size=2),
)


@given(LINES, st.sampled_from(("text", "json")))
def test_a_line_is_read_as_it_was_written(line: LogLine, log_format: str) -> None:
    assert read(line.written("2020-01-01T00:00:00Z", log_format)) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("external-dns: error: unknown long flag '--x', try --help", None),
        ("panic: runtime error: index out of range", None),
        ('{"a": 1}', None),
        ("{", None),
        ("level=info", None),
        (
            'E1128 04:03:34.1       1 reflector.go:150] "Failed to watch" err="x"',
            LogLine("error", '"Failed to watch" err="x"'),
        ),
        ("W1128 04:03:34.1   1 a/b.go:1] word", LogLine("warning", "word")),
        (r'level=info msg="\x1b[0m"', LogLine("info", r"\x1b[0m")),
    ],
)
def test_what_others_write_is_a_message_too(text: str, line: LogLine | None) -> None:
    assert read(text) == (line or LogLine("info", text))


@given(st.text())
def test_any_text_is_a_line(text: str) -> None:
    assert read(text).level
