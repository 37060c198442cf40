from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from testbed.cli import main
from tests.check.manifests_of_traps import INGRESS, PLAIN, SERVICE, folder

# The parts of the SARIF 2.1.0 schema that a code host relies on.
_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
SARIF = {
    "type": "object",
    "required": ["version", "runs", "$schema"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name", "rules"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "required": ["id"],
                                            "properties": {
                                                "shortDescription": _TEXT,
                                                "defaultConfiguration": {"properties": {"level": _LEVEL}},
                                            },
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "required": ["message", "locations"],
                            "properties": {
                                "level": _LEVEL,
                                "message": _TEXT,
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "locations": {
                                    "type": "array",
                                    "minItems": 1,
                                    "items": {
                                        "required": ["physicalLocation"],
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation", "region"],
                                                "properties": {
                                                    "artifactLocation": {
                                                        "properties": {
                                                            "uri": {"type": "string", "pattern": "^[^ ]+$"}
                                                        }
                                                    },
                                                    "region": {
                                                        "properties": {
                                                            "startLine": {"type": "integer", "minimum": 1}
                                                        }
                                                    },
                                                },
                                            }
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["check", *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_notes_alone_are_a_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, str(folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS)))
    assert code == 0
    assert "note: " in out
    assert "warning: " not in out


def test_a_warning_is_a_failure_with_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS.replace("seconds=350", "seconds=60"))
    code, out, _ = run(capsys, str(path))
    assert code == 1
    assert out.startswith(f"{path}/3.yaml:12: warning: streams to the GRPC target group")


def test_json_has_the_findings_and_their_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, str(folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS)), "-o", "json")
    found: dict[str, Any] = json.loads(out)
    assert found["counts"] == {"error": 0, "warning": 0, "note": len(found["findings"])}
    assert {"rule", "severity", "file", "line", "what", "do"} == set(found["findings"][0])


def test_sarif_is_in_the_shape_of_its_standard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder(tmp_path / "my k8s", SERVICE, PLAIN, INGRESS.replace("seconds=350", "seconds=60"))
    _, out, _ = run(capsys, "my k8s", "-o", "sarif")
    written = json.loads(out)
    Draft202012Validator(SARIF).validate(written)
    driver, results = written["runs"][0]["tool"]["driver"], written["runs"][0]["results"]
    assert all(driver["rules"][one["ruleIndex"]]["id"] == one["ruleId"] for one in results)
    assert results[0]["level"] == "warning"
    place = results[0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "my%20k8s/3.yaml"}, "region": {"startLine": 12}}


def test_sarif_without_findings_is_a_run_without_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, str(folder(tmp_path / "k8s", PLAIN)), "-o", "sarif")
    Draft202012Validator(SARIF).validate(json.loads(out))
    assert (code, json.loads(out)["runs"][0]["results"]) == (0, [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("apiVersion: x/v1\nkind: Banana\nmetadata: {name: a}\n", "1.yaml:2: unknown kind 'Banana'"),
        ("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {port: 1}\n", "1.yaml:4: "),
        ("a: [\n", "1.yaml:2: not valid YAML"),
    ],
    ids=["kind", "field", "yaml"],
)
def test_a_manifest_that_cannot_be_read_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    code, out, err = run(capsys, str(folder(tmp_path / "k8s", text)))
    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1


def test_a_kustomization_beside_the_manifests_is_no_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS)
    (path / "kustomization.yaml").write_text("resources: [1.yaml]\n")
    assert run(capsys, str(path))[0] == 0


def test_a_folder_without_manifests_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, str(tmp_path))
    assert code == 2
    assert "the folder has no .yaml" in err


def test_on_github_each_finding_is_an_annotation_at_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    path = folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS.replace("seconds=350", "seconds=60"))
    _, out, _ = run(capsys, str(path))
    commands = [line for line in out.splitlines() if line.startswith("::")]
    assert commands[0].startswith(
        f"::warning title=idle-streams-are-cut,file={path}/3.yaml,line=12::streams to"
    )
    assert all(line.startswith("::notice ") for line in commands[1:])
