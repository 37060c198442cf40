"""A user's binary of a controller: which controller it is, and which release.

It says so itself (`--version`); a binary of `go install`, which says `unknown`, has its module in the build
information that every Go program carries (source: Go, `debug/buildinfo`).
"""

from __future__ import annotations

import mmap
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.errors import BadInput
from testbed.real_controllers.confinement import clean_environment
from testbed.real_controllers.forked_processes import MARK, end_marked, own_processes
from testbed.real_controllers.installed import UNKNOWN
from testbed.real_controllers.network_namespace import LastingThread
from testbed.settings import PATIENCE

_MAGIC = b"\xff Go buildinf:"
_HEADER = 32
_INLINE = 2
"""Flag of the build information since Go 1.18: two texts with their lengths follow the header."""
_RELEASE = re.compile(r"v?[0-9]{1,9}(?:\.[0-9]{1,9}){2}(?:[-+][\w.+-]*)?")
_IN_ITS_LOG = re.compile(r'"GitVersion": ?"(v[0-9][^"]*)"')
"""The LB controller knows no `--version`: it logs its version first, then that it does not know the flag."""
_LONGEST_WORDS = 200
_ASKING = "--version"


@dataclass(frozen=True, slots=True)
class Binary:
    """A binary that is the controller that it should be.

    Attributes:
        given: the path as the user wrote it.
        file: the same, absolute.
        release: `v0.21.0`; `UNKNOWN` if neither it nor its build tells.
    """

    given: str
    file: Path
    release: str


def identify(given: str, name: str, module: str) -> Binary:
    """Find out which release of a controller a file is. It is run once, where it can reach nothing.

    Args:
        given: the path.
        name: of the controller, for people.
        module: its Go module, without the suffix of a major version.

    Raises:
        BadInput: it cannot be run, or is another program.
    """
    file = Path(given).expanduser().absolute()
    if not file.is_file():
        raise BadInput(f"{given} is not a file", do=f"name a binary of {name}, or a release")
    if not os.access(file, os.X_OK):
        raise BadInput(f"{given} cannot be executed", do=f"chmod +x {given}")
    built_from, built = go_module(file)
    if built_from and built_from.removesuffix(_major(built_from)) != module:
        raise BadInput(f"{given} is no {name}: it is built from {built_from}")
    said = words_of(given, name)
    # Without a module to tell it by, only what controllers print will do: the release alone, or in their log.
    logged = _IN_ITS_LOG.search(said)
    told = logged[1] if logged else said.strip()
    found = _RELEASE.search(told) if built_from else _RELEASE.fullmatch(told)
    if found:
        release = found[0]
    elif _RELEASE.fullmatch(built):
        release = built
    elif built_from:
        release = UNKNOWN
    else:
        words = " ".join(said.split())[:_LONGEST_WORDS] or "nothing"
        raise BadInput(f"{given} is no {name}: to {_ASKING} it says {words!r}")
    return Binary(given, file, release if release[0] in f"v{UNKNOWN}" else f"v{release}")


def go_module(file: Path) -> tuple[str, str]:
    """Return the main module of a Go program and its version; two empty texts if there is none."""
    try:
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            at = content.find(_MAGIC)
            # The linker aligns it; other finds are the same bytes in the code of a program that reads it.
            while at >= 0 and (at % 16 or not content[at + 15] & _INLINE):
                at = content.find(_MAGIC, at + 1)
            if at < 0:
                return "", ""
            _, rest = _text(content, at + _HEADER)
            information, _ = _text(content, rest)
    except (OSError, ValueError, IndexError):
        return "", ""
    for line in information.decode(errors="replace").splitlines():
        words = line.split("\t")
        if words[0].endswith("mod") and len(words) > 2:
            return words[1], words[2]
    return "", ""


def _text(content: mmap.mmap, at: int) -> tuple[bytes, int]:
    """A text with its length before it, as a varint; and where it ends."""
    length = shift = 0
    while True:
        byte = content[at]
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return content[at : at + length], at + length


def _major(module: str) -> str:
    found = re.search(r"/v[0-9]+$", module)
    return found[0] if found else ""


def words_of(given: str, name: str) -> str:
    """Return what a file prints to the argument for its version, on either stream.

    Raises:
        BadInput: it cannot be run, or does not end.
    """
    file = Path(given).expanduser().absolute()
    thread, is_confined = _thread()
    arguments = (*own_processes(confined=is_confined), str(file), _ASKING)
    try:
        with tempfile.TemporaryDirectory(prefix="testbed-") as home:
            return thread.run(lambda: _output(arguments, Path(home)))
    except subprocess.TimeoutExpired:
        raise BadInput(
            f"{given} is no {name}: {_ASKING} did not end within {PATIENCE.api_call:g} s"
        ) from None
    except OSError as error:
        raise BadInput(
            f"{given} cannot be executed: {error.strerror}", do=f"name a binary of {name}"
        ) from None
    finally:
        thread.close()


def _thread() -> tuple[LastingThread, bool]:
    try:
        return LastingThread(confined=True), True
    except OSError:
        return LastingThread(confined=False), False


def _output(arguments: Sequence[str], home: Path) -> str:
    variables = clean_environment(home)
    output = home / "output"
    try:
        # A file, not a pipe: a child that it leaves behind would hold a pipe open.
        with output.open("wb") as written:
            subprocess.run(
                arguments,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE.api_call,
                check=False,
            )
    finally:
        end_marked(variables[MARK])
    return output.read_text(errors="replace")
