from __future__ import annotations

import http.client
import json
import time

import pytest

from testbed.backend.rest_service import LARGEST_BODY, RestService


@pytest.fixture
def client(pod):
    connection = http.client.HTTPConnection(pod.address, 8000, timeout=5)
    yield connection
    connection.close()


def ask(client, method, path, body=None):
    client.request(method, path, body)
    answer = client.getresponse()
    return answer.status, answer.read()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/healthz", None, 200),
        ("GET", "/measurements/foot-1", None, 200),
        ("GET", "/measurements/foot%201", None, 200),
        ("POST", "/measurements", '{"id": "foot-1"}', 201),
        ("POST", "/scans", "a\nbb\n", 200),
        ("POST", "/measurements", "{", 400),
        ("POST", "/measurements", "[]", 400),
        ("POST", "/measurements", "{}", 400),
        ("GET", "/measurements/foot-1/events?count=x", None, 400),
        ("GET", "/measurements/foot-1/events?count=-1", None, 400),
        ("GET", "/measurements/foot-1/events?interval=nan", None, 400),
        ("GET", "/", None, 404),
        ("GET", "/measurements/a/b", None, 404),
        ("GET", "/measurements", None, 405),
        ("DELETE", "/measurements/foot-1", None, 405),
        ("POST", "/scans", "x" * (LARGEST_BODY + 1), 413),
    ],
)
def test_every_request_has_its_status_and_a_json_body(client, method, path, body, status):
    answered, text = ask(client, method, path, body)
    assert answered == status
    assert isinstance(json.loads(text), dict)


def test_rest_and_grpc_measure_alike(client):
    _, text = ask(client, "GET", "/measurements/foot%201")
    assert json.loads(text)["id"] == "foot 1"
    _, created = ask(client, "POST", "/measurements", '{"id": "foot 1"}')
    assert json.loads(created) == json.loads(text)


def test_an_upload_is_counted(client):
    assert json.loads(ask(client, "POST", "/scans", "a\nbb\n")[1]) == {"scans": 2, "bytes": 3}


def test_events_come_one_by_one(client):
    client.request("GET", "/measurements/foot-1/events?count=2&interval=3600")
    assert json.loads(client.getresponse().readline())["sequence"] == 0


def test_events_come_at_the_interval_asked(client):
    began = time.monotonic()
    _, text = ask(client, "GET", "/measurements/foot-1/events?count=3&interval=0.1")
    assert [json.loads(line)["sequence"] for line in text.splitlines()] == [0, 1, 2]
    assert time.monotonic() - began >= 0.2


def test_a_connection_is_kept_alive(client):
    ask(client, "GET", "/healthz")
    first = client.sock
    ask(client, "GET", "/nothing")
    assert client.sock is first


def test_requests_behind_a_stream_wait_for_its_end(rest):
    rest.sendall(
        b"GET /measurements/a/events?count=2&interval=0.05 HTTP/1.1\r\nhost: a\r\n\r\n"
        b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"
        b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    )
    data = b""
    while more := rest.recv(1 << 16):
        data += more
    stream, *others = data.split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert stream.endswith(b"0\r\n\r\n")
    assert [other.count(b"SERVING") for other in others] == [1, 1]


def test_a_request_that_is_no_http_is_400_and_closed(rest):
    rest.sendall(b"hello\r\n\r\n")
    assert rest.recv(1 << 16).startswith(b"HTTP/1.1 400 ")
    assert rest.recv(1) == b""


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_any_path_is_answered_in_place_of_an_unknown_service(method):
    service = RestService("pod-0", any_path=True)
    assert service.answer(method, "/measurements?x=1", b"").status == 200
    assert service.answer("GET", "/healthz", b"").body == {"status": "SERVING"}
