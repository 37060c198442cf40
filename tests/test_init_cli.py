from __future__ import annotations

from pathlib import Path

import pytest

from testbed.cli import main
from tests.check.manifests_of_traps import INGRESS, PLAIN, SERVICE, folder

FILES = ("cutover.py", "traffic.toml", "testbed.toml")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["init", *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_the_files_stand_beside_the_manifests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS)
    code, out, _ = run(capsys, str(path))
    assert code == 0
    assert sorted(one.name for one in (path / "cutover").iterdir()) == sorted(FILES)
    assert f"play  testbed rehearse {path}/cutover\n" in out


def test_nothing_is_overwritten_without_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS)
    mine = path / "cutover" / "traffic.toml"
    mine.parent.mkdir()
    mine.write_text("mine")
    code, _, err = run(capsys, str(path))
    assert (code, mine.read_text(), len(list(mine.parent.iterdir()))) == (2, "mine", 1)
    assert err == f"testbed: {mine}: it is there already; give --force to overwrite it\n"
    assert run(capsys, str(path), "--force")[0] == 0
    assert mine.read_text() != "mine"


def test_the_files_can_go_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS)
    assert run(capsys, str(path), "--into", str(tmp_path / "there"))[0] == 0
    assert "'../k8s/1.yaml'" in (tmp_path / "there" / "cutover.py").read_text()


def test_manifests_without_a_move_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, str(folder(tmp_path / "k8s", PLAIN)))
    assert (code, err.count("\n")) == (2, 1)
    assert "no Service of type LoadBalancer has a hostname annotation" in err
