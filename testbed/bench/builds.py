"""Builds of the testbed that the benchmark plays: this one, and one of another revision."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from testbed.errors import BadInput, Missing

_CHECKOUT = Path(__file__).resolve().parents[2]
_LAST_WORDS = 300


@dataclass(frozen=True, slots=True)
class Build:
    """A checkout with an environment of its own.

    Attributes:
        name: as the table calls it.
        python: the interpreter of its environment.
        root: its top level.
    """

    name: str
    python: Path
    root: Path

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of a `testbed` command of this build."""
        return [str(self.python), "-m", "testbed", *arguments]

    def environment(self) -> dict[str, str]:
        """Return the environment of its processes.

        PYTHONDONTWRITEBYTECODE is left out, so that modules stay compiled as they are for users.
        """
        return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


THIS = Build("this build", Path(sys.executable), _CHECKOUT)


def cache() -> Path:
    """Return the folder that keeps the builds of other revisions."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "cutover-testbed" / "builds"


def of_revision(revision: str, folder: Path | None = None) -> Build:
    """Check out a revision of this repository beside it and install it; a second call finds it there.

    Args:
        revision: a commit, a tag or a branch.
        folder: where builds are kept; `cache()` by default.

    Raises:
        BadInput: the repository has no such revision.
        Missing: this is no checkout, or the build failed; the message quotes its last words.
    """
    if not (_CHECKOUT / ".git").exists():
        raise Missing("--against needs a checkout with its history; this is an installed package")
    try:
        commit = _run("git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except Missing:
        raise BadInput(f"--against {revision}: the repository has no such revision") from None
    root = (folder or cache()) / commit
    python = root / ".venv" / "bin" / "python"
    if not (root / ".venv" / ".installed").exists():
        if not (root / "Makefile").exists():
            root.parent.mkdir(parents=True, exist_ok=True)
            # A clone and no worktree: nothing is written into this repository.
            _run("git", "clone", "--quiet", "--no-checkout", str(_CHECKOUT), str(root))
            _run("git", "-C", str(root), "checkout", "--quiet", "--detach", commit)
        _run("make", "-C", str(root), "--silent", f"PYTHON={sys.executable}", ".venv/.installed")
    return Build(commit[:7], python, root)


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, cwd=_CHECKOUT, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Missing(f"{command[0]}: {error.strerror}") from None
    if done.returncode:
        words = (done.stderr or done.stdout).strip()[-_LAST_WORDS:]
        raise Missing(f"`{' '.join(command)}` ended with status {done.returncode}: {words}")
    return done.stdout.strip()
