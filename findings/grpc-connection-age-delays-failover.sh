#!/usr/bin/env bash
# A maximum connection age of 10 s makes gRPC lose calls for 20 s when a server dies; without any age it loses none.
#
# Seen with: grpcio 1.85.3 (PyPI); grpc-js 1.14.7 and grpc-go 1.85.0 do the same.
# Expected by a good engineer: a short age keeps clients fresh. They look the name up again and again, so they are the
# first to notice that it has moved.
# Why it matters: a look-up is allowed 30 s after the last one at the earliest
# (grpc.dns_min_time_between_resolutions_ms). With an age below 30 s each GOAWAY has used that allowance up, so that a
# channel whose server is gone has no look-up left, and fails until the 30 s are over. A channel without an age looks up
# at once. An age for a move belongs above 30 s.
#
# Output seen (calls each 0.2 s; the name moves 36 s after the channel's start, the old server dies 1 s later):
#   without an age: 0 to 2 failed calls
#   age of 10 s: more than 20 failed calls
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check grpcio==1.85.3
cat >"$folder/age.py" <<'PYTHON'
import os
import sys
import threading
import time
from concurrent import futures

for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]
os.environ["GRPC_DNS_RESOLVER"] = "native"  # the hosts file only
import grpc

hosts = sys.argv[1]  # it is /etc/hosts in here


class Titled(grpc.GenericRpcHandler):
    def __init__(self, title):
        self.title = title

    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self.title)


def serve(title, address, age):
    options = [("grpc.so_reuseport", 0)] + ([("grpc.max_connection_age_ms", 1000 * age)] if age else [])
    server = grpc.server(futures.ThreadPoolExecutor(4), options=options)
    server.add_generic_rpc_handlers((Titled(title),))
    port = server.add_insecure_port(address)
    server.start()
    return server, port


def move(address):
    with open(hosts, "w") as file:
        file.write(f"{address} api.example.test\n")


def call_until(end, port, failed):
    with grpc.insecure_channel(
        f"api.example.test:{port}", options=[("grpc.use_local_subchannel_pool", 1)]
    ) as channel:
        method = channel.unary_unary("/lab.Lab/Who")
        while time.monotonic() < end:
            try:
                method(b"", timeout=5)
            except grpc.RpcError:
                failed.append(time.monotonic())
            time.sleep(0.2)


move("127.0.0.2")
cases = {}
for age in (0, 10):
    old, port = serve(b"old", "127.0.0.2:0", age)
    new, _ = serve(b"new", f"127.0.0.3:{port}", age)
    cases[age] = old, port, [], new
start = time.monotonic()
threads = [
    threading.Thread(target=call_until, args=(start + 70, port, failed)) for _, port, failed, _ in cases.values()
]
for thread in threads:
    thread.start()
time.sleep(36)
move("127.0.0.3")
time.sleep(1)
for old, *_ in cases.values():
    old.stop(None)
for thread in threads:
    thread.join()
without, short = (len(failed) for _, _, failed, _ in cases.values())
print(f"{without} and {short} calls failed", file=sys.stderr)
print("without an age:", "0 to 2 failed calls" if without <= 2 else f"{without} failed calls")
print("age of 10 s:", "more than 20 failed calls" if short > 20 else f"{short} failed calls")
sys.stdout.flush()
os._exit(0)  # not to wait for the servers
PYTHON
# A mount namespace of its own, in which /etc/hosts is a file of this folder.
seen=$(FOLDER=$folder unshare --user --map-root-user --mount bash -euc '
  cp /etc/hosts "$FOLDER/hosts"
  mount --bind "$FOLDER/hosts" /etc/hosts
  exec "$FOLDER/venv/bin/python" "$FOLDER/age.py" /etc/hosts')
echo "$seen"
[ "$seen" = "without an age: 0 to 2 failed calls
age of 10 s: more than 20 failed calls" ]
