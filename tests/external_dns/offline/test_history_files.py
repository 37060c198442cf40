"""A history of another shape is refused with its line; a good one is read from YAML and JSON alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.external_dns.offline import history_files

GOOD = """\
schema: external-dns-scenarios/1
scenarios:
- id: one
  config: {policy: sync, owner_id: me}
  hosted_zone_before:
  - {name: www.example.com, type: CNAME, ttl: 60, values: [example.org]}
  steps:
  - label: a Service
    do:
    - apply:
        kind: Service
        metadata: {name: web}
    - delete: {kind: Service, name: old}
    - hosted_zone:
      - {action: DELETE, name: www.example.com, type: CNAME, ttl: 60, values: [example.org]}
    - restart_with: {policy: upsert-only}
    - next_change_calls_fail: 1
    syncs: 2
"""


def load(folder: Path, text: str) -> list[dict[str, object]]:
    path = folder / "history.yaml"
    path.write_text(text)
    return history_files.load([path])


def test_yaml_and_json_give_the_same_scenarios(tmp_path: Path) -> None:
    [one] = load(tmp_path, GOOD)
    whole = {"schema": history_files.SCHEMA, "scenarios": [one]}
    assert load(tmp_path, json.dumps(whole, indent="\t")) == [one]


def test_a_history_whose_steps_name_releases_has_the_schema_of_upgrades(tmp_path: Path) -> None:
    text = GOOD.replace("scenarios/1", "upgrades/1").replace("syncs: 2", "syncs: 2\n    release: v0.21.0")
    found = load(tmp_path, text)
    assert [step["release"] for one in found for step in one["steps"]] == ["v0.21.0"]  # type: ignore[attr-defined]
    assert history_files.schema_of(found) == history_files.UPGRADES
    assert history_files.schema_of(load(tmp_path, GOOD)) == history_files.SCHEMA


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("external-dns-scenarios/1", "other/1", 1, "schema must be external-dns-scenarios/1"),
        ("scenarios:\n-", "scenarios: 1\nothers:\n-", 2, "scenarios must be a list"),
        ("owner_id: me", "owner: me", 4, "the config of scenario one has an unknown key 'owner'"),
        ("config: {policy: sync, owner_id: me}", "config: sync", 4, "scenario one needs a config"),
        (
            "ttl: 60, values: [example.org]}\n  steps",
            "ttl: 60}\n  steps",
            6,
            "needs alias, or ttl and values",
        ),
        ("{name: www.example.com, type: CNAME, ttl", "{name: www, ttl", 6, "needs name and type"),
        ("metadata: {name: web}", "metadata: {}", 10, "must apply a Service or Ingress with a metadata.name"),
        ("kind: Service\n", "kind: Pod\n", 10, "must apply a Service or Ingress"),
        ("{kind: Service, name: old}", "{kind: Service}", 13, "a delete of scenario one needs kind and name"),
        ("action: DELETE", "action: DROP", 15, "needs an action: CREATE, UPSERT, DELETE"),
        ("restart_with: {policy: upsert-only}", "restart_with: {polic: x}", 16, "unknown key 'polic'"),
        ("next_change_calls_fail: 1", "next_change_calls_fail: yes", 17, "must be a whole number"),
        ("next_change_calls_fail: 1", "sleep: 1", 17, "must be one of apply, delete, hosted_zone"),
        ("syncs: 2", "syncs: -1", 18, "needs syncs, a whole number"),
        (
            "syncs: 2",
            "syncs: 2\n    release: v0.13.3",
            19,
            "a step of scenario one: there is no ExternalDNS v0.13.3",
        ),
        ("syncs: 2", "syncs: [2", 19, "not valid YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    assert old in GOOD
    with pytest.raises(BadInput) as caught:
        load(tmp_path, GOOD.replace(old, new))
    text = str(caught.value)
    assert words in text
    assert text.startswith(f"{tmp_path / 'history.yaml'}:{line}: ")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        history_files.load([tmp_path / "none.yaml"])
