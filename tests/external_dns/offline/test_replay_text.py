"""A played history and a comparison are short: equal syncs are one, known reasons are not repeated."""

from __future__ import annotations

from typing import Any

from testbed.external_dns.core.facts import ALPHA_PREFIX, release_of
from testbed.external_dns.offline import replay_text
from testbed.external_dns.offline.replay import Play
from testbed.external_dns.offline.version_comparison import compare

HOST, NLB = "app.example.com", "a0-1.elb.eu-west-1.amazonaws.com"
OLD, NEW = release_of("v0.7.4"), release_of("v0.22")


def service(annotated: bool = True) -> dict[str, Any]:
    return {
        "kind": "Service",
        "metadata": {"name": "web", "annotations": {f"{ALPHA_PREFIX}hostname": HOST} if annotated else {}},
        "spec": {"type": "LoadBalancer"},
        "status": {"loadBalancer": {"ingress": [{"hostname": NLB}]}},
    }


HISTORY = {
    "id": "one",
    "name": "a Service",
    "config": {"policy": "sync", "owner_id": "me"},
    "steps": [
        {"label": "it claims", "do": [{"apply": service()}], "syncs": 3},
        {"do": [{"apply": service(annotated=False)}], "syncs": 1},
    ],
}


def test_a_history_names_each_step_and_joins_equal_syncs() -> None:
    lines = list(replay_text.history(HISTORY, Play(HISTORY, OLD).steps()))
    assert lines[:2] == ["one a Service", "  it claims"]
    assert "    sync 1: 2 changes" in lines
    assert "    syncs 2 to 3: nothing is sent" in lines
    assert "  (without a label)" in lines
    assert lines[-2:] == ["  records at the end, without TXTs", "    none"]


def test_a_reason_is_printed_once_for_a_step() -> None:
    text = "\n".join(replay_text.history(HISTORY, Play(HISTORY, OLD).steps()))
    assert text.count("stays with service/default/web") == 1
    assert text.count("is created for service/default/web") == 1
    assert text.count("no object claims it") == 1


def test_a_comparison_says_where_versions_part_in_text_and_json() -> None:
    found = compare(HISTORY, OLD, NEW)
    lines = list(replay_text.comparison(found, "v0.7.4", "v0.22"))
    assert lines[:2] == ["one a Service", "  step 1, it claims"]
    assert f"    only v0.22: {HOST} AAAA alias {NLB}" in lines
    assert "    the same records again from here on" in lines
    form = replay_text.comparison_form(found, "v0.7.4", "v0.22")
    assert [one["step"] for one in form["partings"]] == [1, 2]
    assert form["partings"][0]["v0.22"] == [f"{HOST} AAAA alias {NLB}"]
    assert set(form["upgrade"]) >= {"batches", "log"}


def test_versions_that_do_not_part_say_so() -> None:
    lines = list(replay_text.comparison(compare(HISTORY, OLD, OLD), "v0.7.4", "v0.7.4"))
    assert "  v0.7.4 and v0.7.4: the same records after every step" in lines


def test_a_history_without_a_name_has_a_title() -> None:
    assert replay_text.title({}) == "(without a name)"
