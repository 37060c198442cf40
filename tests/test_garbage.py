"""The garbage collector of a process, in a process of its own: it is one for the whole interpreter."""

from __future__ import annotations

import subprocess
import sys

from testbed import garbage


def printed(code: str) -> str:
    script = f"import gc\nimport {garbage.__name__} as garbage\n{code}"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout


def test_a_process_that_imports_walks_its_objects_less_often_than_python_does() -> None:
    code = "before = gc.get_threshold(); garbage.collect_seldom(); after = gc.get_threshold()\n"
    assert (
        printed(code + "print(all(a >= b for a, b in zip(after, before)), after != before)") == "True True\n"
    )


def test_a_cycle_is_still_collected() -> None:
    code = """
import weakref
garbage.collect_seldom()
class Node: pass
node = Node(); node.me = node; seen = weakref.ref(node); del node
kept = [[] for _ in range(30_000)]
print(seen())
"""
    assert printed(code) == "None\n"


def test_what_a_ready_server_holds_is_never_walked_again() -> None:
    code = "kept = [[] for _ in range(5_000)]; garbage.keep_what_is_there()\n"
    assert printed(code + "print(gc.get_freeze_count() >= 5_000)") == "True\n"
