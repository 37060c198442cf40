"""Builds of other revisions."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from testbed.bench import builds
from testbed.errors import BadInput, Missing


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose Makefile makes an environment, as ours does."""
    root = tmp_path / "repository"
    root.mkdir()
    (root / "Makefile").write_text(
        ".venv/.installed:\n\tmkdir -p .venv/bin\n\techo made >> .venv/log\n\ttouch .venv/.installed\n"
    )
    for command in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "-m", "first"],
    ):
        subprocess.run(["git", *command], cwd=root, check=True)
    monkeypatch.setattr(builds, "_CHECKOUT", root)
    return root


def test_a_revision_is_built_once(repository: Path, tmp_path: Path) -> None:
    first = builds.of_revision("HEAD", tmp_path / "kept")
    again = builds.of_revision("HEAD", tmp_path / "kept")
    assert again == first
    assert (first.root / ".venv" / "log").read_text() == "made\n"
    assert first.command("rehearse")[:3] == [str(first.root / ".venv/bin/python"), "-m", "testbed"]
    assert (repository / ".git/worktrees").exists() is False


@pytest.mark.parametrize("revision", ["nowhere", "--upload-pack=x", "", "HEAD:Makefile"])
def test_a_revision_that_does_not_exist_is_refused(repository: Path, tmp_path: Path, revision: str) -> None:
    with pytest.raises(BadInput, match="the repository has no such revision"):
        builds.of_revision(revision, tmp_path / "kept")


def test_a_build_that_fails_is_quoted(repository: Path, tmp_path: Path) -> None:
    (repository / "Makefile").write_text(".venv/.installed:\n\t@echo no such package >&2; false\n")
    subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qam", "broken"],
        cwd=repository,
        check=True,
    )
    with pytest.raises(Missing, match="no such package"):
        builds.of_revision("HEAD", tmp_path / "kept")


def test_an_installed_package_has_no_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builds, "_CHECKOUT", tmp_path)
    with pytest.raises(Missing, match="checkout"):
        builds.of_revision("HEAD", tmp_path / "kept")
