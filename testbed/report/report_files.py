"""Writes the files of a report: all of them, or none."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from testbed.errors import Missing

HTML = "report.html"
JUNIT = "junit.xml"
SUMMARY = "summary.json"
MARKDOWN = "summary.md"
ALB_LOG = "alb-access.log"
OF_A_RUN = (HTML, JUNIT, SUMMARY, MARKDOWN, ALB_LOG)
"""The files in the folder of a report, beside the journal."""


def write_all(folder: Path, contents: Mapping[str, bytes], option: str = "--report") -> None:
    """Write files into a folder, and create the folder if needed; all files appear whole, or none.

    Args:
        option: the option that names the folder.

    Raises:
        Missing: the disk is full or the folder cannot be written. Files of an earlier run stay.
    """
    temporary: list[tuple[Path, Path]] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            path = folder / name
            # In the same folder: a rename is atomic only within a file system.
            hidden = folder / f".{name}.{os.getpid()}"
            temporary.append((hidden, path))
            hidden.write_bytes(content)
        for hidden, path in temporary:
            hidden.replace(path)
    except OSError as error:
        for hidden, _ in temporary:
            hidden.unlink(missing_ok=True)
        do = "free some space" if error.errno == errno.ENOSPC else f"name another folder with {option}"
        raise Missing(f"{folder} cannot be written: {error.strerror}", do=do) from None
