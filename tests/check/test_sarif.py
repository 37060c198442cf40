from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from testbed.check import rule_pages, rule_registry, sarif
from testbed.check.findings import Acceptance, Finding, Severity
from testbed.errors import Location


def found(path: Path, line: int | None = 7) -> Finding:
    return Finding("capitals-in-host", Severity.WARNING, Location(path, line), "it is dropped", "write it so")


def test_a_result_names_its_rule_its_message_and_its_line(tmp_path: Path) -> None:
    rules = rule_registry.all_rules()

    log = sarif.as_sarif([found(tmp_path / "k8s" / "my web.yaml")], rules, tmp_path)

    [run] = log["runs"]
    [result] = run["results"]
    driver = run["tool"]["driver"]
    assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "capitals-in-host"
    assert (result["level"], result["message"]["text"]) == ("warning", "it is dropped; write it so.")
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "k8s/my%20web.yaml"},
        "region": {"startLine": 7},
    }


def test_a_file_outside_the_root_is_a_whole_uri_and_a_missing_line_is_the_first(tmp_path: Path) -> None:
    log = sarif.as_sarif([found(Path("/web.yaml"), None)], rule_registry.all_rules(), tmp_path)

    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "file:///web.yaml"
    assert place["region"] == {"startLine": 1}


def test_an_accepted_result_is_suppressed_with_its_reason_and_every_other_is_not(tmp_path: Path) -> None:
    web = tmp_path / "web.yaml"
    comment = Acceptance("capitals-in-host", "we know", Location(web, 6), str(web), 7)
    entry = replace(comment, where=Location(tmp_path / "accept.toml", 1), line=None)
    findings = [found(web), replace(found(web), accepted=comment), replace(found(web), accepted=entry)]

    log = sarif.as_sarif(findings, rule_registry.all_rules(), tmp_path)

    plain, inside, outside = [result["suppressions"] for result in log["runs"][0]["results"]]
    assert plain == []
    assert [(one["kind"], one["justification"]) for one in inside + outside] == [
        ("inSource", "we know"),
        ("external", "we know"),
    ]
    place = inside[0]["location"]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "web.yaml"}, "region": {"startLine": 6}}


def test_a_rule_without_a_page_has_no_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_pages, "FOLDER", tmp_path)
    log = sarif.as_sarif([found(tmp_path / "web.yaml")], rule_registry.all_rules(), tmp_path)
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    assert not any("help" in one or "helpUri" in one for one in rules)
    assert len(log["runs"][0]["results"]) == 1
