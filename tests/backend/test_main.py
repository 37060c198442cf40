from __future__ import annotations

import http.client
import os
import signal

import pytest


@pytest.mark.parametrize("options", [(), ("--rest-port", "8001"), ("--grpc-port", "50052")])
def test_a_taken_port_is_one_line_and_exit_3(pod, options):
    second = pod.again(*options)
    with second:
        assert second.wait(10) == 3
    assert second.last_words().count("\n") == 0
    assert "cannot be bound" in second.last_words()


def test_sigterm_lets_a_stream_finish(own_pod):
    client = http.client.HTTPConnection(own_pod.address, 8000, timeout=5)
    client.request("GET", "/measurements/a/events?count=3&interval=0.2")
    answer = client.getresponse()
    os.kill(own_pod.process.pid, signal.SIGTERM)
    assert len(answer.read().splitlines()) == 3
    client.close()
    assert own_pod.process.wait(5) == 0
