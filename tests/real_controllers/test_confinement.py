import asyncio
import json
import socket
from pathlib import Path

import pytest

from testbed.network import Network
from testbed.real_controllers.confinement import PROXY_PORT, Confinement, clean_environment
from testbed.real_controllers.controller_process import ControllerProcess
from testbed.real_controllers.stream_relay import StreamServer
from tests.real_controllers.conftest import echo
from tests.real_controllers.programs import script

ASKS = """
import os, sys, urllib.request
for url in sys.argv[1:]:
    try:
        print(urllib.request.urlopen(url, timeout=5).read().decode())
    except OSError as error:
        print(f"{url} {error}")
"""


async def said(confinement: Confinement, folder: Path, *urls: str) -> list[str]:
    """What a binary prints that asks these URLs, one after another."""
    path = script(folder, ASKS)
    process = await asyncio.to_thread(ControllerProcess, "asker", [str(path), *urls], confinement, folder)
    try:
        await asyncio.to_thread(process.wait, 10)
        return list(process.lines())
    finally:
        await asyncio.to_thread(process.stop)


async def test_a_binary_reaches_the_aws_endpoint(
    confinement: Confinement, network: Network, tmp_path: Path, refused: list[str]
) -> None:
    assert await said(confinement, tmp_path, f"{network.aws_endpoint}/2013-04-01/hostedzone") == [
        f"GET /2013-04-01/hostedzone HTTP/1.1 Host: {network.control}:4566"
    ]
    assert refused == []


async def test_the_hosts_of_aws_are_the_endpoint_of_the_run(
    confinement: Confinement, tmp_path: Path, refused: list[str]
) -> None:
    assert await said(confinement, tmp_path, "https://route53.amazonaws.com/x") == [
        "GET /x HTTP/1.1 Host: route53.amazonaws.com"
    ]
    assert refused == []


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://api.example.com/", "api.example.com:443"),
        ("https://amazonaws.com.example.net/", "amazonaws.com.example.net:443"),
        ("https://route53.amazonaws.com:8443/", "route53.amazonaws.com:8443"),
        ("http://169.254.169.254/latest/meta-data/", "http://169.254.169.254/latest/meta-data/"),
    ],
)
async def test_every_other_host_is_refused_and_told(
    url: str, asked: str, confinement: Confinement, tmp_path: Path, refused: list[str]
) -> None:
    (line,) = await said(confinement, tmp_path, url)
    assert "403" in line
    assert refused == [asked]


async def test_a_port_of_a_binary_can_be_called_once_it_is_let_in(
    confinement: Confinement, network: Network, tmp_path: Path
) -> None:
    await confinement.let_in(7979)
    listening = confinement.run(lambda: socket.create_server((network.control, 7979)))
    server = StreamServer(listening, echo)
    await server.start()
    reader, writer = await asyncio.open_connection(network.control, 7979)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: it\r\n\r\n")
    assert (await reader.read()).endswith(b"GET /metrics HTTP/1.1 Host: it")
    writer.close()
    await writer.wait_closed()
    await server.stop()


async def test_a_binary_sees_no_variable_of_the_user(
    confinement: Confinement, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("KUBECONFIG", "/home/user/.kube/config")
    path = script(tmp_path, "import json, os; print(json.dumps(dict(os.environ)))")
    process = await asyncio.to_thread(
        ControllerProcess, "asker", [str(path)], confinement, tmp_path, {"KUBECONFIG": "mine"}
    )
    await asyncio.to_thread(process.wait, 10)
    variables = json.loads("".join(process.lines()))
    await asyncio.to_thread(process.stop)
    assert {"AWS_PROFILE"} & set(variables) == set()
    assert variables["KUBECONFIG"] == "mine"
    assert variables["HOME"] == str(tmp_path)
    assert variables["HTTPS_PROXY"] == f"http://{network.control}:{PROXY_PORT}"
    assert variables["AWS_EC2_METADATA_DISABLED"] == "true"


def test_each_child_has_a_mark_of_its_own(tmp_path: Path) -> None:
    first, second = clean_environment(tmp_path), clean_environment(tmp_path)
    assert first != second
