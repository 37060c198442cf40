"""All sources are read, and what was merged or dropped on the way is kept as a decision."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.external_dns.core.facts import ALPHA_PREFIX, Fact, release_of
from testbed.external_dns.core.log_lines import quiet
from testbed.external_dns.core.reasons import Reason
from testbed.external_dns.offline.replay import Objects
from testbed.external_dns.process.desired_endpoints import DesiredEndpoints
from testbed.external_dns.process.flags import parse
from testbed.external_dns.process.object_order import ShuffledObjects, of_any_kind
from testbed.external_dns.sources.source import SourceError
from tests.external_dns.releases import READ

HOST, ALB = "app.example.com", "k8s-web-1.eu-west-1.elb.amazonaws.com"


def ingress(name: str, balancer: str = ALB) -> dict[str, Any]:
    return {
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"rules": [{"host": HOST}]},
        "status": {"loadBalancer": {"ingress": [{"hostname": balancer}]}},
    }


def desired(version: str, items: list[dict[str, Any]], *more: str, seed: int = 0) -> DesiredEndpoints:
    chosen, objects = release_of(version), Objects()
    for item in items:
        objects.apply(item)
    prefix = [f"--annotation-prefix={ALPHA_PREFIX}"] if chosen.has(Fact.ANNOTATION_PREFIX_FLAG) else []
    sources = ["--source=service", "--source=ingress"]
    flags = parse([*sources, "--policy=sync", *prefix, *more], chosen, {})
    shuffled = ShuffledObjects(objects.list, flags.annotation_prefix, seed, of_any_kind)
    return DesiredEndpoints(objects.list, shuffled, flags, chosen, quiet)


def uncounted(*_: object) -> None:
    """Count nothing."""


@pytest.mark.parametrize("version", READ)
def test_of_equal_claims_one_is_left_and_the_other_is_a_decision(version: str) -> None:
    reader = desired(version, [ingress("a"), ingress("b")])
    [kept] = reader.read(uncounted)
    [dropped] = reader.absorbed
    assert dropped.reason is Reason.DUPLICATE
    assert {kept.resource, dropped.claimants[0].resource} == {"ingress/default/a", "ingress/default/b"}
    assert dropped.beside is not None
    assert dropped.beside.resource == kept.resource


@pytest.mark.parametrize("version", READ)
def test_which_of_two_equal_claims_is_left_is_chance(version: str) -> None:
    winners = set()
    for seed in range(20):
        [kept] = desired(version, [ingress("a"), ingress("b")], seed=seed).read(uncounted)
        winners.add(kept.resource)
    assert winners == {"ingress/default/a", "ingress/default/b"}


def test_the_decisions_of_an_earlier_read_are_gone() -> None:
    reader = desired("v0.22", [ingress("a"), ingress("b")])
    reader.read(uncounted)
    reader.read(uncounted)
    assert len(reader.absorbed) == 1


def test_only_the_sources_of_the_flags_are_read() -> None:
    chosen, objects = release_of("v0.22"), Objects()
    objects.apply(ingress("a"))
    flags = parse(["--source=service", "--policy=sync"], chosen, {})
    shuffled = ShuffledObjects(objects.list, flags.annotation_prefix, 0, of_any_kind)
    assert DesiredEndpoints(objects.list, shuffled, flags, chosen, quiet).read(uncounted) == []


def test_a_template_that_fits_no_object_ends_the_read() -> None:
    with pytest.raises(SourceError, match="failed to apply template on Ingress default/a"):
        desired("v0.22", [ingress("a", "")], "--fqdn-template={{.Nothing}}").read(uncounted)
