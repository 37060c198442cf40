"""Annotations mean the same on every kind of object: TTL, controller, targets, template, properties."""

from __future__ import annotations

import pytest

from testbed.external_dns.core.facts import Fact, annotation_prefix, release_of
from testbed.external_dns.core.log_lines import LeveledLog
from testbed.external_dns.process.flags import parse
from testbed.external_dns.sources.annotated_source import balancer_targets, title, with_balancer
from testbed.external_dns.sources.service import ServiceSource
from testbed.external_dns.sources.source import SourceContext, SourceError
from testbed.external_dns.sources.source_table import SOURCES
from tests.external_dns.sources.annotated_objects import ALB, item, read


@pytest.mark.parametrize(
    ("ttl", "line"),
    [
        ("10m", ""),
        ("60", ""),
        ("soon", 'warning: service/shop/web: "soon" is not a valid TTL value: time: invalid duration "soon"'),
        ("0", "warning: TTL value 0 must be between [1, 2147483647]"),
        ("-5s", "warning: TTL value -5 must be between [1, 2147483647]"),
    ],
)
def test_a_ttl_that_is_not_valid_is_told(ttl: str, line: str) -> None:
    manifest = item("Service", {"type": "LoadBalancer"}, hostname="note.test", ttl=ttl)
    _, lines = read(manifest)
    assert [one for one in lines if one.startswith("warning")] == ([line] if line else [])


def test_a_name_with_too_long_a_label_makes_no_endpoint_since_v0_13() -> None:
    name = "x" * 64 + ".test"
    manifest = item("Service", {"type": "LoadBalancer"}, hostname=f"{name},short.test")
    found, lines = read(manifest)
    assert list(found) == ["short.test"]
    assert f"error: label {'x' * 64} in {name} is longer than 63 characters. Cannot create endpoint" in lines
    old = item("Service", {"type": "LoadBalancer"}, hostname=name)
    assert list(read(old, version="v0.7.4")[0]) == [name]


def test_a_template_that_does_not_fit_stops_the_sync() -> None:
    manifest = item("Service", {"type": "LoadBalancer"})
    with pytest.raises(SourceError, match="failed to apply template on Service shop/web"):
        read(manifest, "--fqdn-template={{.Nothing}}.test")


def test_another_controller_is_told_at_each_sync_before_v0_13_and_once_since() -> None:
    for version, count in (("v0.7.5", 2), ("v0.22", 1)):
        manifest = item("Service", {"type": "LoadBalancer"}, hostname="note.test", controller="other")
        chosen, lines = release_of(version), list[str]()
        prefix = [f"--annotation-prefix={'example.org/'}"] if chosen.has(Fact.ANNOTATION_PREFIX_FLAG) else []
        if not chosen.has(Fact.ANNOTATION_PREFIX_FLAG):
            notes = manifest["metadata"]["annotations"]
            manifest["metadata"]["annotations"] = {
                name.replace("example.org/", annotation_prefix(chosen)): value
                for name, value in notes.items()
            }
        flags = parse(["--source=service", "--policy=sync", *prefix], chosen, {})
        log = LeveledLog("debug", lambda line, lines=lines: lines.append(line.message))  # type: ignore[misc]
        source = ServiceSource(SourceContext(chosen, flags, log))
        assert source.endpoints([manifest]) + source.endpoints([manifest]) == []
        assert len([line for line in lines if line.startswith("Skipping ")]) == count
    assert lines[0] == (
        "Skipping '/shop/web' because controller 'example.org/controller' value does not match, "
        "found: 'other', required: 'dns-controller'"
    )


def test_a_manifest_without_a_namespace_is_in_the_default_one() -> None:
    manifest = item("Service", {"type": "LoadBalancer"})
    del manifest["metadata"]["namespace"]
    assert list(read(manifest, "--fqdn-template={{.Name}}.{{.Namespace}}.test")[0]) == ["web.default.test"]


@pytest.mark.parametrize(("kind", "spec"), [("Service", {"type": "LoadBalancer"}), ("Ingress", {})])
def test_annotations_of_aws_become_properties(kind: str, spec: dict[str, str]) -> None:
    chosen = release_of("v0.22")
    flags = parse(["--source=service", "--policy=sync", "--annotation-prefix=example.org/"], chosen, {})
    notes = {"hostname": "note.test", "aws_weight": "10", "alias": "true", "set_identifier": "blue"}
    source = SOURCES[kind.lower()](SourceContext(chosen, flags))
    [endpoint] = source.endpoints([item(kind, spec, None, **notes)])
    assert endpoint.properties == {"aws/weight": "10", "alias": "true"}
    assert (endpoint.set_identifier, endpoint.resource) == ("blue", f"{kind.lower()}/shop/web")


def test_an_object_gets_a_placeholder_balancer_only_if_it_has_none() -> None:
    manifest = item("Ingress", {})
    assert with_balancer(manifest) is manifest
    assert balancer_targets(manifest) == [ALB]
    pending = {**manifest, "status": {"loadBalancer": {}}}
    assert balancer_targets(pending) == []
    assert len(balancer_targets(with_balancer(pending))) == 1
    assert title(pending) == "shop/web"
