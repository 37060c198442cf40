from __future__ import annotations

from pathlib import Path

import pytest

from testbed.cli.compare import _Comparison
from testbed.external_dns.offline.reached_sync import outcome
from testbed.report.console import Terminal
from testbed.runtime.components.compared_external_dns import ComparedSync
from tests.cli.runs import run
from tests.real_controllers.programs import script

NOTHING = outcome([], failed=False)
CHANGE = {"Action": "CREATE", "ResourceRecordSet": {"Name": "a.example.com", "Type": "A", "TTL": 60}}
SENT = outcome([((CHANGE,), False)], failed=False)
FAILED = outcome([], failed=True)


def test_without_a_binary_there_is_nothing_to_compare(capsys: pytest.CaptureFixture[str]) -> None:
    for named in ((), ("--external-dns", "v0.21.0")):
        done = run(capsys, "compare", *named)
        assert done.code == 2
        assert "there is nothing to compare with; name a binary: --external-dns ./external-dns" in done.err


def test_another_program_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = script(tmp_path, "print('hello')")
    done = run(capsys, "compare", "--external-dns", str(path))
    assert done.code == 2
    assert "is no ExternalDNS: to --version it says 'hello'" in " ".join(done.err.split())


def test_a_difference_is_exit_code_1_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    result = _Comparison(Terminal())
    result.show(1, ("apply a.yaml",), [ComparedSync(NOTHING, (NOTHING,)), ComparedSync(FAILED, (NOTHING,))])
    assert result.end("ExternalDNS v0.21.0") == 1
    printed = capsys.readouterr().out
    assert "step 1\n  · apply a.yaml\n    = both send nothing\n    ! the real one sends" in printed
    assert printed.endswith("ExternalDNS v0.21.0: 2 syncs, 0 changes to Route 53: 1 difference\n")


def test_no_difference_is_exit_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    result = _Comparison(Terminal())
    result.show(0, ("apply a.yaml",), [ComparedSync(SENT, (NOTHING, SENT))])
    assert result.end("ExternalDNS v0.21.0") == 0
    assert "before the first step" in capsys.readouterr().out


def test_a_story_that_ends_early_or_sends_nothing_is_no_agreement(capsys: pytest.CaptureFixture[str]) -> None:
    early = _Comparison(Terminal())
    early.show(1, (), [ComparedSync(SENT, (SENT,))])
    assert early.end("ExternalDNS v0.21.0", "aws acm") == 4
    assert "The story ended at `aws acm`, which failed" in capsys.readouterr().out
    silent = _Comparison(Terminal())
    silent.show(1, (), [ComparedSync(NOTHING, (NOTHING,))])
    assert silent.end("ExternalDNS v0.21.0") == 4
    assert "Nothing was sent to Route 53" in capsys.readouterr().out
