from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from rich.console import Console

from testbed import journal
from testbed.clock import Clock
from testbed.errors import Missing
from testbed.rehearsal.verdict import compute, compute_file
from testbed.report.terminal import Progress, plain, print_verdict
from testbed.runtime.counts import Counts

HOSTILE = "\x1b[2J[red]bold[/red]\r\n\x07 end"


def console(
    width: int, *, terminal: bool = False, encoding: str = "utf-8"
) -> tuple[Console, io.TextIOWrapper]:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    return Console(file=file, width=width, force_terminal=terminal, legacy_windows=False, no_color=True), file


def written(file: io.TextIOWrapper) -> str:
    file.flush()
    buffer = file.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode(file.encoding)


@pytest.mark.parametrize("width", [80, 120])
def test_the_verdict_is_as_expected(
    golden_journal: Path, golden: Callable[[str, str], None], width: int
) -> None:
    out, file = console(width)
    print_verdict(compute_file(golden_journal), out, Path("report/report.html"))
    lines = [line.rstrip() for line in written(file).splitlines()]
    assert max(map(len, lines)) <= width
    golden(f".{width}.txt", "\n".join(lines) + "\n")


def play(made: ModuleType, out: Console) -> Progress:
    story = made.Story(rate=5.0)
    events = [event for event in story.events() if not isinstance(event, journal.Request | journal.Access)]
    served = {"nlb": 1_500, "alb": 2_500}
    clock = Clock(60.0, made.EPOCH)
    progress = Progress(out, clock, lambda: Counts(ok=4_000, failed=3, unknown=1, served=served))
    with progress:
        for event in events:
            progress.hear(event)
    return progress


def test_without_a_terminal_each_thing_is_a_line(made: ModuleType) -> None:
    out, file = console(80)
    play(made, out)
    lines = written(file).splitlines()
    assert "    1:00  step 1: The NLB serves everything" in lines
    assert "   13:06    · annotate service/envoy external-dns.alpha.kubernetes.io/hostname-" in lines
    assert "   13:30    · api.example.com → ALB" in lines
    assert "   13:36    ✓ the A alias points to the ALB" in lines
    assert any(
        "step 6 passed: 4,000 ok, 3 failed, 1 unknown so far (NLB 1,500, ALB 2,500)" in line for line in lines
    )
    assert not any("\x1b" in line for line in lines)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_at_a_terminal_the_picture_fits_its_width(made: ModuleType, width: int) -> None:
    out, file = console(width, terminal=True)
    progress = play(made, out)
    with out.capture() as capture:
        out.print(progress._picture())
    text = capture.get()
    assert "The NLB serves everything"[: width - 20] in text
    assert "4,000" in text
    assert written(file)


def test_a_terminal_without_unicode_gets_ascii(made: ModuleType) -> None:
    out, file = console(80, encoding="ascii")
    play(made, out)
    print_verdict(compute(made.Story(rate=10.0).events()), out)
    assert "step 6 passed" in written(file)


def test_a_generator_that_died_does_not_end_the_picture(made: ModuleType) -> None:
    def counts() -> Counts:
        raise Missing("the generator ended")

    out, file = console(80)
    progress = Progress(out, Clock(1.0), counts)
    progress.hear(journal.StepStarted(time=1, number=1, title="First", why=""))
    progress.hear(journal.StepFinished(time=2, number=1, outcome="failed"))
    out.print(progress._picture())
    assert "step 1 failed: 0 ok" in written(file)


def test_what_the_run_says_cannot_steer_the_terminal(made: ModuleType) -> None:
    out, file = console(120)
    progress = Progress(out, Clock(1.0), Counts)
    progress.hear(journal.StepStarted(time=1, number=1, title=HOSTILE, why=""))
    progress.hear(journal.Action(time=1, step=1, text=HOSTILE))
    events = [*made.Story(rate=10.0).events()]
    events.insert(5, journal.Expectation(time=made.EPOCH, step=1, text=HOSTILE, passed=False, detail=HOSTILE))
    print_verdict(compute(events), out)
    text = written(file)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]bold[/red]" in text


def test_plain_is_one_line_of_printable_text() -> None:
    assert plain("a\tb\nc\x1b[0m é ✓") == "a b c [0m é ✓"
