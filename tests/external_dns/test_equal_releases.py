"""Releases with equal facts, flags and known balancers send and log the same, byte for byte."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from importlib import resources
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from testbed.dated_releases import EXTERNAL_DNS_RELEASES, Release
from testbed.external_dns.core.facts import ALPHA_PREFIX, Fact
from testbed.external_dns.offline.replay import replay
from testbed.external_dns.process import flags

HOSTS = ("app.example.com", "api.example.com", "example.com", "*.example.com")
TARGETS = (
    "a1.elb.us-east-1.amazonaws.com",
    "k8s-web-1.us-east-1.elb.amazonaws.com",
    "203.0.113.9",
    "2001:db8::1",
    "d1.cloudfront.net",
    "web-1.ap-southeast-3.elb.amazonaws.com",
    "elsewhere.example.net",
)
NOTES: Mapping[str, tuple[str, ...]] = {
    "ttl": ("60", "never"),
    "alias": ("true",),
    "target": TARGETS,
    "set-identifier": ("one", "two"),
    "aws-weight": ("1", "many"),
    "aws-evaluate-target-health": ("false",),
    "internal-hostname": ("in.example.com",),
    "ingress-hostname-source": ("annotation-only",),
    "controller": ("other",),
}


@st.composite
def items(draw: st.DrawFn) -> dict[str, Any]:
    kind, target = draw(st.sampled_from(["Service", "Ingress"])), draw(st.sampled_from(TARGETS))
    names = draw(st.lists(st.sampled_from(list(NOTES)), max_size=3, unique=True))
    notes = {ALPHA_PREFIX + name: draw(st.sampled_from(NOTES[name])) for name in names}
    host = draw(st.sampled_from(HOSTS))
    if kind == "Service":
        notes[ALPHA_PREFIX + "hostname"] = host
    field = "hostname" if target[-1].isalpha() else "ip"
    return {
        "kind": kind,
        "metadata": {"name": draw(st.sampled_from("abc")), "namespace": "default", "annotations": notes},
        "spec": {"type": "LoadBalancer"} if kind == "Service" else {"rules": [{"host": host}]},
        "status": {"loadBalancer": {"ingress": [{field: target}]}},
    }


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    config = {"policy": draw(st.sampled_from(["sync", "upsert-only", "create-only"])), "owner_id": "me"}
    if prefix := draw(st.sampled_from(["", "txt-", "%{record_type}."])):
        config["txt_prefix"] = prefix
    steps = draw(st.lists(st.lists(items(), max_size=3), min_size=1, max_size=3))
    return {
        "config": config,
        "steps": [{"do": [{"apply": item} for item in step], "syncs": 2} for step in steps],
    }


def behaviour(release: Release) -> tuple[frozenset[Any], ...]:
    """Everything that code can ask a release for: facts, flags, and the balancers that it knows."""
    text = resources.files("testbed.external_dns").joinpath("canonical_zones.txt").read_text()
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    known = frozenset(suffix for suffix, _, since in rows if release.is_since(since))
    return release.facts(Fact), flags.names(release), known


EQUAL = [
    (old, new)
    for old, new in itertools.pairwise(EXTERNAL_DNS_RELEASES.values())
    if behaviour(old) == behaviour(new)
]


def test_there_are_equal_releases_and_the_newest_is_none_of_them() -> None:
    assert [new.tag for _, new in EQUAL] == ["v0.10.0", "v0.10.1", "v0.11.0", "v0.16.1"]


@given(histories(), st.sampled_from(EQUAL), st.integers(0, 3))
def test_equal_releases_do_the_same(
    history: dict[str, Any], pair: tuple[Release, Release], seed: int
) -> None:
    old, new = (orjson.dumps(replay(history, release, seed)) for release in pair)
    assert old == new


@given(histories(), st.sampled_from(list(EXTERNAL_DNS_RELEASES.values())), st.integers(0, 3))
def test_every_release_plays_every_history(history: dict[str, Any], release: Release, seed: int) -> None:
    assert len(replay(history, release, seed)) == len(history["steps"])
