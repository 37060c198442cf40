"""The entry point of `testbed` and of `python -m testbed`: from here on, Ctrl-C ends with 130 in one line.

The command line takes a tenth of a second to import. A KeyboardInterrupt in the middle of it is a traceback
through other people's modules, and where code is executed, CPython itself ends the process by SIGINT.
"""

from __future__ import annotations

import atexit
import os
import signal

from testbed.garbage import collect_seldom

_INTERRUPTED = 130


def _end(*_: object) -> None:
    os.write(2, b"testbed: interrupted\n")
    os._exit(_INTERRUPTED)


def main() -> None:
    """Import the command line, and hand over to it."""
    collect_seldom()
    try:
        # Not where it is ignored, as in the background of a shell.
        is_heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if is_heard:
            signal.signal(signal.SIGINT, _end)
        from testbed.cli import main as run

        if is_heard:  # what `run` looks for: it ends in order, with what it has begun
            signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            run()
        finally:
            # The exit code is decided: nothing may end the process with another one while Python tidies up.
            atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:  # in the few steps between one handler and the next
        _end()


if __name__ == "__main__":
    main()
