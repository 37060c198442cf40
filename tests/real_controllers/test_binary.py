import shutil
from pathlib import Path

import psutil
import pytest

from testbed.errors import BadInput
from testbed.real_controllers import binary
from testbed.real_controllers.binary import UNKNOWN, Binary, go_module, identify
from testbed.settings import Patience
from tests.real_controllers.programs import script

EXTERNAL_DNS = "ExternalDNS", "sigs.k8s.io/external-dns"
LB_CONTROLLER = ("AWS Load Balancer Controller", "sigs.k8s.io/aws-load-balancer-controller")
MAGIC = b"\xff Go buildinf:\x08\x02"
FRAME = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6"


def go_program(folder: Path, module: str, version: str, head: bytes = b"") -> Path:
    """A file with the build information of a Go program; it cannot be run."""
    information = FRAME + f"path\t{module}\nmod\t{module}\t{version}\th1:=\n".encode() + FRAME
    texts = b"".join(
        bytes([len(text) & 0x7F | 0x80, len(text) >> 7]) + text for text in (b"go1.26", information)
    )
    path = folder / "go-program"
    path.write_bytes(head + MAGIC.ljust(32, b"\0") + texts)
    path.chmod(0o700)
    return path


@pytest.mark.parametrize(
    ("said", "release"),
    [("v0.21.0", "v0.21.0"), ("0.14.2", "v0.14.2"), ("v0.15.1-debian-12-r3", "v0.15.1-debian-12-r3")],
)
def test_the_release_is_what_the_binary_says(said: str, release: str, tmp_path: Path) -> None:
    path = script(tmp_path, f"print('{said}')")
    assert identify(str(path), *EXTERNAL_DNS) == Binary(str(path), path, release)


def test_the_lb_controller_logs_its_release_before_it_refuses_the_flag(tmp_path: Path) -> None:
    line = '{"level":"info","ts":"2026-11-27T19:01:58Z","msg":"version","GitVersion":"v3.5.0"}'
    path = script(tmp_path, f"import sys; print('{line}'); sys.exit('Usage of :\\nunknown flag: --version')")
    assert identify(str(path), *LB_CONTROLLER).release == "v3.5.0"


def test_a_binary_may_say_it_on_its_standard_error(tmp_path: Path) -> None:
    path = script(tmp_path, "import sys; print('v0.21.0', file=sys.stderr)")
    assert identify(str(path), *EXTERNAL_DNS).release == "v0.21.0"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("./no-such-file", "./no-such-file is not a file"),
        (str(shutil.which("true")), "is no ExternalDNS: to --version it says 'true (GNU coreutils)"),
    ],
)
def test_another_program_is_refused_in_one_line(given: str, said: str) -> None:
    with pytest.raises(BadInput, match=r".") as refused:
        identify(given, *EXTERNAL_DNS)
    assert said in str(refused.value)


def test_a_program_that_prints_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="to --version it says 'nothing'"):
        identify(str(script(tmp_path, "")), *EXTERNAL_DNS)


def test_a_file_that_is_not_executable_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "external-dns"
    path.write_text("")
    with pytest.raises(BadInput, match="cannot be executed; chmod"):
        identify(str(path), *EXTERNAL_DNS)


def test_a_file_that_is_no_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "external-dns"
    path.write_text("nothing that can be run")
    path.chmod(0o700)
    with pytest.raises(BadInput, match=f"{path}"):
        identify(str(path), *EXTERNAL_DNS)


def test_a_program_that_does_not_end_is_refused_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binary, "PATIENCE", Patience(api_call=0.5))
    path = script(tmp_path, "import signal; signal.pause()")
    with pytest.raises(BadInput, match="did not end within"):
        identify(str(path), *EXTERNAL_DNS)
    assert not running(path)


def test_what_it_leaves_behind_at_the_question_is_ended(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        "import os, signal\nif os.fork() == 0:\n    os.setsid(); signal.pause()\nprint('v0.21.0')",
    )
    identify(str(path), *EXTERNAL_DNS)
    assert not running(path)


def running(path: Path) -> list[str]:
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if str(path) in words and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(" ".join(words))
    return found


def test_it_is_asked_with_no_account_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    path = script(tmp_path, "import os; print('v0.21.0' if 'AWS_PROFILE' not in os.environ else 'mine')")
    assert identify(str(path), *EXTERNAL_DNS).release == "v0.21.0"


@pytest.mark.parametrize("head", [b"", MAGIC[:14] + b"\0" * 18, MAGIC.rjust(40, b"x") + b"\0" * 8])
def test_the_module_of_a_go_program_is_in_its_build_information(head: bytes, tmp_path: Path) -> None:
    path = go_program(tmp_path, "sigs.k8s.io/external-dns", "v0.18.0", head)
    assert go_module(path) == ("sigs.k8s.io/external-dns", "v0.18.0")


@pytest.mark.parametrize("content", [b"", b"no magic", MAGIC, MAGIC.ljust(32, b"\0") + b"\xff\xff"])
def test_a_file_without_build_information_has_no_module(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_bytes(content)
    assert go_module(path) == ("", "")


def test_another_go_program_is_refused_by_its_module(tmp_path: Path) -> None:
    path = go_program(tmp_path, "sigs.k8s.io/aws-load-balancer-controller/v3", "v3.5.0")
    with pytest.raises(BadInput, match="is no ExternalDNS: it is built from sigs"):
        identify(str(path), *EXTERNAL_DNS)


def test_a_build_that_was_told_no_release_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary, "go_module", lambda file: (EXTERNAL_DNS[1], "(devel)"))
    path = script(tmp_path, "print('unknown')")
    assert identify(str(path), *EXTERNAL_DNS).release == UNKNOWN


def test_a_build_of_go_install_has_the_release_of_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binary, "go_module", lambda file: (EXTERNAL_DNS[1], "v0.18.0"))
    path = script(tmp_path, "print('unknown')")
    assert identify(str(path), *EXTERNAL_DNS).release == "v0.18.0"
