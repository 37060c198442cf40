from __future__ import annotations

from pathlib import Path

import pytest

from testbed.cli import main
from testbed.cli.init import init
from testbed.rehearsal.script import load
from tests.check.manifests_of_traps import EXTERNAL_DNS, INGRESS, PLAIN, SERVICE, folder

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
    assert f"and   testbed rehearse {path}/cutover:there_and_back\n" in out
    assert "assumes that the pods end a client's connection after 300 s (connection_age)" in out
    assert "certificate of api.example.com is issued for the run as arn:aws:acm:ap-northeast-1:0000" in (
        " ".join(out.split())
    )


def test_the_releases_that_the_scenario_is_written_for_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS)
    _, out, _ = run(capsys, str(path))
    assert "\n  ExternalDNS v0.22.0 (the newest)\n" in out
    assert "\n  AWS Load Balancer Controller v3.5.0 (the newest)\n" in out
    script = (path / "cutover" / "cutover.py").read_text()
    assert "\"external_dns_release\": 'v0.22.0'" in script
    _, out, _ = run(capsys, str(path), "--force", "--external-dns", "v0.7.5", "--lb-controller", "v2.1.0")
    assert "\n  ExternalDNS v0.7.5 (--external-dns)\n" in out
    scenario = load(str(path / "cutover"))
    assert (scenario.external_dns_release, scenario.lb_controller) == ("v0.7.5", "v2.1.0")


def test_a_deployed_release_that_the_table_lacks_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed = EXTERNAL_DNS.replace("v0.7.4", "v0.13.3")
    _, out, _ = run(capsys, str(folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS, deployed)))
    assert "  there is no ExternalDNS v0.13.3; the testbed decides as v0.13.2 does; testbed check says" in out
    assert init.name == "init"


def test_nothing_is_overwritten_without_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS)
    mine = path / "cutover" / "traffic.toml"
    mine.parent.mkdir()
    mine.write_text("mine")
    code, _, err = run(capsys, str(path))
    assert (code, mine.read_text(), len(list(mine.parent.iterdir()))) == (2, "mine", 1)
    assert err == f"testbed: {mine}: the file exists already; give --force to overwrite it\n"
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
