"""A move that is tried: what moves, what stays, and what is sent again for ever."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from testbed.external_dns.core.facts import ALPHA_PREFIX, release_of
from testbed.external_dns.offline.tried_move import letting_go, try_on_empty_zone, txt_outside
from testbed.external_dns.process.flags import parse
from tests.external_dns.offline.planned import ARGUMENTS, FLAGS, HOST, VERSION, ingress, service

NEW = release_of("v0.22.0")
NEW_FLAGS = replace(parse(ARGUMENTS, NEW, {}), annotation_prefix=ALPHA_PREFIX)


def at(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    old, new = service(), ingress()
    old["metadata"]["annotations"][f"{ALPHA_PREFIX}hostname"] = name
    new["spec"] = {"rules": [{"host": name}]}
    return old, new


def test_a_name_moves_when_its_holder_lets_go_and_another_claims_it() -> None:
    for flags, release, moved in ((FLAGS, VERSION, ("A",)), (NEW_FLAGS, NEW, ("A", "AAAA"))):
        trial = try_on_empty_zone(HOST, "example.com", service(), [ingress()], flags, release)
        assert trial
        assert (trial.staying, trial.moved, trial.repeated) == ((), moved, 0)


def test_the_apex_of_a_zone_stays_without_an_owner() -> None:
    old, new = at("example.com")
    trial = try_on_empty_zone("example.com", "example.com", old, [new], NEW_FLAGS, NEW)
    assert trial
    assert (trial.staying, trial.moved) == (("A", "AAAA"), ())


def test_a_holder_that_makes_no_record_is_not_tried() -> None:
    assert try_on_empty_zone(HOST, "example.com", service(""), [ingress()], FLAGS, VERSION) is None


def test_an_object_lets_go_by_naming_another_controller_and_no_host() -> None:
    item = letting_go(service(), ALPHA_PREFIX)
    assert item["metadata"]["annotations"] == {f"{ALPHA_PREFIX}controller": "none"}


@pytest.mark.parametrize(
    ("name", "zones", "prefix", "txt"),
    [
        (HOST, ["example.com"], "", ""),
        ("example.com", ["example.com"], "", "a-example.com"),
        ("example.com", ["example.com"], "_owner.", "_owner.a-example.com"),
        ("example.com", ["example.com"], "%{record_type}.", ""),
        ("example.com", ["com"], "", ""),
        ("example.com", ["example.org"], "", ""),
    ],
)
def test_the_txt_of_an_apex_lies_outside_its_zone(name: str, zones: list[str], prefix: str, txt: str) -> None:
    assert txt_outside(name, replace(NEW_FLAGS, txt_prefix=prefix), NEW, zones) == txt


def test_without_the_registry_there_is_no_txt_to_miss() -> None:
    assert txt_outside("example.com", replace(NEW_FLAGS, registry="noop"), NEW, ["example.com"]) == ""
