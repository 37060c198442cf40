"""A service of the user's own, end to end: its proto, its command as the backend, streams and REST, on a "
"move."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_rehearse import PATIENCE, ROOT, run_testbed

pytestmark = [pytest.mark.stories, pytest.mark.timeout(2 * PATIENCE)]

TRAFFIC = """\
proto = ["measurement.proto"]

[backend]
command = "{python} -m testbed.backend --name {{name}} --address {{address}} --grpc-port {{grpc_port}}"

[[grpc]]
method = "measurement.v1.MeasurementService/GetMeasurement"
share = 20
payload = {{ id = "foot-1" }}

[[grpc]]
method = "measurement.v1.MeasurementService/WatchMeasurements"
payload = {{ id = "foot-1", count = 3, intervalMs = 100 }}

[[grpc]]
method = "measurement.v1.MeasurementService/UploadScans"
payload = {{ id = "foot-1", points = "AAEC" }}

[[grpc]]
method = "measurement.v1.MeasurementService/Calibrate"
payload = {{ id = "foot-1" }}

[[rest]]
request = "GET /measurements/foot-1"
share = 10

[[rest]]
request = "POST /measurements"
json = {{ id = "foot-1" }}
status = 201
share = 3
"""


def scenario(folder: Path) -> Path:
    shutil.copytree(ROOT / "scenarios" / "zozomat" / "manifests", folder / "k8s")
    assert run_testbed("init", str(folder / "k8s")).returncode == 0
    into = folder / "k8s" / "cutover"
    shutil.copy(ROOT / "protos" / "measurement" / "v1" / "measurement.proto", into)
    (into / "traffic.toml").write_text(TRAFFIC.format(python=sys.executable))
    return into


def test_its_methods_and_paths_are_called_through_both_balancers(tmp_path: Path) -> None:
    into, report = scenario(tmp_path), tmp_path / "report"
    done = run_testbed("rehearse", str(into), "--speed", "40", "--rate", "100", "--report", str(report))
    assert done.returncode == 0, done.stdout + done.stderr
    shapes: dict[tuple[str, str], int] = {}
    for line in (report / "journal.ndjson").read_text().splitlines():
        event: dict[str, Any] = json.loads(line)
        if event.get("event") == "request":
            key = event["method"], event["shape"]
            shapes[key] = shapes.get(key, 0) + 1
    service = "/measurement.v1.MeasurementService"
    assert set(shapes) == {
        (f"{service}/GetMeasurement", "unary"),
        (f"{service}/WatchMeasurements", "server_stream"),
        (f"{service}/UploadScans", "client_stream"),
        (f"{service}/Calibrate", "bidi"),
        ("GET /measurements/foot-1", "unary"),
        ("POST /measurements", "unary"),
    }


def test_a_backend_that_does_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    into = scenario(tmp_path)
    text = (into / "traffic.toml").read_text().replace("-m testbed.backend", "-c 'import no_database'")
    (into / "traffic.toml").write_text(text)
    done = run_testbed("rehearse", str(into), "--report", str(tmp_path / "report"))
    assert done.returncode == 3, done.stdout + done.stderr
    assert "backend-0 ended with status 1: " in done.stderr
    assert done.stderr.endswith("No module named 'no_database'\n")


def test_a_proto_that_does_not_compile_is_one_line(tmp_path: Path) -> None:
    into = scenario(tmp_path)
    proto = into / "measurement.proto"
    proto.write_text(proto.read_text().replace("string id", "strin id", 1))
    done = run_testbed("rehearse", str(into), "--report", str(tmp_path / "report"))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "measurement.proto:" in done.stderr
    assert 'the proto does not compile: "strin" is not defined' in done.stderr
