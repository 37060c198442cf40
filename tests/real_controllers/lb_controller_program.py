"""The stand-in of the LB controller as an executable file, as a person has one."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MARK = "STAND_IN_OF"
"""A variable of the stand-in and of what it forks."""
MODULE = "tests.real_controllers.lb_controller_stand_in"


def stand_in(folder: Path) -> Path:
    """Write the executable file into a folder."""
    path = folder / "aws-load-balancer-controller"
    python = f'{MARK}={folder} exec "{sys.executable}" -m {MODULE} "$@"'
    path.write_text(f'#!/bin/sh\ncd "{ROOT}" && {python}\n')
    path.chmod(0o700)
    return path
