"""Ctrl-C and SIGTERM: as exceptions while there is something to tidy up, not at all while it is tidied up."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from testbed.errors import Interrupted
from testbed.settings import PATIENCE


class Interrupt(KeyboardInterrupt):
    """What Ctrl-C raises.

    Not KeyboardInterrupt itself: where that one crosses `exec`, by which each dataclass is made, CPython ends
    the process by SIGINT in the end, whatever exit code it has (pythonrun.c, run_eval_code_obj).
    """


def _raise(*_: object) -> None:
    raise Interrupt


@contextmanager
def by_ctrl_c() -> Iterator[None]:
    """Ctrl-C raises `Interrupt`, unless it is ignored, as in the background of a shell.

    An interrupt that comes while Python tidies up (in `__del__`, in the callback of a weak reference) is not
    raised to anybody: it comes again a moment later.
    """
    is_heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    unheard = sys.unraisablehook

    def come_again(unraisable: sys.UnraisableHookArgs) -> None:
        if isinstance(unraisable.exc_value, Interrupt):
            signal.setitimer(signal.ITIMER_REAL, PATIENCE.poll)
        else:
            unheard(unraisable)

    with _signals({signal.SIGALRM: _raise} | ({signal.SIGINT: _raise} if is_heard else {})):
        sys.unraisablehook = come_again
        try:
            yield
        finally:
            sys.unraisablehook = unheard


@contextmanager
def by_sigterm() -> Iterator[None]:
    """SIGTERM, as CI systems send it, ends a run as Ctrl-C does."""
    with _signals({signal.SIGTERM: _raise}):
        yield


@contextmanager
def none() -> Iterator[None]:
    """Neither does anything: a second Ctrl-C must not leave processes behind."""
    with _signals({signal.SIGTERM: signal.SIG_IGN, signal.SIGINT: signal.SIG_IGN}):
        yield


@contextmanager
def told() -> Iterator[None]:
    """An interrupt becomes an error that says so.

    Raises:
        Interrupted: there was one.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("interrupted") from None


@contextmanager
def _signals(handlers: Mapping[signal.Signals, Callable[..., Any] | signal.Handlers]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
