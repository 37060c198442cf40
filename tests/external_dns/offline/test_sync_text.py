"""The text of a sync has the batches, the reasons, and what would change them."""

from __future__ import annotations

from testbed.external_dns.core.endpoint import RESOURCE, Endpoint
from testbed.external_dns.core.reasons import Reason, left_out
from testbed.external_dns.offline.repeated_syncs import Sync
from testbed.external_dns.offline.sync_text import by_name, is_foreign, render, without_address
from testbed.external_dns.offline.zone_file import ZoneFile
from tests.external_dns.offline.planned import ALB, HOST, NLB, ingress, planned, records, service, zone


def text_of(sync: Sync, zones: list[ZoneFile]) -> str:
    """Return the text on one line."""
    return " ".join(render(sync, zones, {}).split())


def test_a_move_is_a_batch_with_its_reason() -> None:
    text = text_of(planned([ingress()], *records()), [zone(*records())])
    assert "zone.json: hosted zone example.com, 2 records" in text
    assert f"Batch to example.com, 2 changes UPSERT {HOST} A alias {ALB}" in text
    assert (
        "it is the only claimant, and service/default/web, which its TXT names, no longer claims it" in text
    )


def test_a_claim_that_changes_nothing_has_a_remedy() -> None:
    text = text_of(planned([service(), ingress()], *records()), [zone(*records())])
    assert "ExternalDNS would send nothing." in text
    assert (
        "-> it moves when service/default/web gives up the name while ingress/default/web claims it" in text
    )


def test_an_object_without_an_address_is_warned_of_first() -> None:
    text = text_of(planned([service("")]), [zone()])
    assert "Careful: without an address, and so without a claim: service/default/web." in text
    assert f"Named, but not claimed {HOST} is not claimed by service/default/web yet" in text


def test_a_route_without_a_gateway_is_said_where_its_address_comes_from() -> None:
    claim = Endpoint(HOST, "A", (), labels={RESOURCE: "httproute/default/web"})
    lines = " ".join(without_address([left_out(claim, Reason.NO_GATEWAY)]))
    assert "without a claim: httproute/default/web." in lines
    assert "--status gateway/NAMESPACE/NAME=HOSTNAME" in lines


def test_records_of_others_are_one_line() -> None:
    theirs = records("you")
    sync = planned([], *theirs)
    assert [is_foreign(one) for one in sync.decisions] == [True]
    assert (
        "Left alone, since no object claims them and they are not this owner's: app.example.com"
        in text_of(sync, [zone(*theirs)])
    )


def test_equal_claims_show_what_another_order_would_do() -> None:
    sync = planned([service(), ingress("a"), ingress("b")], *records("me", "ingress/default/a"))
    assert sync.others
    assert "This depends on chance" in text_of(sync, [zone()])


def test_decisions_of_a_and_aaaa_are_two_rows_even_where_their_sentence_is_the_same() -> None:
    sync = planned([ingress()], *records())
    [decision] = sync.decisions
    pair = [decision._replace(type=kind) for kind in ("A", "AAAA")]
    other = decision._replace(name="a.example.com")
    assert by_name([*pair, *pair, other]) == [other, *pair]


def test_a_name_whose_families_part_is_said_with_both_balancers() -> None:
    alias = {"HostedZoneId": "Z32O12XQLNTSW2", "DNSName": f"{ALB}.", "EvaluateTargetHealth": True}
    parting = [*records(), {"Name": f"{HOST}.", "Type": "AAAA", "AliasTarget": alias}]
    text = text_of(planned([service()], *parting), [zone(*parting)])
    assert (
        f"One name, two balancers: IPv4 and IPv6 clients part {HOST}: A leads to {NLB}, AAAA to {ALB}" in text
    )
    assert "One name, two balancers" not in text_of(planned([service()], *records()), [zone(*records())])
