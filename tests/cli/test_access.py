"""A topology that a person uses: how to reach it is printed, and its files last as long as it does."""

from __future__ import annotations

import dataclasses
import io
import signal
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from testbed.cli import access
from testbed.errors import Missing
from testbed.journal import LeftOut, Log
from testbed.network import Network
from testbed.options import Options
from testbed.report.console import Terminal
from testbed.settings import PATIENCE
from testbed.traffic.calls import Call
from tests.made_setups import PLAIN


def on(file: io.StringIO) -> Terminal:
    console = Terminal()
    console.file = file
    return console


@pytest.fixture
def topology(tmp_path: Path) -> Any:
    """As much of a topology as is printed; its cluster has no API."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("authorities")
    cluster = SimpleNamespace(kubernetes=None)
    return cast(
        Any,
        SimpleNamespace(
            bundle=bundle,
            network=Network(83),
            setup=PLAIN,
            cluster=cluster,
            kubernetes=None,
            journal=SimpleNamespace(listener=None),
            check=lambda: None,
        ),
    )


def test_the_files_last_as_long_as_the_block(topology: Any, tmp_path: Path) -> None:
    folder = tmp_path / "tools"
    with access.environment(topology, Options(environment=folder), keep=False):
        assert (folder / "environment").is_file()
    assert not folder.exists()


def test_without_a_folder_only_a_topology_that_is_kept_has_files(
    topology: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with access.environment(topology, Options(), keep=False):
        assert not (tmp_path / ".testbed").exists()
    with access.environment(topology, Options(), keep=True):
        assert (tmp_path / ".testbed" / "environment").is_file()


def test_the_commands_that_reach_it_are_printed_until_ctrl_c(topology: Any, tmp_path: Path) -> None:
    printed = io.StringIO()
    folder = tmp_path / "[tools]"
    main = threading.get_ident()  # a signal to the process might reach another thread, and wake nothing
    ctrl_c = threading.Timer(PATIENCE.look, signal.pthread_kill, (main, signal.SIGINT))
    ctrl_c.start()
    access.keep_until_interrupt(on(printed), topology, Options(environment=folder))
    ctrl_c.join()
    text = printed.getvalue()
    assert text.splitlines() == [
        "The topology runs on 127.83.0.0/16. Ctrl-C stops it. In another terminal:",
        "",
        f"  . '{folder}/environment'",
        "  dig api.example.com",
        "  curl https://api.example.com/measurements/foot-0",
        "  aws route53 list-hosted-zones",
        "  aws elbv2 describe-load-balancers",
    ]


def test_the_command_for_rest_is_one_that_the_scenarios_own_clients_send(topology: Any) -> None:
    rest = Call("rest", "/cart?x=1&y", "GET")
    for calls, port, command in (
        ((Call("grpc", "/shop.Cart/Get"), rest), 443, "  curl 'https://api.example.com/cart?x=1&y'"),
        ((rest,), 8443, "  curl 'https://api.example.com:8443/cart?x=1&y'"),
        ((Call("grpc", "/shop.Cart/Get"),), 443, ""),
    ):
        topology.setup = dataclasses.replace(PLAIN, calls=calls, port=port)
        printed = io.StringIO()
        access._print(on(printed), topology, Options())
        assert [line for line in printed.getvalue().splitlines() if "curl" in line] == [command][
            : bool(command)
        ]


def test_warnings_of_awss_parts_and_errors_of_controllers_are_printed_once(
    topology: Any,
) -> None:
    printed = io.StringIO()
    access.show_warnings(on(printed), topology)
    for component, level in (
        ("load-balancers", "warning"),
        ("load-balancers", "info"),
        ("external-dns/blue", "error"),
        ("external-dns/blue", "error"),
        ("external-dns/blue", "warning"),
    ):
        topology.journal.listener(
            Log(time=0.0, component=component, level=level, message="skipped \x1b[31m", line="arn:one")
        )
    topology.journal.listener(LeftOut(time=0.0, owner="Ingress group app", text="not modelled: one"))
    assert printed.getvalue() == (
        "load-balancers: skipped  [31m (arn:one)\n"
        "external-dns/blue: skipped  [31m\n"
        "Ingress group app: not modelled: one\n"
    )


def test_a_topology_that_fails_while_it_stands_ends_with_its_reason(topology: Any, tmp_path: Path) -> None:
    def fail() -> None:
        raise Missing("a part of the testbed ended")

    topology.check = fail
    with pytest.raises(Missing, match="a part of the testbed ended"):
        access.keep_until_interrupt(on(io.StringIO()), topology, Options(environment=tmp_path))
