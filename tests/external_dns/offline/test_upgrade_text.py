"""An upgrade as text and JSON: each leg with its calls, what gets stuck, and what the flags mean then."""

from __future__ import annotations

import orjson

from testbed.external_dns.core.facts import release_of
from testbed.external_dns.offline.upgrade import upgrade
from testbed.external_dns.offline.upgrade_text import document, render
from tests.external_dns.offline.planned import HOST, NLB, left_by, service, zone

ARGUMENTS = ("--source=service", "--txt-owner-id=me")


def test_the_legs_are_told_with_their_calls_refusals_and_unread_annotations() -> None:
    zones = [zone(*left_by("v0.21.0", [service()]))]
    found = upgrade([service()], zones, ARGUMENTS, release_of("v0.21.0"), release_of("v0.22.0"))
    text = render(found, zones, ARGUMENTS)
    assert max(map(len, text.splitlines())) <= 100
    flat = " ".join(text.split())
    for words in (
        "ExternalDNS v0.21.0 to v0.22.0, and back --source=service --txt-owner-id=me",
        "zone.json: hosted zone example.com, 4 records",
        "Without an upgrade: v0.21.0 over the zone as it is sync 1: nothing is sent",
        "The upgrade: v0.22.0 over the zone as it is v0.22.0 does not start without --policy",
        "no longer read: external-dns.alpha.kubernetes.io/hostname of service/default/web",
        f"DELETE {HOST} A alias {NLB}",
        # v0.22 deletes the TXT `a-` of an alias, where v0.21 had written `cname-`.
        "Tried to delete resource record set [name='a-app.example.com.', type='TXT'] but it was not found",
        "The way back: v0.21.0 over what v0.22.0 leaves",
    ):
        assert words in flat


def test_json_has_the_calls_of_each_leg_and_what_gets_stuck() -> None:
    zones = [zone(*left_by("v0.21.0", [service()]))]
    found = upgrade([service()], zones, ARGUMENTS, release_of("v0.21.0"), release_of("v0.22.0"))
    form = orjson.loads(orjson.dumps(document(found, ARGUMENTS)))
    assert (form["from"], form["to"], form["flags"]) == ("v0.21.0", "v0.22.0", list(ARGUMENTS))
    assert [len(form[leg]["syncs"][0]["batches"]) for leg in ("before", "upgrade", "back")] == [0, 1, 0]
    assert {change["Action"] for change in form["upgrade"]["syncs"][0]["batches"][0]["changes"]} == {"DELETE"}
    assert form["back"]["two_balancers"] == form["back"]["frozen"] == form["back"]["undeletable"] == []


def test_a_release_that_can_die_is_told_in_its_leg() -> None:
    zones = [zone(*left_by("v0.15.1", [service()]))]
    found = upgrade([service()], zones, ARGUMENTS, release_of("v0.15.1"), release_of("v0.18.0"))
    _, _, legs = " ".join(render(found, zones, ARGUMENTS).split()).partition("The upgrade: v0.18.0")
    assert legs.count("ExternalDNS v0.18.0 can end in an index panic") == 1
    form = document(found, ARGUMENTS)
    assert [len(form[leg]["known_deaths"]) for leg in ("before", "upgrade", "back")] == [0, 1, 0]
