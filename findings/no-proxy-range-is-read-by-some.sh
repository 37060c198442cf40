#!/usr/bin/env bash
# A range of addresses in no_proxy keeps requests and curl from the proxy, and none of urllib, httpx, aiohttp and
# botocore.
#
# Seen with: Python's urllib, requests 2.34.2, httpx 0.28.1, aiohttp 3.14.5, botocore 1.44.5 (PyPI).
# Expected by a good engineer: `no_proxy=127.0.0.0/8` or `10.0.0.0/8` means the same to all clients of one program;
# machines are set up with such lines because curl (7.86 and later), Go and requests obey them.
# Why it matters: a test that calls load balancers at addresses of its own (127.80.0.1) passes with one client and
# asks the company's proxy with the next. Only exact hosts and suffixes of names mean the same everywhere; a test
# that must not leave the machine takes the proxy out of its children's environment.
#
# Output seen (who answered):
#   urllib: proxy
#   requests: server
#   httpx: proxy
#   aiohttp: proxy
#   botocore: proxy
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  requests==2.34.2 httpx==0.28.1 aiohttp==3.14.5 botocore==1.44.5

seen=$("$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import http.server
import os
import threading
import urllib.request

import aiohttp
import botocore.utils
import httpx
import requests


class Named(http.server.BaseHTTPRequestHandler):
    """Answers with the name of its server."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.title)))
        self.end_headers()
        self.wfile.write(self.server.title)

    def log_message(self, *_):
        pass


def port(address, title):
    server = http.server.ThreadingHTTPServer((address, 0), Named)
    server.title = title
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]
os.environ["http_proxy"] = f"http://127.0.0.1:{port('127.0.0.1', b'proxy')}"
os.environ["no_proxy"] = "localhost,127.0.0.0/8"
url = f"http://127.80.0.1:{port('127.80.0.1', b'server')}/"


async def by_aiohttp():
    async with aiohttp.ClientSession(trust_env=True) as session, session.get(url) as response:
        return await response.read()


print("urllib:", urllib.request.urlopen(url).read().decode())
print("requests:", requests.get(url).content.decode())
print("httpx:", httpx.get(url).content.decode())
print("aiohttp:", asyncio.run(by_aiohttp()).decode())
print("botocore:", "proxy" if "http" in botocore.utils.get_environ_proxies(url) else "server")
PYTHON
)
echo "$seen"
[ "$seen" = "urllib: proxy
requests: server
httpx: proxy
aiohttp: proxy
botocore: proxy" ]
