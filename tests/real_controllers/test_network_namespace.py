import os
import socket

import pytest

from testbed.real_controllers.network_namespace import LastingThread

is_root = pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace needs root")


@is_root
def test_a_socket_of_the_namespace_does_not_meet_one_of_the_machine() -> None:
    thread = LastingThread(confined=True)
    with socket.socket() as outside:
        outside.bind(("127.0.0.1", 0))
        outside.listen()
        with pytest.raises(ConnectionRefusedError):
            thread.run(lambda: socket.create_connection(outside.getsockname()))
    thread.close()


@is_root
def test_nothing_but_its_own_loopback_can_be_reached() -> None:
    thread = LastingThread(confined=True)
    with pytest.raises(OSError, match="unreachable"):
        thread.run(lambda: socket.create_connection(("192.0.2.1", 443), timeout=1))
    thread.close()


def test_without_a_namespace_the_thread_is_as_any_other() -> None:
    thread = LastingThread(confined=False)
    with socket.socket() as outside:
        outside.bind(("127.0.0.1", 0))
        outside.listen()
        thread.run(lambda: socket.create_connection(outside.getsockname())).close()
    thread.close()


def test_an_error_of_the_work_is_raised_to_the_caller() -> None:
    thread = LastingThread(confined=False)
    with pytest.raises(ZeroDivisionError):
        thread.run(lambda: 1 / 0)
    thread.close()
