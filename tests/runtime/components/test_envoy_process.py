"""An Envoy as data, and what it says when it does not start."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.clock import Clock
from testbed.errors import BadInput
from testbed.network import Network
from testbed.runtime.components import target_envoys
from testbed.runtime.components.envoy_process import rejection


def test_envoy_tells_its_own_reason_when_it_refuses(tmp_path: Path, network: Network) -> None:
    pod = target_envoys.TargetPod(
        "envoy-0", network.envoy_pod(0), ("nowhere",), tmp_path / "c.pem", tmp_path / "k.pem"
    )
    refused = target_envoys.envoy(pod, Clock(60), tmp_path)
    reason = r"envoy-0\.json: Envoy rejects it: malformed IP address: nowhere"
    with refused.start(tmp_path) as process, pytest.raises(BadInput, match=reason):
        refused.wait_until_ready(process)


def test_nothing_is_written_before_it_starts(tmp_path: Path) -> None:
    pod = target_envoys.TargetPod("e", "127.0.0.1", ("127.0.0.1",), tmp_path / "c", tmp_path / "k")
    envoy = target_envoys.envoy(pod, Clock(), tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert str(envoy.config) in envoy.command.arguments
    envoy.write()
    assert set(tmp_path.iterdir()) == {envoy.config, *envoy.files}


def test_a_log_without_a_reason_has_none() -> None:
    assert rejection("[info] all clusters initialized") is None
    assert rejection("x\n[2026-11-27][7][critical][main] cannot\tbind") == "cannot bind"
