"""Small scripts that stand for a user's binary."""

from __future__ import annotations

import sys
from pathlib import Path


def script(folder: Path, body: str, name: str = "program") -> Path:
    """Write a script of Python, executable."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{body}\n")
    path.chmod(0o700)
    return path
