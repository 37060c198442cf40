"""`testbed doctor`: what is there, what is missing, and whether a rehearsal can run."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.cli import doctor
from tests.cli.runs import run
from tests.real_controllers.programs import script


def test_it_lists_what_a_run_needs_and_what_it_may_use(capsys: pytest.CaptureFixture[str]) -> None:
    done = run(capsys, "doctor")
    assert done.code == 0
    assert done.out.endswith("\nA rehearsal can run here.\n")
    names = {finding.name for finding in doctor.examine()}
    assert {
        "Python",
        "Envoy",
        "shipped files",
        "loopback network",
        "memory",
        "cores",
        "disk",
        *doctor.TOOLS,
        "external-dns",
        "lb-controller",
    } == names
    assert all(name in done.out for name in names)


def test_a_tool_that_is_missing_is_named_with_its_package_and_stops_no_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run(capsys, "doctor")
    assert done.code == 0
    line = next(line for line in done.out.splitlines() if " dig " in line)
    assert line.split() == ["lacks", "dig", "Debian:", "bind9-dnsutils"]


def test_something_required_that_is_missing_is_named_at_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "ENOUGH_DISK", 1 << 60)
    done = run(capsys, "doctor")
    assert done.code == 3
    assert done.out.endswith("\nA rehearsal cannot run here: disk.\n")


def test_a_path_with_brackets_is_printed_as_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "[red]bin[/x]"
    folder.mkdir(parents=True)
    (folder / "dig").write_text("#!/bin/sh\n")
    (folder / "dig").chmod(0o700)
    monkeypatch.setenv("PATH", str(folder))
    assert f"has    dig               {folder}/dig\n" in run(capsys, "doctor").out


def test_a_package_without_its_files_cannot_rehearse(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor.shipped, "_IN_CHECKOUT", tmp_path)
    done = run(capsys, "doctor")
    assert done.code == 3
    assert f"{tmp_path}/envoy" in done.out
    assert done.out.endswith("\nA rehearsal cannot run here: shipped files.\n")


def test_the_binaries_of_real_controllers_are_named_with_their_releases(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, says in (("v0.21.0", "v0.21.0"), ("other", "hello")):
        (tmp_path / "cutover-testbed" / "go" / folder).mkdir(parents=True)
        script(tmp_path / "cutover-testbed" / "go" / folder, f"print('{says}')", "external-dns")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    printed = run(capsys, "doctor").out
    assert "v0.21.0/external-dns, the real v0.21.0\n" in printed
    assert "is no ExternalDNS: to --version it says 'hello'" in printed
    assert "testbed rehearse --lb-controller ./aws-load-balancer-controller" in printed
