"""Ctrl-C, SIGTERM and SIGHUP: exceptions while the program works, ignored while it cleans up."""

from __future__ import annotations

import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

from testbed.errors import Interrupted
from testbed.settings import PATIENCE


class Interrupt(KeyboardInterrupt):
    """The exception that Ctrl-C raises.

    Not KeyboardInterrupt itself: if that passes through `exec`, which creates every dataclass, CPython ends
    the process by SIGINT, whatever its exit code is (pythonrun.c, run_eval_code_obj).
    """


class _Handler:
    """Raises `Interrupt` at a signal, once if several come together, and not in the middle of an import.

    `timeout -s INT` and other wrappers send the signal to the process and to its group. A second exception
    while the first unwinds `threading.Condition.wait` leaves its lock free, which ends in a RuntimeError.
    """

    def __init__(self) -> None:
        self._raised_at = -math.inf
        self._is_put_off = False

    def __call__(self, _: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if now - self._raised_at > PATIENCE.second_interrupt:
            self._raised_at = now
            # Who presses Ctrl-C again has waited long enough for an import that does not end.
            self._raise(None if self._is_put_off else frame)

    def repeat(self, _: int, frame: FrameType | None) -> None:
        if self._is_put_off:  # else a second Ctrl-C was quicker than the alarm
            self._raise(frame)

    def put_off(self) -> None:
        """Raise it a moment later."""
        self._is_put_off = True
        signal.setitimer(signal.ITIMER_REAL, PATIENCE.interrupt_repeat)

    def _raise(self, frame: FrameType | None) -> None:
        if _is_importing(frame):
            self.put_off()
        else:
            self._is_put_off = False
            raise Interrupt


def _is_importing(frame: FrameType | None) -> bool:
    """True within an `import`: an exception there leaves modules half made, and crashes some C extensions."""
    while frame is not None:
        code = frame.f_code
        if code.co_name == "_find_and_load" and code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


_interrupt = _Handler()


@contextmanager
def by_ctrl_c() -> Iterator[None]:
    """Raise `Interrupt` on Ctrl-C, unless it is ignored, as in the background of a shell.

    An interrupt that arrives while Python imports a module, or runs `__del__` or the callback of a weak
    reference, cannot be raised there. It is repeated a moment later.
    """
    is_enabled = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    default_hook = sys.unraisablehook

    def repeat(unraisable: sys.UnraisableHookArgs) -> None:
        if isinstance(unraisable.exc_value, Interrupt):
            _interrupt.put_off()
        else:
            default_hook(unraisable)

    # The alarm has a handler of its own: `_interrupt` would drop the repeat as a second signal.
    with _signals({signal.SIGALRM: _interrupt.repeat} | ({signal.SIGINT: _interrupt} if is_enabled else {})):
        sys.unraisablehook = repeat
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)  # else a repeat would meet the default, which kills
            sys.unraisablehook = default_hook


@contextmanager
def by_sigterm() -> Iterator[None]:
    """Raise `Interrupt` on SIGTERM, which CI systems send, and on SIGHUP, which a closed terminal sends.

    Each ends a run as Ctrl-C does. Under `nohup` SIGHUP stays ignored.
    """
    hears_hang_up = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    heard = (signal.SIGTERM, signal.SIGHUP) if hears_hang_up else (signal.SIGTERM,)
    with _signals(dict.fromkeys(heard, _interrupt) | {signal.SIGALRM: _interrupt.repeat}):
        yield


@contextmanager
def ignored() -> Iterator[None]:
    """Ignore all three, and a repeat: a second Ctrl-C must not leave processes behind."""
    ignored = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM)
    with _signals(dict.fromkeys(ignored, signal.SIG_IGN)):
        yield


@contextmanager
def as_error() -> Iterator[None]:
    """Turn an interrupt into an error of the testbed.

    Raises:
        Interrupted: an interrupt occurred.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("interrupted") from None


@contextmanager
def _signals(handlers: Mapping[signal.Signals, Callable[..., Any] | signal.Handlers]) -> Iterator[None]:
    # Python sets signal handlers in the main thread only.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
