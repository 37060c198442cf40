"""Scripts in the place of a real ExternalDNS that syncs once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from testbed.errors import Missing
from testbed.external_dns.offline.hosted_zones_in_memory import HostedZones, InitialZone
from testbed.network import Network
from testbed.runtime.components import compared_external_dns
from testbed.runtime.components.compared_external_dns import ComparedExternalDns
from testbed.runtime.components.confined_controllers import ConfinedControllers
from testbed.runtime.upkeep import Upkeep
from testbed.settings import Patience
from tests.external_dns.offline.test_reached_sync import service
from tests.real_controllers.programs import script

Make = Callable[..., ComparedExternalDns]
FLAGS = ("--source=service", "--policy=sync", "--registry=noop")


@pytest.fixture
def make(network: Network, tmp_path: Path) -> Iterator[Make]:
    upkeep = Upkeep()

    def made(body: str, *objects: dict[str, Any]) -> ComparedExternalDns:
        topology: Any = SimpleNamespace(
            network=network,
            journal=SimpleNamespace(listener=None),
            check=upkeep.check,
            clients=SimpleNamespace(route53=HostedZones([InitialZone("example.com", "/hostedzone/Z1")])),
            cluster=SimpleNamespace(
                objects=SimpleNamespace(list=lambda kind: [one for one in objects if one["kind"] == kind]),
                kubernetes=SimpleNamespace(kubeconfig=lambda: {"kind": "Config"}),
            ),
        )
        controllers = ConfinedControllers(network, upkeep.loop(), upkeep, 1)
        path = str(script(tmp_path, body))
        return ComparedExternalDns(path, "v0.21.0", FLAGS, topology, controllers)

    yield made
    upkeep.close()


def test_both_that_send_nothing_agree(make: Make) -> None:
    (one,) = make("").syncs()
    assert one.agrees
    assert not one.real.batches


def test_one_that_leaves_out_a_record_differs(make: Make) -> None:
    one = make("print('level=info msg=x')", service("one", "a.example.net")).sync()
    assert not one.agrees
    (emulated,) = one.emulated
    assert "CREATE" in emulated.batches[0].changes[0]
    assert one.log == ("level=info msg=x",)


def test_one_that_fails_where_the_emulation_does_not_differs(make: Make) -> None:
    one = make("import sys; sys.exit('level=fatal msg=\"failed to submit\"')").sync()
    assert one.real.failed
    assert not one.agrees


@pytest.mark.parametrize(
    "words", ["no logrus line", 'level=fatal msg="flag parsing error: unknown long flag --x"']
)
def test_one_that_ends_before_a_sync_is_an_error_with_its_words(words: str, make: Make) -> None:
    with pytest.raises(Missing) as failed:
        make(f"import sys; sys.exit({words!r})").sync()
    assert str(failed.value).endswith(f"ended with status 1: {words}")


def test_one_that_does_not_end_is_an_error(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compared_external_dns, "PATIENCE", Patience(first_sync=0.3))
    with pytest.raises(Missing, match=r"has not synced within 0\.3 s: it printed nothing"):
        make("import signal; signal.signal(15, lambda *_: exit()); signal.pause()").sync()
