"""The folder of a running testbed: what is in it, who may read it, and when it goes."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from testbed.errors import Missing
from testbed.network import Network
from testbed.rehearsal.topology import Topology
from testbed.runtime.environment_files import text, variables, written
from tests.made_setups import PLAIN


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    """As much of a topology as the folder is made from; its cluster has no API."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("authorities")
    known: Any = SimpleNamespace(
        bundle=bundle, network=Network(81), setup=PLAIN, cluster=SimpleNamespace(kubernetes=None)
    )
    return cast(Topology, known)


def test_the_files_are_the_users_own_and_go_with_the_testbed(topology: Topology, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "folder"
    with written(topology, folder) as found:
        assert (folder / "ca.pem").read_text() == "authorities"
        modes = {file.stat().st_mode & 0o777 for file in folder.iterdir() if file.is_file()}
        assert modes == {0o600}
        assert (folder / "bin").stat().st_mode & 0o777 == 0o700
        assert found["CURL_CA_BUNDLE"] == str(folder / "ca.pem")
    assert not folder.exists()


def test_a_folder_that_was_there_stays_with_the_users_own_files(topology: Topology, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes").write_text("mine")
    with written(topology, folder):
        pass
    assert [file.name for file in folder.iterdir()] == ["notes"]


def test_two_testbeds_do_not_share_a_folder(topology: Topology, tmp_path: Path) -> None:
    with (
        written(topology, tmp_path / "one"),
        pytest.raises(Missing, match="--environment"),
        written(topology, tmp_path / "one"),
    ):
        pass
    assert not (tmp_path / "one").exists()


def test_what_a_killed_testbed_left_is_written_anew(topology: Topology, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "environment").write_text("of another run")
    with written(topology, folder):
        assert "127.81.0.1:4566" in (folder / "environment").read_text()


def test_a_folder_that_cannot_be_made_is_told(topology: Topology, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Missing, match="cannot be written"), written(topology, tmp_path / "file" / "below"):
        pass


def test_a_shell_reads_what_was_written(topology: Topology, tmp_path: Path) -> None:
    found = variables(topology, tmp_path / "it's here")
    (tmp_path / "environment").write_text(text(found))
    script = '. ./environment; printf %s "$TESTBED_CA|$AWS_ENDPOINT_URL|${AWS_PROFILE-unset}"'
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "AWS_PROFILE": "prod"},
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"{found['TESTBED_CA']}|http://127.81.0.1:4566|unset"


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_forgets_the_users_account_and_proxies(
    topology: Topology, tmp_path: Path, shell: str
) -> None:
    (tmp_path / "environment").write_text(text(variables(topology, tmp_path)))
    names = "AWS_ENDPOINT_URL_ROUTE_53 AWS_IGNORE_CONFIGURED_ENDPOINT_URLS https_proxy HTTP_PROXY all_proxy"
    theirs = dict.fromkeys(names.split(), "theirs")
    for environment in (theirs, {}):
        done = subprocess.run(
            [shell, "-c", ". ./environment; env"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
        )
        assert (done.stderr, "theirs" in done.stdout) == ("", False)
        assert "AWS_ENDPOINT_URL=http://127.81.0.1:4566" in done.stdout


def test_the_port_is_the_one_that_the_clients_call(topology: Topology, tmp_path: Path) -> None:
    assert variables(topology, tmp_path)["TESTBED_HTTPS"] == "8443"
    topology.setup = replace(PLAIN, port=9000)
    assert variables(topology, tmp_path)["TESTBED_HTTPS"] == "9000"
