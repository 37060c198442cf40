"""What is printed cannot steer a terminal or a CI system, and a pipe may lose its reader."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed import printing
from testbed.printing import WIDEST, columns, folded, plain, shown, wrapped

ENDLESS = """
from testbed.printing import echo
for number in range(100_000):
    echo(f"line {number}")
"""


@given(st.text())
def test_no_text_steers_a_terminal_or_commands_a_ci_system(text: str) -> None:
    for line in shown(text).split("\n"):
        assert all(one.isprintable() or one == "\t" for one in line)
        assert not line.strip().startswith("::")
        assert "##[" not in line
    assert plain(text).isprintable()


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("error: a\n  do b\n", "error: a\n  do b\n"),
        ("host: x\n::error::forged", "host: x\n\\::error::forged"),
        ("  ::set-output name=a::b", "  \\::set-output name=a::b"),
        ("##[error]forged", "#\\#[error]forged"),
        ("a\x1b[31mred\x9b1m", "a [31mred 1m"),
        ("turned \u202e round", "turned   round"),
        ("2001:db8::1 and a::b", "2001:db8::1 and a::b"),
    ],
)
def test_text_is_printed_as_it_is_but_for_what_would_be_obeyed(text: str, printed: str) -> None:
    assert shown(text) == printed


def test_a_pipe_that_loses_its_reader_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        assert child.stdout.readline() == "line 0\n"
        child.stdout.close()
        assert child.stderr
        assert (child.stderr.read(), child.wait()) == ("", 0)


@given(st.lists(st.text("ab-.", min_size=1, max_size=150)), st.integers(0, 8))
def test_no_line_is_too_wide_unless_a_word_is_and_no_word_is_broken(words: list[str], indent: int) -> None:
    lines = wrapped(" ".join(words), indent)
    assert " ".join(" ".join(lines).split()) == " ".join(words)
    assert all(len(line) <= WIDEST or len(line.split()) == 1 for line in lines)


@given(st.text("ab-. \n>", max_size=400))
def test_folding_loses_no_word_and_leaves_lines_that_fit_as_they_are(text: str) -> None:
    assert folded(text).split() == text.split()
    if all(len(line) <= WIDEST for line in text.split("\n")):
        assert folded(text) == text


def test_a_line_that_is_too_wide_goes_on_below_its_own_indent() -> None:
    long = " ".join(["word"] * 30)
    first, second = folded(f"  -> {long}").split("\n")
    assert (first[:9], second[:9]) == ("  -> word", "     word")
    assert folded(f"    {long}").split("\n")[1].startswith("      word")


def test_the_last_cell_of_a_table_goes_on_below_its_first_word() -> None:
    first, second = folded(f"   8 + CreateListener   {' '.join(['cell'] * 20)}").split("\n")
    assert second.startswith(" " * first.index("cell") + "cell")


@pytest.mark.parametrize(("wide", "fits"), [(80, 80), (20, 40), (240, 100)])
def test_lines_are_as_wide_as_the_terminal_within_bounds(
    monkeypatch: pytest.MonkeyPatch, wide: int, fits: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(wide))
    assert columns() == WIDEST
    monkeypatch.setattr(printing, "on_terminal", lambda: True)
    assert columns() == fits


def test_colours_are_for_terminals_without_no_color(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written: list[str] = []
    monkeypatch.setattr(printing, "_written", lambda text, **_: written.append(text))
    line = [("a\x1b[2J", {"fg": "red"}), (" b", {})]
    printing.echo_styled([line])
    monkeypatch.setattr(printing, "on_terminal", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    printing.echo_styled([line])
    monkeypatch.setenv("NO_COLOR", "1")
    printing.echo_styled([line])
    assert written == ["a [2J b", "\x1b[31ma [2J\x1b[0m b", "a [2J b"]
