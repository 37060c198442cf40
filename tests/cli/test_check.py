from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from testbed.check.rule_pages import page_of
from testbed.check.rule_registry import known
from testbed.cli import main
from testbed.cli.check import check
from tests.check.manifests_of_traps import EXTERNAL_DNS, INGRESS, PLAIN, SERVICE, folder

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
        main(["check", "--external-dns", "v0.7.4", *arguments])
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


def test_the_releases_that_the_manifests_were_read_as_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS)
    _, out, _ = run(capsys, str(path), "--lb-controller", "v2.1.3")
    assert out.splitlines()[-1] == (
        "Read as ExternalDNS v0.7.4 (--external-dns) and AWS Load Balancer Controller v2.1.3 "
        "(--lb-controller)."
    )
    assert run(capsys, str(path), "--controller-version", "v2.1")[1] == out


def test_the_release_and_the_prefix_of_the_deployment_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS, EXTERNAL_DNS.replace("v0.7.4", "v0.22.1"))
    with pytest.raises(SystemExit):
        main(["check", "k8s"])
    out = capsys.readouterr().out
    assert "[unread-annotation-prefix]" in out
    assert "Read as ExternalDNS v0.22.0 (Deployment default/external-dns, k8s/4.yaml:12) and " in out


def test_each_of_two_deployments_is_read_as_its_own_release(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = EXTERNAL_DNS.replace("{name: external-dns}", "{name: new}").replace("v0.7.4", "v0.21.0")
    path = folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS, EXTERNAL_DNS, new)
    with pytest.raises(SystemExit):
        main(["check", str(path)])
    out = capsys.readouterr().out
    assert "Read as ExternalDNS v0.7.4 (Deployment default/external-dns, " in out
    assert "Read as ExternalDNS v0.21.0 (Deployment default/new, " in out
    assert out.count("ExternalDNS v0.21.0 adds an AAAA alias") == 1
    assert out.count("[connections-stay]") == 1


def test_without_a_release_and_a_deployment_the_newest_reads_the_prefix_that_the_manifests_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS))
    with pytest.raises(SystemExit):
        main(["check", path])
    out = capsys.readouterr().out
    assert "[unread-annotation-prefix]" not in out
    assert "[aaaa-on-the-other-balancer]" in out
    assert (
        "Read as ExternalDNS v0.22.0 (the newest) with --annotation-prefix=external-dns.alpha.kubernetes.io/ "
        "and AWS Load Balancer Controller v3.5.0 (the newest)."
    ) in out
    assert check.name == "check"


def test_json_has_the_findings_and_their_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, str(folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS)), "-o", "json")
    found: dict[str, Any] = json.loads(out)
    assert found["counts"] == {"error": 0, "warning": 0, "note": len(found["findings"]), "accepted": 0}
    assert {"rule", "severity", "file", "line", "what", "do", "accepted"} == set(found["findings"][0])


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
    ("text", "words"),
    [
        ("apiVersion: x/v1\nkind: Banana\nmetadata: {name: a}\n", "1.yaml:2: unknown kind 'Banana'"),
        ("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {port: 1}\n", "1.yaml:4: "),
        ("a: [\n", "1.yaml:2: not valid YAML"),
    ],
    ids=["kind", "field", "yaml"],
)
def test_a_manifest_that_cannot_be_read_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    code, out, err = run(capsys, str(folder(tmp_path / "k8s", text)))
    assert (code, out) == (2, "")
    assert words in err
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


SHORT = INGRESS.replace("seconds=350", "seconds=60")
ACCEPT = "    # testbed: accept idle-streams-are-cut clients send each 20 s\n"


def test_a_finding_accepted_in_a_comment_is_shown_and_does_not_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "    alb.ingress.kubernetes.io/load-balancer-attributes"
    path = folder(tmp_path / "k8s", SERVICE, PLAIN, SHORT.replace(key, ACCEPT + key))
    code, out, _ = run(capsys, str(path))
    assert code == 0
    assert f"{path}/3.yaml:13: accepted warning: streams to" in out
    assert f"    accepted at {path}/3.yaml:12: clients send each 20 s\n" in out
    assert ", 1 accepted\n" in out
    _, out, _ = run(capsys, str(path), "-o", "sarif")
    [result] = [one for one in json.loads(out)["runs"][0]["results"] if one["suppressions"]]
    assert result["suppressions"][0]["justification"] == "clients send each 20 s"


def test_an_acceptance_of_what_is_not_found_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder(tmp_path / "k8s", SERVICE, PLAIN, ACCEPT.lstrip() + INGRESS)
    code, out, _ = run(capsys, str(path))
    assert code == 1
    assert f"{path}/3.yaml:1: warning: there is no finding idle-streams-are-cut at {path}/3.yaml:2" in out


def test_a_finding_accepted_in_a_file_does_not_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder(tmp_path / "k8s", SERVICE, PLAIN, SHORT)
    file = tmp_path / "accept.toml"
    file.write_text('[[accept]]\nrule = "idle-streams-are-cut"\nreason = "pings"\nfiles = "*/3.yaml"\n')
    assert run(capsys, str(path))[0] == 1
    assert run(capsys, str(path), "--accept", str(file))[0] == 0


