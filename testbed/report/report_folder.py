"""The folder of a report: it belongs to one run at a time, and holds nothing of an earlier one.

Two runs that write into one folder end with one journal of both, or each with the journal of the other, and a
verdict on that is on neither.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed.errors import Missing
from testbed.report.report_files import OF_A_RUN
from testbed.runtime.running import JOURNAL

_DO = "name another folder with --report"


@contextmanager
def held(folder: Path) -> Iterator[Path]:
    """Keep the folder for one run during the block; what an earlier run left in it is removed.

    The lock is the kernel's, so it ends with this process, however that ends.

    Raises:
        Missing: a run that lives has the folder, it cannot be made, or a file of it cannot be removed.
    """
    make(folder)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno == errno.EWOULDBLOCK:
                raise Missing(f"another run writes into {folder}", do=f"wait for its end, or {_DO}") from None
            raise Missing(f"{folder} cannot be locked: {error.strerror}", do=_DO) from None
        for name in (JOURNAL, *OF_A_RUN):
            try:
                (folder / name).unlink(missing_ok=True)
            except OSError as error:
                raise Missing(f"{folder / name} cannot be replaced: {error.strerror}") from None
        yield folder
    finally:
        os.close(descriptor)


def make(folder: Path) -> None:
    """Make the folder if it does not exist.

    Raises:
        Missing: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Missing(f"{folder} cannot be made: {error.strerror}", do=_DO) from None
