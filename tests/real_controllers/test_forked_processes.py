import subprocess
import sys

from testbed.real_controllers.forked_processes import MARK, end_marked, new_mark, own_processes

FORKS = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'input()'], stdin=sys.stdin)"


def test_a_process_that_a_marked_one_left_behind_is_ended() -> None:
    mark = new_mark()
    child = subprocess.Popen(
        [sys.executable, "-c", FORKS + ".pid; print(subprocess.os.getpid())"],
        env={MARK: mark},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.wait()
    end_marked(mark)
    # The one that was left behind held the output open.
    assert child.stdout.read().strip().isdigit()
    child.stdin.close()
    child.stdout.close()


def test_processes_of_another_mark_go_on() -> None:
    mark = new_mark()
    child = subprocess.Popen([sys.executable, "-c", "input()"], env={MARK: new_mark()}, stdin=subprocess.PIPE)
    end_marked(mark)
    child.communicate(b"\n")
    assert child.returncode == 0


def test_there_is_no_prefix_where_the_kernel_allows_none() -> None:
    assert own_processes(confined=False) == ()
