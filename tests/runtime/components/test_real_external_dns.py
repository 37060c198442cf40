"""Small scripts in the place of a real ExternalDNS: what a run makes of what they do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from testbed.clock import Clock
from testbed.errors import BadInput, Missing
from testbed.external_dns.core.log_lines import LogLine
from testbed.network import Network
from testbed.real_controllers import controller_process
from testbed.runtime.components import real_controller
from testbed.runtime.components.confined_controllers import ConfinedControllers
from testbed.runtime.components.real_external_dns import RealExternalDns
from testbed.runtime.upkeep import Upkeep
from testbed.settings import PATIENCE, Patience
from tests.real_controllers.programs import script

PORT = 7979
SERVES = """
import http.server, os, sys, time
begun = 100.0

class Metrics(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        page = f"external_dns_controller_last_reconcile_timestamp_seconds {begun}\\n"
        page += f"external_dns_controller_last_sync_timestamp_seconds {begun + 1}\\n"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *words):
        pass

http.server.HTTPServer.server_bind = http.server.socketserver.TCPServer.server_bind
address, port = sys.argv[-1].rpartition("=")[2].split(":")
server = http.server.HTTPServer((address, int(port)), Metrics)
print('time="2026-11-28T00:00:00Z" level=info msg="All records are already up to date"', flush=True)
"""
FOREVER = "server.serve_forever()"
STOPS_ONCE = """
import pathlib
mark = pathlib.Path(os.environ["HOME"], "has-run")
if mark.exists():
    server.serve_forever()
mark.touch()
server.handle_request()
print('time="2026-11-28T00:00:00Z" level=fatal msg="Failed to do run once"', flush=True)
sys.exit(1)
"""
Make = Callable[[str], RealExternalDns]


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller_process, "PATIENCE", Patience(process_stop=0.3))


@pytest.fixture
def upkeep() -> Iterator[Upkeep]:
    made = Upkeep()
    yield made
    made.close()


@pytest.fixture
def log() -> list[tuple[LogLine, str]]:
    return []


@pytest.fixture
def make(network: Network, upkeep: Upkeep, tmp_path: Path, log: list[tuple[LogLine, str]]) -> Iterator[Make]:
    controllers = ConfinedControllers(network, upkeep.loop(), upkeep, 1)

    def made(body: str) -> RealExternalDns:
        controllers.let_in(PORT)
        address = f"{network.control}:{PORT}"
        real = RealExternalDns(
            "external-dns",
            str(script(tmp_path, body)),
            ["--source=service", f"--metrics-address={address}"],
            home=controllers.home(),
            kubeconfig=lambda: {"kind": "Config"},
            metrics=f"http://{address}/metrics",
            controllers=controllers,
            clock=Clock(60.0),
            log=lambda line, text: log.append((line, text)),
        )
        upkeep.thread("external-dns", real.run, 3 * PATIENCE.process_stop)
        return real

    yield made
    upkeep.close()
    assert left_behind(tmp_path) == []


def left_behind(folder: Path) -> list[str]:
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if str(folder / "program") in words and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(" ".join(words))
    return found


def until(holds: Callable[[], object], upkeep: Upkeep | None = None) -> None:
    deadline = time.monotonic() + PATIENCE.process_start
    while not holds():
        assert time.monotonic() < deadline
        if upkeep:
            upkeep.check()
        threading.Event().wait(PATIENCE.look)


def test_it_has_synced_when_its_metrics_say_so(make: Make, log: list[tuple[LogLine, str]]) -> None:
    real = make(SERVES + FOREVER)
    until(real.has_begun.is_set)
    assert (real.syncs_started, real.syncs_finished) == (1, 1)
    until(lambda: log)  # its log and its metrics come by two ways
    assert log == [
        (
            LogLine("info", "All records are already up to date"),
            'time="2026-11-28T00:00:00Z" level=info msg="All records are already up to date"',
        )
    ]


def test_it_is_started_again_when_it_ends_after_a_sync(make: Make, log: list[tuple[LogLine, str]]) -> None:
    real = make(SERVES + STOPS_ONCE)
    until(lambda: real.syncs_finished == 2 and len(log) == 4)  # its log and its metrics come by two ways
    assert [line.level for line, _ in log] == ["info", "fatal", "warning", "info"]
    assert "the process ended with status 1; the kubelet starts it again" in log[2][1]


def failure(upkeep: Upkeep, kind: type[Exception]) -> str:
    with pytest.raises(kind) as failed:
        until(lambda: False, upkeep)
    assert "\n" not in str(failed.value)
    return str(failed.value)


def test_one_that_exits_at_its_first_flag_ends_the_run_with_its_words(make: Make, upkeep: Upkeep) -> None:
    make("import sys; sys.exit(\"external-dns: error: unknown long flag '--x', try --help\")")
    assert failure(upkeep, Missing).endswith(
        "ended with status 1 before it had synced: external-dns: error: unknown long flag '--x', try --help"
    )


def test_one_that_never_syncs_ends_the_run_with_its_words(
    make: Make, upkeep: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real_controller, "PATIENCE", Patience(first_sync=0.5))
    make("import signal; print('level=info msg=waiting', flush=True); signal.pause()")
    assert failure(upkeep, Missing).endswith("has not synced within 0.5 s: level=info msg=waiting")


def test_one_that_asks_for_another_host_ends_the_run_with_its_words(make: Make, upkeep: Upkeep) -> None:
    make(
        "import signal, urllib.request\n"
        "print('asking', flush=True)\n"
        "try:\n    urllib.request.urlopen('https://api.example.net/')\nexcept OSError as error:\n"
        "    print(error, flush=True)\n"
        "signal.pause()"
    )
    said = failure(upkeep, BadInput)
    assert "asked for api.example.net:443, and a run reaches nothing but itself" in said
    assert "Its last words: asking" in said


def test_one_that_forks_and_stays_ends_the_run_and_leaves_nothing(make: Make, upkeep: Upkeep) -> None:
    make(
        "import os, signal\n"
        "if os.fork() == 0:\n    os.setsid()\n    signal.pause()\n"
        "print('in the background now', flush=True)"
    )
    assert failure(upkeep, Missing).endswith(
        "ended with status 0 before it had synced: in the background now"
    )


def test_what_it_forked_ends_with_it(make: Make) -> None:
    real = make(SERVES + "import signal\nif os.fork() == 0:\n    os.setsid()\n    signal.pause()\n" + FOREVER)
    until(real.has_begun.is_set)
