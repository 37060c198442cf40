"""The JSON of a sync has batches as AWS's command takes them, and decisions with reason and sentence."""

from __future__ import annotations

import orjson

from testbed.external_dns.offline.desk import Desk
from testbed.external_dns.offline.sync_json import decision, document
from testbed.releases import EXTERNAL_DNS, Named
from tests.external_dns.offline.planned import NLB, ingress, planned, records, service, zone


def test_a_sync_is_a_document_that_json_can_hold() -> None:
    sync = planned([ingress()], *records())
    choice = EXTERNAL_DNS.named(Named("v0.7.4", "--external-dns"))
    desk = Desk([], [], [zone(*records())], choice, ("--source=ingress", "--policy=sync"), {})
    found = orjson.loads(orjson.dumps(document(sync, desk)))
    assert (found["version"], found["error"]) == ("v0.7.4", "")
    assert found["flags"] == ["--source=ingress", "--policy=sync"]
    assert found["release"] == {"release": "v0.7.4", "named": "v0.7.4", "by": "--external-dns", "note": ""}
    assert (found["unread_prefix"], found["two_balancers"]) == ("", [])
    assert found["zones"] == [{"name": "example.com", "file": "zone.json", "records": 2}]
    [batch] = found["batches"]
    assert (batch["zone"], batch["refusal"]) == ("example.com", "")
    assert {change["Action"] for change in batch["changes"]} == {"UPSERT"}


def test_a_decision_names_claimants_winner_and_owner() -> None:
    [made] = planned([service(), ingress()], *records()).decisions
    found = decision(made)
    assert (found["outcome"], found["reason"], found["dropped"]) == ("nothing", "kept-by-label", None)
    assert found["winner"] == "service/default/web"
    assert found["have"]["owner"] == "me"
    assert found["have"]["targets"] == [NLB]
    assert {claim["resource"] for claim in found["claimants"]} == {
        "service/default/web",
        "ingress/default/web",
    }
    assert found["sentence"] == str(made)


def test_a_new_name_has_no_record_yet() -> None:
    [made] = planned([service()]).decisions
    assert decision(made)["have"] is None
