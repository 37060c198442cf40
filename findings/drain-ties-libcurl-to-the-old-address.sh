#!/usr/bin/env bash
# A server that drains right after its name has moved keeps libcurl and aiohttp for good, and lets requests go.
#
# Seen with: pycurl 7.49.0 (libcurl 8.23.0), aiohttp 3.14.5, requests 2.34.2 (PyPI), glibc 2.36.
# Expected by a good engineer: the name leads to the new server, so a client whose connection the old one closes connects
# to the new one; that is what a drain is for.
# Why it matters: libcurl keeps an address for 60 s and aiohttp for 10 s, counted from the look-up (PHP for 120 s). A
# drain within that time is answered by a new connection to the old server, without a failed request, and a client that
# is busy never asks again. Drain once the longest of these times has passed since the move, or again and again.
#
# Output seen (who answers before the move, right after the drain, and 20 s later):
#   requests: old new new
#   aiohttp: old old old
#   libcurl: old old old
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  requests==2.34.2 aiohttp==3.14.5 pycurl==7.49.0
cat >"$folder/drain.py" <<'PYTHON'
import asyncio
import io
import os
import socket
import sys
import threading
import time

for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]
import aiohttp
import pycurl
import requests

hosts = sys.argv[1]  # it is /etc/hosts in here
OPEN = {"old": set(), "new": set()}


def serve(title, listener):
    def answer(connection):
        OPEN[title].add(connection)
        try:
            while connection.recv(65536):  # a request of these clients comes in one piece
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + title.encode())
        except OSError:
            pass
        OPEN[title].discard(connection)
        connection.close()

    while True:
        threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()


def move(address):
    with open(hosts, "w") as file:
        file.write(f"{address} api.example.test\n")


old = socket.create_server(("127.0.0.2", 0))
port = old.getsockname()[1]
new = socket.create_server(("127.0.0.3", port))
for title, listener in (("old", old), ("new", new)):
    threading.Thread(target=serve, args=(title, listener), daemon=True).start()
url = f"http://api.example.test:{port}/"
session, handle = requests.Session(), pycurl.Curl()
handle.setopt(pycurl.URL, url)


def by_libcurl():
    body = io.BytesIO()
    handle.setopt(pycurl.WRITEDATA, body)
    handle.perform()
    return body.getvalue().decode()


async def main():
    async with aiohttp.ClientSession() as aio:

        async def by_aiohttp():
            async with aio.get(url) as response:
                return await response.text()

        seen = {"requests": [], "aiohttp": [], "libcurl": []}

        async def look():
            for name, answer in (
                ("requests", session.get(url).text),
                ("aiohttp", await by_aiohttp()),
                ("libcurl", by_libcurl()),
            ):
                seen[name].append(answer)

        move("127.0.0.2")
        await look()
        move("127.0.0.3")
        for connection in list(OPEN["old"]):  # the old server drains once, and goes on serving
            connection.shutdown(socket.SHUT_RDWR)
        await asyncio.sleep(0.5)
        await look()
        until = time.monotonic() + 20
        while time.monotonic() < until:
            await asyncio.sleep(0.2)
            for answers in seen.values():
                del answers[2:]
            await look()
        for name, answers in seen.items():
            print(f"{name}:", *answers)


asyncio.run(main())
PYTHON
# A mount namespace of its own, in which /etc/hosts is a file of this folder.
seen=$(FOLDER=$folder unshare --user --map-root-user --mount bash -euc '
  cp /etc/hosts "$FOLDER/hosts"
  mount --bind "$FOLDER/hosts" /etc/hosts
  exec "$FOLDER/venv/bin/python" "$FOLDER/drain.py" /etc/hosts')
echo "$seen"
[ "$seen" = "requests: old new new
aiohttp: old old old
libcurl: old old old" ]
