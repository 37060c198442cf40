"""Wrong input of every kind: one clear line with its place, the documented exit code, nothing left."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.cli import main

SCRIPT = """\
from testbed.rehearsal import scenario

@scenario("A story", host="api.example.com")
def story(cutover):
    with cutover.step("first", why="because"):
        {line}
"""


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return int(ended.value.code or 0), captured.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["rehearse", "--speed", "0"],
            "Invalid value for '--speed' (env var: 'TESTBED_SPEED'): 0.0 is not in the range x>0.",
        ),
        (["rehearse", "--speed", "nan"], "'--speed'"),
        (
            ["rehearse", "--rate", "-1"],
            "Invalid value for '--rate' (env var: 'TESTBED_RATE'): -1.0 is not in the range x>0.",
        ),
        (["rehearse", "--rate", "inf"], "'inf' is not a finite number"),
        (["rehearse", "--external-dns", "v9"], "'v9' is not one of 'v0.7.4', 'v0.7.5', 'v0.22'"),
        (["rehearse", "--network", "10.0.0.0/16"], "is not a /16 of 127.0.0.0/8"),
        (["rehearse", "--nonsense"], "No such option '--nonsense'"),
        (["rehearse", "absent"], "absent: no such scenario; name a script or a folder with one"),
        (["report", "absent.ndjson"], "absent.ndjson: no such journal"),
        (["nonsense"], "No such command 'nonsense'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_arguments_end_in_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    code, said = run(capsys, *arguments)
    assert code == 2
    assert message in said
    assert said.startswith("testbed: ")
    assert said.count("\n") == 1


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    said = capsys.readouterr().out
    assert not ended.value.code
    assert all(f"  {command} " in said for command in ("doctor", "lb", "rehearse", "report", "up"))


def test_flags_come_from_the_environment_and_name_themselves(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESTBED_SPEED", "0")
    code, said = run(capsys, "rehearse")
    assert code == 2
    assert "'--speed'" in said


def test_the_project_table_is_read_and_a_flag_beats_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.testbed]\nrate = -5\n")
    code, said = run(capsys, "rehearse", "absent")
    assert (code, "'--rate'" in said) == (2, True)
    code, said = run(capsys, "rehearse", "absent", "--rate", "5")
    assert (code, "no such scenario" in said) == (2, True)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("cutover.apply('absent.yaml')", 2, "absent.yaml"),
        ("cutover.apply('broken.yaml')", 2, "broken.yaml:2: "),
        ("cutover.apply('unknown.yaml')", 2, "unknown.yaml:2: "),
        ("cutover.apply('no-service.yaml')", 2, "no-service.yaml:"),
        ("cutover.apply('elsewhere.yaml')", 2, "elsewhere.yaml:"),
        ("cutover.apply('value.yaml')", 2, "value.yaml:6: no value for 'ARN'"),
        ("cutover.delete('envoy')", 2, "cutover.py:6: 'envoy' names no object"),
        ("raise ValueError('no luck')", 2, "cutover.py:6: the scenario raised ValueError: no luck"),
        ("raise SystemExit(0)", 2, "cutover.py:6: the scenario raised SystemExit: 0"),
    ],
    ids=["absent", "yaml", "kind", "service", "host", "value", "object", "raises", "exits"],
)
def test_what_a_scenario_gets_wrong_is_told_with_file_and_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, line: str, code: int, message: str
) -> None:
    (tmp_path / "cutover.py").write_text(SCRIPT.format(line=line))
    manifests = {
        "broken.yaml": "kind: Service\n  metadata: [\n",
        "unknown.yaml": "apiVersion: v1\nkind: Nonsense\nmetadata: {name: a}\n",
        "no-service.yaml": INGRESS.format(host="api.example.com"),
        "elsewhere.yaml": "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  annotations:\n"
        "    external-dns.alpha.kubernetes.io/hostname: api.other.org\n"
        "spec: {type: LoadBalancer, ports: [{port: 80}]}\n",
        "value.yaml": "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  annotations:\n"
        "    arn: ${ARN}\nspec: {ports: [{port: 80}]}\n",
    }
    for name, text in manifests.items():
        (tmp_path / name).write_text(text)
    report = tmp_path / "report"
    got, said = run(capsys, "rehearse", str(tmp_path), "--report", str(report))
    assert got == code
    assert message in said
    assert said.count("\n") == 1


INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: a}}
spec:
  rules:
    - host: {host}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service: {{name: absent, port: {{number: 80}}}}
"""
