"""An explanation shows records, claims, decisions and steps, with commands that can be copied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from testbed.errors import Location
from testbed.external_dns.offline import explain_text
from testbed.external_dns.offline.explain import Explanation, explain
from tests.external_dns.offline.planned import FLAGS, HOST, VERSION, ingress, planned, records, service, zone

PLACES = {"service/default/web": Location(Path("cluster.yaml"), 5)}


def explained(items: list[dict[str, Any]], *of: dict[str, Any], name: str = HOST) -> Explanation:
    return explain(name, items, [zone(*of)], planned(items, *of), FLAGS, VERSION)


def test_an_explanation_has_its_parts_in_order() -> None:
    lines = explain_text.render(explained([service(), ingress()], *records()), PLACES).splitlines()
    titles = [line for line in lines if line and not line.startswith(" ")]
    assert titles == [
        HOST,
        "In the zone",
        "Claimed by",
        "What the sync does",
        "To move it",
        "To move it back without a gap",
        "Mind",
    ]
    assert f"  {HOST} TXT: owner me, resource service/default/web" in lines
    assert "  service/default/web (cluster.yaml:5) target a0-1.elb.eu-west-1.amazonaws.com" in lines


def test_a_command_is_never_wrapped() -> None:
    text = explain_text.render(explained([service(), ingress()], *records()), PLACES)
    commands = [line.strip() for line in text.splitlines() if line.strip().startswith("$ ")]
    assert "$ kubectl annotate -n default service/web external-dns.alpha.kubernetes.io/hostname-" in commands


def test_a_name_that_only_the_zone_has_is_claimed_by_no_object() -> None:
    lines = explain_text.render(explained([], *records()), {}).splitlines()
    assert lines[lines.index("Claimed by") + 1] == "  no object"


def test_an_unknown_name_is_one_line() -> None:
    text = explain_text.render(explained([service()], name="nix.example.com"), {})
    assert text == "Nothing mentions nix.example.com: no record, no TXT and no object.\n"


def test_the_document_has_the_same_parts_as_json() -> None:
    explanation = explained([service(), ingress()], *records())
    found = orjson.loads(orjson.dumps(explain_text.document(explanation, PLACES)))
    assert found["name"] == HOST
    assert found["labels"] == [{"txt": HOST, "type": "", "owner": "me", "resource": "service/default/web"}]
    assert {one["resource"]: one["where"] for one in found["claimants"]} == {
        "service/default/web": "cluster.yaml:5",
        "ingress/default/web": "",
    }
    assert found["to_move"][0]["commands"][0].startswith("kubectl annotate -n default service/web")
