import asyncio
from pathlib import Path

import psutil
import pytest

from testbed.errors import Missing
from testbed.real_controllers import controller_process
from testbed.real_controllers.confinement import Confinement
from testbed.real_controllers.controller_process import ControllerProcess
from testbed.settings import Patience
from tests.real_controllers.programs import script

WAITS = "import signal; print('up', flush=True); signal.pause()"
LEAVES = """
import os, signal
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    print("daemon", flush=True)
    signal.pause()
os.wait()
"""
IGNORES = """
import signal
signal.signal(15, signal.SIG_IGN)
print("up", flush=True)
while True:
    signal.pause()
"""
SAYS = """
import signal, sys
signal.signal(15, lambda *_: sys.exit(print("bye")))
print("up", flush=True)
signal.pause()
"""


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller_process, "PATIENCE", Patience(process_stop=0.5))


async def started(body: str, confinement: Confinement, folder: Path) -> ControllerProcess:
    path = script(folder, body)
    return await asyncio.to_thread(ControllerProcess, "program", [str(path)], confinement, folder)


async def lines_until(process: ControllerProcess, wanted: str) -> list[str]:
    found = list(process.lines())
    while wanted not in found:
        await asyncio.sleep(0.02)
        found += process.lines()
    return found


def of(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if str(folder / "program") in words and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


async def test_its_output_comes_line_by_line(confinement: Confinement, tmp_path: Path) -> None:
    process = await started("print('one'); print(); print('two', end='')", confinement, tmp_path)
    await asyncio.to_thread(process.wait, 10)
    assert list(process.lines()) == ["one", "two"]
    assert list(process.lines()) == []
    await asyncio.to_thread(process.stop)


async def test_it_is_asked_to_end(confinement: Confinement, tmp_path: Path) -> None:
    process = await started(SAYS, confinement, tmp_path)
    await lines_until(process, "up")
    await asyncio.to_thread(process.stop)
    assert list(process.lines()) == ["bye"]
    assert of(tmp_path) == []


@pytest.mark.parametrize("body", [WAITS, IGNORES])
async def test_it_is_killed_if_it_does_not_end(body: str, confinement: Confinement, tmp_path: Path) -> None:
    process = await started(body, confinement, tmp_path)
    await lines_until(process, "up")
    await asyncio.to_thread(process.stop)
    assert process.returncode is not None
    assert of(tmp_path) == []


async def test_a_daemon_that_it_forked_is_not_left_behind(confinement: Confinement, tmp_path: Path) -> None:
    process = await started(LEAVES, confinement, tmp_path)
    await asyncio.to_thread(process.wait, 10)
    await asyncio.to_thread(process.stop)
    # It has been killed, and is not a child of this process: the kernel ends it when it comes to it.
    _, left = await asyncio.to_thread(psutil.wait_procs, of(tmp_path), 10)
    assert [one for one in left if one.status() != psutil.STATUS_ZOMBIE] == []


async def test_a_file_that_cannot_be_started_is_missing(confinement: Confinement, tmp_path: Path) -> None:
    if confinement.is_closed:
        pytest.skip("`unshare` starts, and says itself what it cannot run")
    with pytest.raises(Missing, match="cannot be started"):
        await asyncio.to_thread(ControllerProcess, "program", [str(tmp_path / "none")], confinement, tmp_path)
