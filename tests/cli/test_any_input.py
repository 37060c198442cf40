"""Whatever a stranger's files hold, a command ends in a result or in one clear line, never in a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testbed.options import SETTINGS
from tests.cli.runs import run

FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["", "\\999", "\\052", "a\\", "*", ".", "..", "::", "api.example.com", "x" * 300]),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
)
SETTING_NAMES = st.sampled_from(sorted(name.replace("_", "-") for name in SETTINGS))
TOML = st.one_of(
    st.booleans().map(lambda value: str(value).lower()),
    st.integers(-(2**63), 2**63 - 1).map(str),
    st.sampled_from(["nan", "inf", "-1.5", "1e400", '""', '"x"', "'\\u0000'", "[]", '["p99 < 1"]', "{}",
                     "{a = 1}", "[[1]]", "1979-05-27", "07:32:00"]),
)  # fmt: skip
ZONE: dict[str, Any] = {
    "ResourceRecordSets": [
        {"Name": "example.com.", "Type": "SOA", "TTL": 900, "ResourceRecords": [{"Value": "ns. me. 1 1 1"}]},
        {"Name": "api.example.com.", "Type": "A", "AliasTarget": {
            "DNSName": "nlb.elb.us-east-1.amazonaws.com.", "HostedZoneId": "Z26RNL4JYFTOTI",
            "EvaluateTargetHealth": True}},
        {"Name": "api.example.com.", "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": '"x"'}]},
    ]
}  # fmt: skip
MANIFEST = """
apiVersion: v1
kind: Service
metadata:
  name: envoy
  annotations: {external-dns.kubernetes.io/hostname: api.example.com}
spec:
  type: LoadBalancer
  ports: [{port: 443, targetPort: 8443}]
"""


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        found += places(value, (*path, key))
    return found


def changed(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a copy with another value at a place."""
    copy = json.loads(json.dumps(tree))
    *steps, last = path
    inner = copy
    for step in steps:
        inner = inner[step]
    inner[last] = value
    return copy


def ends_clearly(capsys: pytest.CaptureFixture[str], *arguments: str) -> None:
    done = run(capsys, *arguments)
    assert done.code in (0, 1, 2, 3), done.err
    assert "Traceback" not in done.err, done.err
    if done.code in (2, 3):
        assert done.err.count("\n") == 1, done.err
        assert done.err.startswith("testbed: ")


@FUZZ
@given(st.dictionaries(SETTING_NAMES, TOML, max_size=3))
def test_any_pyproject(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [f"{name} = {value}" for name, value in table.items()]
    (tmp_path / "pyproject.toml").write_text("\n".join(["[tool.testbed]", *lines, ""]))
    # The scenario does not exist, so the command ends before it starts anything, as late as it can.
    ends_clearly(capsys, "rehearse", "absent")


@FUZZ
@given(st.sampled_from(places(ZONE)), TREES)
def test_any_zone_listing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, place: tuple[Any, ...], value: Any
) -> None:
    (tmp_path / "zone.yaml").write_text(yaml.safe_dump(changed(ZONE, place, value)))
    (tmp_path / "manifest.yaml").write_text(MANIFEST)
    files = [
        "--manifests",
        str(tmp_path / "manifest.yaml"),
        "--zone",
        str(tmp_path / "zone.yaml"),
        "--status",
        "service/default/envoy=nlb.elb.us-east-1.amazonaws.com",
    ]
    ends_clearly(capsys, "dns", "plan", *files, "--", "--source=service", "--registry=txt", "--policy=sync")


@FUZZ
@given(st.sampled_from(places(yaml.safe_load(MANIFEST))), TREES)
def test_any_manifest(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, place: tuple[Any, ...], value: Any
) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump(changed(yaml.safe_load(MANIFEST), place, value)))
    ends_clearly(capsys, "check", str(path))
    ends_clearly(capsys, "lb", "plan", str(path))