@pytest.mark.parametrize(("least", "codes"), [("error", (0, 0)), ("warning", (0, 1)), ("note", (1, 1))])
def test_the_exit_code_is_by_severity(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], least: str, codes: tuple[int, int]
) -> None:
    notes = folder(tmp_path / "notes", SERVICE, PLAIN, INGRESS)
    warning = folder(tmp_path / "warning", SERVICE, PLAIN, SHORT)
    assert tuple(run(capsys, str(path), "--fail-on", least)[0] for path in (notes, warning)) == codes


def from_pipe(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_manifests_come_from_standard_input_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from_pipe(monkeypatch, "---\n".join([SERVICE, PLAIN, SHORT]).encode())
    code, out, _ = run(capsys, "-")
    assert code == 1
    assert out.startswith("stdin:34: warning: streams to the GRPC target group")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "stdin: nothing came in"),
        (b"\xff", "stdin:1: not UTF-8"),
        (b"a: [\n", "stdin:2: not valid YAML"),
    ],
)
def test_a_pipe_that_brings_no_manifests_is_bad_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, content: bytes, words: str
) -> None:
    from_pipe(monkeypatch, content)
    code, _, err = run(capsys, "-")
    assert (code, err.count("\n")) == (2, 1)
    assert words in err


def test_a_kustomization_beside_manifests_is_hinted_at_with_the_command_that_builds_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS)
    (path / "kustomization.yaml").write_text("resources: [1.yaml]\n")
    _, out, err = run(capsys, str(path), "-o", "json")
    assert json.loads(out)["findings"]
    assert err == (
        f"{path} has a kustomization, which is not built here: kubectl kustomize {path} | testbed check -\n"
    )


def test_a_patch_of_a_kustomization_and_an_overlay_without_manifests_say_how_to_build_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    patch = folder(tmp_path / "patch", "spec: {type: LoadBalancer}\n")
    overlay = folder(tmp_path / "overlay")
    for path in (patch, overlay):
        (path / "kustomization.yaml").write_text("resources: [../base]\n")
        code, _, err = run(capsys, str(path))
        assert (code, err.count("\n")) == (2, 1)
        assert f"kubectl kustomize {path} | testbed check -" in err


def test_a_helm_chart_and_one_of_its_templates_say_how_to_render_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chart = folder(tmp_path / "chart")
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n")
    templates = folder(chart / "templates", "kind: {{ .Values.kind }}\n")
    for path in (chart, templates, templates / "1.yaml"):
        code, _, err = run(capsys, str(path))
        assert (code, err.count("\n")) == (2, 1)
        assert f"helm template {chart} | testbed check -" in err


def test_an_upgrade_is_played_over_the_zone_and_needs_the_deployment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = page_of(known("upgrade-cannot-delete"))
    blocks = dict(re.findall(r"```(\w+)\n(.*?)```", page.example, re.DOTALL))
    (tmp_path / "web.yaml").write_text(blocks["yaml"])
    (tmp_path / "zone.json").write_text(blocks["json"])
    web, zone = str(tmp_path / "web.yaml"), ("--zone", str(tmp_path / "zone.json"))
    with pytest.raises(SystemExit):
        main(["check", web, *zone, "--upgrade-to", "v0.15.1"])
    assert "[upgrade-cannot-delete]" in capsys.readouterr().out
    assert "--upgrade-to needs --zone FILE" in run(capsys, web, "--upgrade-to", "v0.15.1")[2]
    (tmp_path / "web.yaml").write_text(blocks["yaml"].split("---")[0])
    code, _, err = run(capsys, web, *zone, "--upgrade-to", "v0.15.1")
    assert (code, err.count("\n")) == (2, 1)
    assert "--upgrade-to needs a Deployment of ExternalDNS among the manifests" in err
    assert "--upgrade-to: there is no " in run(capsys, web, *zone, "--upgrade-to", "v0.13.3")[2]


@pytest.mark.parametrize("rule", ["one-name-two-balancers", "upgrade-parts-name"])
def test_an_acceptance_for_what_was_not_looked_at_is_not_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rule: str
) -> None:
    path = folder(tmp_path / "k8s", f"# testbed: accept {rule} next week\n{PLAIN}")
    assert run(capsys, str(path))[0] == 0


@pytest.mark.parametrize("output", ["json", "sarif"])
def test_a_file_says_as_which_release_the_manifests_were_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str
) -> None:
    _, out, _ = run(capsys, str(folder(tmp_path / "k8s", PLAIN)), "-o", output, "--external-dns", "v0.99.0")
    written = json.loads(out)
    if output == "json":
        notes = written["notes"]
    else:
        (invocation,) = written["runs"][0]["invocations"]
        assert invocation["executionSuccessful"] is True
        notes = [one["message"]["text"] for one in invocation["toolExecutionNotifications"]]
    assert notes[0].startswith("Read as ExternalDNS v0.22.0")
    assert "v0.99.0" in notes[1]
