"""While a script is loaded or played, `os._exit` and `os.exec…` raise, in this process alone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from testbed.errors import BadInput
from testbed.rehearsal import conditions
from testbed.rehearsal.refused_exits import refused_exits


@pytest.fixture(autouse=True)
def no_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "refusals", [])


@pytest.mark.parametrize(
    ("leave", "name"),
    [
        (lambda: os._exit(0), "_exit"),
        (lambda: os.execv("/bin/true", ["true"]), "execv"),
        (lambda: os.execvp("true", ["true"]), "execv"),
        (lambda: os.execlpe("true", "true", {}), "execve"),
    ],
)
def test_a_way_out_of_the_process_is_refused_and_remembered(leave: object, name: str) -> None:
    with refused_exits(), pytest.raises(BadInput, match=f"os.{name}, so that its run would have no verdict"):
        leave()  # type: ignore[operator]
    assert len(conditions.refusals) == 1


def test_a_function_that_was_taken_while_loading_refuses_while_playing() -> None:
    with refused_exits():
        taken = os._exit
    with refused_exits(), pytest.raises(BadInput):
        taken(0)


def test_a_child_of_the_script_ends_as_it_likes() -> None:
    with refused_exits():
        child = os.fork()
        if child == 0:
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_afterwards_the_real_functions_are_back() -> None:
    real = os._exit
    with refused_exits():
        taken = os._exit
    assert os._exit is real
    program = "import os\nfrom testbed.rehearsal.refused_exits import refused_exits\n"
    program += "with refused_exits(): taken = os._exit\ntaken(9)\n"
    assert taken is not real
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 9
