"""Ctrl-C, SIGTERM and SIGHUP: exceptions while the program works, ignored while it cleans up."""

from __future__ import annotations

import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from testbed.errors import Interrupted
from testbed.settings import PATIENCE


class Interrupt(KeyboardInterrupt):
    """The exception that Ctrl-C raises.

    Not KeyboardInterrupt itself: if that passes through `exec`, which creates every dataclass, CPython ends
    the process by SIGINT, whatever its exit code is (pythonrun.c, run_eval_code_obj).
    """


class _Handler:
    """Raises `Interrupt` at a signal, once if several come together.

    `timeout -s INT` and other wrappers send the signal to the process and to its group. A second exception
    while the first unwinds `threading.Condition.wait` leaves its lock free, which ends in a RuntimeError.
    """

    def __init__(self) -> None:
        self._raised_at = -math.inf

    def __call__(self, *_: object) -> None:
        now = time.monotonic()
        if now - self._raised_at > PATIENCE.second_interrupt:
            self._raised_at = now
            raise Interrupt


def _repeat(*_: object) -> None:
    raise Interrupt


_interrupt = _Handler()


@contextmanager
def by_ctrl_c() -> Iterator[None]:
    """Raise `Interrupt` on Ctrl-C, unless it is ignored, as in the background of a shell.

    An interrupt that arrives while Python runs `__del__` or the callback of a weak reference cannot be raised
    there. It is repeated a moment later.
    """
    is_enabled = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    default_hook = sys.unraisablehook

    def repeat(unraisable: sys.UnraisableHookArgs) -> None:
        if isinstance(unraisable.exc_value, Interrupt):
            signal.setitimer(signal.ITIMER_REAL, PATIENCE.poll)
        else:
            default_hook(unraisable)

    # The alarm has a handler of its own: `_interrupt` would drop the repeat as a second signal.
    with _signals({signal.SIGALRM: _repeat} | ({signal.SIGINT: _interrupt} if is_enabled else {})):
        sys.unraisablehook = repeat
        try:
            yield
        finally:
            sys.unraisablehook = default_hook


@contextmanager
def by_sigterm() -> Iterator[None]:
    """Raise `Interrupt` on SIGTERM, which CI systems send, and on SIGHUP, which a closed terminal sends.

    Each ends a run as Ctrl-C does. Under `nohup` SIGHUP stays ignored.
    """
    hears_hang_up = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    with _signals({signal.SIGTERM: _interrupt} | ({signal.SIGHUP: _interrupt} if hears_hang_up else {})):
        yield


@contextmanager
def ignored() -> Iterator[None]:
    """Ignore all three: a second Ctrl-C must not leave processes behind."""
    with _signals(dict.fromkeys((signal.SIGTERM, signal.SIGINT, signal.SIGHUP), signal.SIG_IGN)):
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
