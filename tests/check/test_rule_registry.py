"""All rules together, on manifests without traps and on those of the story."""

from __future__ import annotations

from pathlib import Path

from testbed.check import manifest_reading, rule_registry
from testbed.check.findings import Severity
from testbed.releases import Named
from tests.check.conftest import Look
from tests.check.manifests_of_traps import EXTERNAL_DNS, SERVICE
from tests.check.traps import GOOD


def test_every_rule_has_a_title_that_is_a_sentence() -> None:
    for rule in rule_registry.all_rules():
        assert rule.title.endswith("."), rule.id


def test_findings_are_sorted_by_severity_then_by_line(look: Look) -> None:
    found = look(*GOOD)
    order = list(Severity)
    keys = [(order.index(one.severity), one.where.path, one.where.line) for one in found]
    assert keys == sorted(keys)


def test_good_manifests_have_only_notes(look: Look) -> None:
    assert {one.severity for one in look(*GOOD, EXTERNAL_DNS)} == {Severity.NOTE}


def test_a_service_alone_has_no_trap_but_what_it_would_become_if_it_were_new(look: Look) -> None:
    assert [one.rule for one in look(SERVICE)] == ["claimed-if-new"]


def test_the_storys_manifests_have_no_error(repository: Path) -> None:
    loaded = manifest_reading.load([repository / "scenarios/zozomat/manifests"])
    found = rule_registry.check(manifest_reading.Reading.of(loaded, Named("v0.7.4", "--external-dns")))
    assert {one.rule for one in found if one.severity is not Severity.NOTE} == {
        "idle-streams-are-cut",
        "unstable-after-rollback",
    }
