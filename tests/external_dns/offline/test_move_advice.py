"""The next holder claims first and the present one lets go afterwards, both ways."""

from __future__ import annotations

import dataclasses
from typing import Any

from testbed.external_dns.core.endpoint import RESOURCE, Endpoint
from testbed.external_dns.offline import move_advice
from testbed.external_dns.offline.move_advice import Situation
from tests.external_dns.offline.planned import ALB, FLAGS, HOST, NLB, VERSION, ingress, service

SERVICE, INGRESS = "service/default/web", "ingress/default/web"
ANNOTATE = "kubectl annotate -n default"
PREFIX = FLAGS.annotation_prefix


def claim(resource: str, target: str) -> Endpoint:
    return Endpoint(HOST, "CNAME", (target,), labels={RESOURCE: resource})


def situation(holder: str, *claims: Endpoint, **flags: Any) -> Situation:
    items = {SERVICE: service(), INGRESS: ingress(), "ingress/default/twin": ingress("twin")}
    return Situation(HOST, holder, claims, items, dataclasses.replace(FLAGS, **flags), VERSION)


BOTH = claim(SERVICE, NLB), claim(INGRESS, ALB)


def test_a_service_lets_go_by_its_annotation_and_takes_the_name_back_by_it() -> None:
    held = situation(SERVICE, *BOTH)
    [step] = move_advice.there(held)
    assert step.commands == (f"{ANNOTATE} service/web {PREFIX}hostname-",)
    assert step.text.endswith(f"UPSERT to {INGRESS}.")
    again, release = move_advice.back(held)
    assert again.commands == (f"{ANNOTATE} service/web {PREFIX}hostname={HOST} --overwrite",)
    assert release.commands == (f"{ANNOTATE} ingress/web {PREFIX}controller=none",)


def test_an_ingress_lets_go_by_the_controller_annotation_or_in_the_fields_that_name_the_host() -> None:
    [step] = move_advice.there(situation(INGRESS, *BOTH))
    assert "Remove the host from spec.rules and spec.tls" in step.text
    assert step.commands == (f"{ANNOTATE} ingress/web {PREFIX}controller=none",)


def test_other_names_of_a_service_stay() -> None:
    held = situation(SERVICE, *BOTH)
    annotations = {f"{PREFIX}hostname": f"{HOST}, api.example.com"}
    item = {**service(), "metadata": {**service()["metadata"], "annotations": annotations}}
    [step] = move_advice.there(dataclasses.replace(held, items={**held.items, SERVICE: item}))
    assert step.commands == (f"{ANNOTATE} service/web {PREFIX}hostname=api.example.com --overwrite",)


def test_a_holder_alone_waits_for_the_next_claim_first() -> None:
    first, second = move_advice.there(situation(SERVICE, BOTH[0]))
    assert first.text.startswith(f"Let the next object claim {HOST} too")
    assert first.commands == ()
    assert second.commands != ()


def test_without_a_registry_no_object_holds_a_name_and_there_is_no_way_back() -> None:
    unregistered = situation(SERVICE, *BOTH, registry="noop")
    [step] = move_advice.there(unregistered)
    assert "at every sync the smallest target wins" in step.text
    assert list(move_advice.back(unregistered)) == []


def test_each_danger_is_a_caution_where_it_exists() -> None:
    def cautions(*claims: Endpoint, **flags: Any) -> str:
        return " ".join(move_advice.cautions(situation(SERVICE, *claims, **flags)))

    assert "ExternalDNS deletes the record" in cautions(*BOTH)
    assert "deletes the record" not in cautions(*BOTH, policy="upsert-only")
    assert "--policy=create-only never changes a record" in cautions(*BOTH, policy="create-only")
    assert "random at each sync" not in cautions(*BOTH)
    twins = (claim(INGRESS, ALB), claim("ingress/default/twin", ALB))
    assert "ingress/default/twin and ingress/default/web claim the same target" in cautions(BOTH[0], *twins)
    assert "up to 60 s later" in cautions(*BOTH)
