"""Names of an Ingress come from its rules, TLS entries and annotation, as the flags choose."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.external_dns.core.endpoint import DUALSTACK
from testbed.external_dns.core.facts import ALPHA_PREFIX, Fact, release_of
from testbed.external_dns.process.flags import parse
from testbed.external_dns.sources.ingress import IP_TYPE, IngressSource
from testbed.external_dns.sources.source import SourceContext
from tests.external_dns.sources.annotated_objects import ALB, item, read

SPEC: dict[str, Any] = {"rules": [{"host": "rule.test"}, {}], "tls": [{"hosts": ["tls.test"]}]}


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        ([], ["rule.test", "tls.test", "note.test"]),
        (["--ignore-ingress-rules-spec"], ["tls.test", "note.test"]),
        (["--ignore-ingress-tls-spec"], ["rule.test", "note.test"]),
        (["--fqdn-template={{.Name}}.test", "--ignore-hostname-annotation"], ["rule.test", "tls.test"]),
        (
            ["--fqdn-template={{.Name}}.test", "--combine-fqdn-annotation"],
            ["rule.test", "tls.test", "note.test", "web.test"],
        ),
        (["--ingress-class=alb"], ["rule.test", "tls.test", "note.test"]),
        (["--ingress-class=nginx"], []),
        (["--label-filter=app in (web,api)"], ["rule.test", "tls.test", "note.test"]),
        (["--label-filter=app!=web"], []),
        (["--namespace=shop"], ["rule.test", "tls.test", "note.test"]),
        (["--namespace=other"], []),
    ],
)
def test_the_flags_choose_the_hosts_of_an_ingress(flags: list[str], names: list[str]) -> None:
    spec = {"ingressClassName": "alb", "rules": [{"host": "rule.test"}], "tls": [{"hosts": ["tls.test"]}]}
    found, _ = read(item("Ingress", spec, {"app": "web"}, hostname="note.test"), *flags)
    assert sorted(found) == sorted(names)


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("defined-hosts-only", ["rule.test", "tls.test"]),
        ("annotation-only", ["note.test"]),
        ("Annotation-Only", ["note.test"]),
        ("neither", []),
    ],
)
def test_an_annotation_chooses_where_names_come_from_since_v0_13(choice: str, names: list[str]) -> None:
    notes = {"hostname": "note.test", "ingress_hostname_source": choice}
    assert list(read(item("Ingress", SPEC, None, **notes))[0]) == names
    old, _ = read(item("Ingress", SPEC, None, **notes), version="v0.7.5")
    assert list(old) == ["rule.test", "tls.test", "note.test"]


def test_the_target_annotation_replaces_the_balancer() -> None:
    assert read(item("Ingress", SPEC))[0]["rule.test"] == (ALB,)
    assert read(item("Ingress", SPEC, target="192.0.2.1, 192.0.2.2"))[0]["rule.test"] == (
        "192.0.2.1",
        "192.0.2.2",
    )


def test_the_dualstack_annotation_of_the_alb_labels_endpoints_of_v0_7_only() -> None:
    manifest = item("Ingress", SPEC)
    manifest["metadata"]["annotations"] = {IP_TYPE: DUALSTACK}
    for version, label in (("v0.7.4", "true"), ("v0.22", None)):
        prefix = (
            [f"--annotation-prefix={ALPHA_PREFIX}"]
            if release_of(version).has(Fact.ANNOTATION_PREFIX_FLAG)
            else []
        )
        flags = parse(["--source=ingress", "--policy=sync", *prefix], release_of(version), {})
        endpoints = IngressSource(SourceContext(release_of(version), flags)).endpoints([manifest])
        assert {one.labels.get(DUALSTACK) for one in endpoints} == {label}


def test_the_spec_names_hosts_by_field_and_a_rule_without_a_host_has_none() -> None:
    hosts = IngressSource.hosts_in_spec(item("Ingress", SPEC))
    assert hosts == {"spec.rules": ["rule.test", ""], "spec.tls": ["tls.test"]}
    bare = IngressSource.hosts_in_spec({"kind": "Ingress", "metadata": {"name": "web"}})
    assert bare == {"spec.rules": [], "spec.tls": []}
