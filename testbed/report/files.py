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
"""What stands in the folder of a report beside its journal."""


def write_all(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into a folder, which is made if need be; each appears whole, once all are written.

    Raises:
        Missing: the disk is full or the folder cannot be written. Earlier files stay as they were.
    """
    temporary: list[tuple[Path, Path]] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            path = folder / name
            hidden = folder / f".{name}.{os.getpid()}"
            temporary.append((hidden, path))
            hidden.write_bytes(content)
        for hidden, path in temporary:
            hidden.replace(path)
    except OSError as error:
        for hidden, _ in temporary:
            hidden.unlink(missing_ok=True)
        do = "free some space" if error.errno == errno.ENOSPC else "name another folder with --report"
        raise Missing(f"the report cannot be written to {folder}: {error.strerror}", do=do) from None
