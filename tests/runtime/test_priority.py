from __future__ import annotations

import os
import threading

from testbed.runtime.priority import GIVES_WAY, give_way


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_a_thread_gives_way_with_those_it_starts_and_others_do_not() -> None:
    before, seen = niceness(), []

    def start_another() -> None:
        give_way()
        seen.append(niceness())
        another = threading.Thread(target=lambda: seen.append(niceness()))
        another.start()
        another.join()

    thread = threading.Thread(target=start_another)
    thread.start()
    thread.join()
    assert seen == [before + GIVES_WAY, before + GIVES_WAY]
    assert niceness() == before


def test_the_nicest_thread_can_still_be_asked() -> None:
    seen = []

    def ask_often() -> None:
        for _ in range(5):
            give_way()
        seen.append(niceness())

    thread = threading.Thread(target=ask_often)
    thread.start()
    thread.join()
    assert seen == [19]
