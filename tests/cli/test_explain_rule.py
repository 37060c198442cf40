from __future__ import annotations

import pytest

from testbed.cli import main
from testbed.cli.explain_rule import explain_rule


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(explain_rule.name), *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_a_rule_is_explained_with_its_example_and_its_finding(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "capitals-in-host")
    assert code == 0
    assert out.startswith("capitals-in-host (warning)\nA host with capital letters matches no hosted zone")
    assert "hostname: Shop.Example.com" in out
    assert "\n  web.yaml:7: warning: ExternalDNS finds no hosted zone for Shop.Example.com" in out


def test_a_wrong_id_is_one_line_with_the_names_that_are_near(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "capital-in-hosts")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "there is no rule 'capital-in-hosts'; did you mean capitals-in-host" in err
    assert "`testbed explain-rule` lists them" in run(capsys, "\x1b[2J")[2]


def test_without_an_id_all_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys)
    assert code == 0
    assert out.index("errors") < out.index("  cannot-be-built") < out.index("warnings")
