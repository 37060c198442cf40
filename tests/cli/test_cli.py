"""Wrong input of every kind: one clear line with its place, the documented exit code, nothing left."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from testbed.cli import COMMANDS, cli, main
from testbed.errors import ExitCode

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
        (
            ["rehearse", "--external-dns", "v0.13.3"],
            "--external-dns: there is no ExternalDNS v0.13.3; use v0.13.2 and v0.13.4",
        ),
        (["rehearse", "--network", "10.0.0.0/16"], "is not a /16 of 127.0.0.0/8"),
        (["rehearse", "--nonsense"], "No such option '--nonsense'"),
        (
            ["rehearse", "absent"],
            "absent: no such scenario; name a script, a folder with one, or one of scenarios/by_hand",
        ),
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


@pytest.mark.parametrize("arguments", [[], ["dns"], ["lb"]], ids=str)
def test_without_a_command_the_help_is_printed_in_its_lines(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    code, said = run(capsys, *arguments)
    assert code == 2
    assert said.startswith(f"Usage: {' '.join(['testbed', *arguments])} [OPTIONS] COMMAND")
    assert "\nCommands:\n" in said


def test_every_command_is_the_function_of_its_name_in_its_module() -> None:
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command
        module = f"testbed.cli.{name.replace('-', '_')}"
        assert (command.name, command.callback.__module__) == (name, module)
    assert list(COMMANDS) == sorted(COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "modules"),
    [(["--version"], set()), (["report", "--help"], {"options", "report"})],
    ids=["version", "report"],
)
def test_only_the_module_of_the_command_is_imported(arguments: list[str], modules: set[str]) -> None:
    code = (
        "import contextlib, sys\nfrom testbed.cli import main\n"
        f"with contextlib.suppress(SystemExit): main({arguments!r})\n"
        "print([name for name in sys.modules if name.startswith('testbed.cli.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(ast.literal_eval(done.stdout.splitlines()[-1])) == {f"testbed.cli.{one}" for one in modules}


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    said = capsys.readouterr().out
    assert not ended.value.code
    assert all(f"  {command} " in said for command in COMMANDS)


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
    assert (code, "pyproject.toml: [tool.testbed] rate: -5" in said) == (2, True)
    assert "--rate" not in said
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


def test_a_fault_of_the_testbed_ends_with_70_and_asks_for_a_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> int:
        raise ZeroDivisionError

    monkeypatch.setattr("testbed.cli.doctor.examine", broken)
    with pytest.raises(SystemExit) as ended:
        main(["doctor"])
    assert ended.value.code == 70
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.splitlines()[-1].startswith("testbed: this is a fault of the testbed (0.")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("argument", ["--version", "--help", "doctor"])
def test_a_full_disk_under_the_output_is_one_line_and_no_verdict(argument: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "testbed", argument],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == ExitCode.MISSING
    assert done.stderr == (
        "testbed: the output cannot be written: No space left on device; free some space\n"
    )


SIGINT_AT_AN_IMPORT = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["SIGINT_AT"]:
            os.kill(os.getpid(), signal.SIGINT)
        return None

sys.meta_path.insert(0, Finder())
"""


@pytest.mark.parametrize("module", ["testbed.cli", "click", "testbed.errors", "testbed.printing"])
def test_ctrl_c_during_the_first_imports_is_one_line_and_130(tmp_path: Path, module: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(SIGINT_AT_AN_IMPORT)
    done = subprocess.run(
        [sys.executable, "-m", "testbed", "--version"],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "SIGINT_AT": module},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "testbed: interrupted\n")


SIGINT_AT_A_TIME = """
import itertools, os, signal, sys

class Finder:
    imports = itertools.count()

    def find_spec(self, name, path=None, target=None):
        if "testbed.cli" in sys.modules and next(self.imports) == int(os.environ["SIGINT_AT"]):
            os.kill(os.getpid(), signal.SIGINT)
        return None

sys.meta_path.insert(0, Finder())
"""
AT_WORK = {
    "check": ["check", "manifests"],
    "dns": ["dns", "plan", "--manifests", "manifests", "--source=service"],
    "forecast": ["forecast", "cutover.py", "--clients", "1000"],
    "lb": ["lb", "plan", "--manifests", "manifests"],
}


@pytest.mark.parametrize("number", [1, 60, 200])
@pytest.mark.parametrize("command", AT_WORK)
def test_ctrl_c_at_any_import_of_a_command_is_one_line_and_130(
    tmp_path: Path, command: str, number: int
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SIGINT_AT_A_TIME)
    done = subprocess.run(
        [sys.executable, "-m", "testbed", *AT_WORK[command]],
        cwd=Path(__file__).parents[2] / "scenarios" / "zozomat",
        env={**os.environ, "PYTHONPATH": str(tmp_path), "SIGINT_AT": str(number)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.strip()) == (130, "testbed: interrupted")


def test_the_installed_command_begins_where_the_module_does() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["scripts"]["testbed"] == "testbed.__main__:main"
