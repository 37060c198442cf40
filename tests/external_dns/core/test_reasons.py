"""Each decision says why, in one sentence that names the objects."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.external_dns.core import plan as planning
from testbed.external_dns.core import reasons
from testbed.external_dns.core.endpoint import OWNER, RESOURCE, Endpoint
from testbed.external_dns.core.facts import Fact, release_of
from testbed.external_dns.core.plan import Changes
from testbed.external_dns.core.reasons import Outcome, Reason
from tests.external_dns.releases import READ

NLB, ALB = "a0-1.elb.eu-west-1.amazonaws.com", "k8s-web-1.eu-west-1.elb.amazonaws.com"
SERVICE, INGRESS = "service/default/web", "ingress/default/web"


def endpoint(resource: str, target: str, owner: str | None = None, **more: Any) -> Endpoint:
    labels = {RESOURCE: resource} if resource else {}
    if owner is not None:
        labels[OWNER] = owner
    return Endpoint("app.example.com", more.pop("type", "A"), (target,), labels=labels, **more)


def planned(
    have: list[Endpoint], want: list[Endpoint], version: str = "v0.22", policy: str = "sync"
) -> Changes:
    found = planning.calculate(have, want, release=release_of(version), policy=policy, owner="me")
    return (
        found
        if release_of(version).has(Fact.OWNER_IN_PLAN)
        else planning.owned(found, release_of(version), "me")
    )


def only(changes: Changes) -> reasons.Decision:
    [decision] = changes.decisions
    return decision


@pytest.mark.parametrize("version", READ)
def test_a_claimant_that_the_txt_names_keeps_the_name_and_the_sentence_names_the_other(version: str) -> None:
    claims = [endpoint(SERVICE, NLB), endpoint(INGRESS, ALB)]
    found = only(planned([endpoint(INGRESS, ALB, "me")], claims, version))
    assert (found.outcome, found.reason, found.dropped) == (Outcome.NOTHING, Reason.KEPT_BY_LABEL, None)
    assert f"stays with {INGRESS}, which its TXT names, although {SERVICE} claims it too" in str(found)
    assert found.remedy == f"it moves when {INGRESS} gives up the name while {SERVICE} claims it"


def test_the_only_claimant_gets_a_record_whose_object_gave_it_up() -> None:
    found = only(planned([endpoint(SERVICE, NLB, "me")], [endpoint(INGRESS, ALB)]))
    assert (found.outcome, found.reason) == (Outcome.UPDATE, Reason.ONLY_CLAIMANT)
    assert str(found) == (
        f"app.example.com A moves to {INGRESS} ({NLB} -> {ALB}): it is the only claimant, and {SERVICE}, "
        "which its TXT names, no longer claims it"
    )


def test_of_several_claimants_of_a_new_name_the_smallest_target_wins() -> None:
    found = only(planned([], [endpoint(INGRESS, ALB), endpoint(SERVICE, NLB)]))
    assert (found.outcome, found.reason) == (Outcome.CREATE, Reason.SMALLEST_TARGET)
    assert found.winner == endpoint(SERVICE, NLB)
    assert f"among {INGRESS} ({ALB}), {SERVICE} ({NLB}) the smallest target wins" in str(found)


@pytest.mark.parametrize("version", READ)
@pytest.mark.parametrize(
    ("owner", "policy", "claimed", "reason", "words"),
    [
        ("other", "sync", True, Reason.OTHER_OWNER, 'its TXT names owner "other", not "me"'),
        (None, "sync", True, Reason.NO_OWNER, 'no TXT says that it belongs to owner "me"'),
        ("me", "create-only", True, Reason.POLICY, "--policy=create-only never changes what exists"),
        ("me", "upsert-only", False, Reason.POLICY, "--policy=upsert-only never deletes"),
    ],
)
def test_a_change_that_is_dropped_says_what_stands_in_its_way(
    version: str, owner: str | None, policy: str, claimed: bool, reason: Reason, words: str
) -> None:
    want = [endpoint(INGRESS, ALB)] if claimed else []
    changes = planned([endpoint(SERVICE, NLB, owner)], want, version, policy)
    found = only(changes)
    assert not changes
    assert found.dropped is reason
    if claimed:
        assert "would move" in str(found)
        assert str(found).endswith(f"; but {words}")
    else:
        stays = f" stays, although no object claims it, not even {SERVICE}, which its TXT names: {words}"
        assert str(found) == found.subject + stays
    assert found.remedy


@pytest.mark.parametrize("version", READ)
@pytest.mark.parametrize("policy", ["sync", "upsert-only", "create-only"])
def test_of_policy_and_owner_the_owner_is_told_for_no_policy_would_help(version: str, policy: str) -> None:
    found = only(planned([endpoint(SERVICE, NLB, "other")], [], version, policy))
    assert (found.outcome, found.dropped) == (Outcome.DELETE, Reason.OTHER_OWNER)
    assert "--txt-owner-id=other" in found.remedy


@pytest.mark.parametrize("version", READ)
def test_a_record_of_another_owner_that_stays_is_not_said_to_move(version: str) -> None:
    claims = [endpoint(SERVICE, NLB), endpoint(INGRESS, ALB)]
    found = only(planned([endpoint(INGRESS, ALB, "other")], claims, version))
    assert (found.outcome, found.dropped) == (Outcome.NOTHING, Reason.OTHER_OWNER)
    assert str(found).endswith('; and its TXT names owner "other", not "me"')
    assert "it moves" not in found.remedy


def test_a_record_beside_one_of_another_owner_is_not_created() -> None:
    have = [endpoint(SERVICE, NLB, "other")]
    changes = planned(have, [endpoint(SERVICE, NLB), endpoint(SERVICE, NLB, type="AAAA")])
    found = changes.decisions[1]
    assert changes.create == ()
    assert found.dropped is Reason.OTHER_OWNER
    assert 'app.example.com A with the same name belongs to owner "other"' in str(found)


def test_a_claim_of_a_type_that_is_not_managed_is_left_out() -> None:
    changes = planning.calculate(
        [],
        [endpoint(SERVICE, "2001:db8::1", type="AAAA")],
        release=release_of("v0.22"),
        policy="sync",
        owner="me",
        managed=("A", "CNAME"),
    )
    assert only(changes).reason is Reason.NOT_MANAGED
    assert "only A, CNAME records are managed" in str(only(changes))


def test_a_cname_beside_another_type_says_which_claim_excludes_it() -> None:
    changes = planned(
        [], [endpoint(SERVICE, "www.example.org", type="CNAME"), endpoint(INGRESS, "192.0.2.1")]
    )
    found = changes.decisions[0]
    assert found.reason is Reason.CNAME_EXCLUDED
    assert f"{INGRESS} asks for A under the same name" in str(found)


def test_a_remedy_names_the_txts_and_the_set_that_they_belong_to() -> None:
    value = '"heritage=external-dns,external-dns/owner=me"'
    txt = Endpoint("a-app.example.com", "TXT", (value,))
    found = only(planned([endpoint(SERVICE, NLB)], [endpoint(INGRESS, ALB)]))._replace(txts=(txt,))
    assert found.remedy == f"write a-app.example.com TXT {value}, or delete the record"
    assert " TXT with set identifier one " in found._replace(set_identifier="one").remedy
    assert "reads no TXT in the hosted zone as its own" in found._replace(txts=()).remedy


def test_a_label_that_an_equal_claim_hides_is_told_as_hidden() -> None:
    twin = "ingress/default/web-b"
    claims = [endpoint(SERVICE, NLB), endpoint(INGRESS, ALB)]
    duplicate = reasons.left_out(endpoint(twin, ALB), Reason.DUPLICATE, beside=claims[1])
    changes = planned([endpoint(twin, ALB, "me")], claims)
    [found] = reasons.with_hidden_labels(changes.decisions, [duplicate])
    assert f"{twin}, which its TXT names, is hidden by the equal claim of {INGRESS}" in str(found)
    assert "random at each sync" in found.remedy


def test_a_name_that_no_zone_takes_is_not_changed() -> None:
    changes = planned([], [endpoint(SERVICE, NLB)])
    [found] = reasons.unsent(changes.decisions, ["app.example.com"], Reason.NO_ZONE)
    assert found.dropped is Reason.NO_ZONE
    assert not found.is_change
