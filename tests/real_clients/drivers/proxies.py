"""Starts a proxy in front of a URL, by the configuration that its package ships, and calls that through it.

`proxies.py PROXY URL EVERY COUNT`; it prints what `calls.py` prints.
"""

from __future__ import annotations

import http.client
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from calls import TIMEOUT, call_each

PORT = 8081
PATIENCE = 10.0
NGINX = """
user root; daemon off; pid {folder}/pid; error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {url}; }} }}
}}
"""
HAPROXY = """
defaults
  mode http
  timeout connect 5000
  timeout client 50000
  timeout server 50000
frontend front
  bind 127.0.0.1:{port}
  default_backend back
backend back
  http-request set-header host {host}
  server one {host}
"""
COMMANDS = {"nginx": ("nginx", "-c"), "haproxy": ("haproxy", "-q", "-db", "-f")}


def call() -> None:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=TIMEOUT)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise OSError(f"{answer.status} {answer.reason}")
    finally:
        connection.close()


def listens() -> bool:
    """True if the proxy takes connections; no request is sent, so the proxy asks for nothing."""
    return f":{PORT:04X} " in Path("/proc/net/tcp").read_text()


def main(proxy: str, url: str, every: str, count: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config"
        made = {"nginx": NGINX, "haproxy": HAPROXY}[proxy]
        config.write_text(made.format(folder=folder, port=PORT, url=url, host=urlsplit(url).netloc))
        running = subprocess.Popen([*COMMANDS[proxy], str(config)])
        try:
            given_up = time.monotonic() + PATIENCE
            while not listens():
                if running.poll() is not None or time.monotonic() > given_up:
                    raise SystemExit(f"{proxy} does not start")
                time.sleep(0.01)
            call_each(call, float(every), int(count))
        finally:
            running.terminate()
            running.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
