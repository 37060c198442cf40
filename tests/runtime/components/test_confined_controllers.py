from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.network import Network
from testbed.real_controllers.confinement import PROXY_PORT
from testbed.runtime.components.confined_controllers import ConfinedControllers, file_and_flags
from testbed.runtime.upkeep import Upkeep


@pytest.fixture
def upkeep() -> Iterator[Upkeep]:
    made = Upkeep()
    yield made
    made.close()


def test_there_is_one_place_for_all(network: Network, upkeep: Upkeep) -> None:
    controllers = ConfinedControllers(network, upkeep.loop(), upkeep, 1)
    assert controllers.place is controllers.place


def test_a_host_outside_ends_the_run_with_the_last_words_of_all(network: Network, upkeep: Upkeep) -> None:
    controllers = ConfinedControllers(network, upkeep.loop(), upkeep, 1)
    place = controllers.place
    controllers.quote(lambda: "level=info msg=x")

    async def ask() -> bytes:
        sock = await asyncio.to_thread(place.run, lambda: connected(network))
        reader, writer = await asyncio.open_connection(sock=sock)
        writer.write(b"CONNECT api.example.net:443 HTTP/1.1\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer

    assert asyncio.run(ask()).startswith(b"HTTP/1.1 403")
    with pytest.raises(BadInput, match=r"asked for api.example.net:443, .* Its last words: level=info msg=x"):
        upkeep.check()


def connected(network: Network):
    import socket

    return socket.create_connection((network.control, PROXY_PORT))


def test_the_path_of_a_binary_is_relative_to_the_folder_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert file_and_flags("./external-dns", ["--x"]) == (str(tmp_path / "external-dns"), "--x")
