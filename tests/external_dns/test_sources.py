"""Which objects claim which names with which targets, as the flags and the version have it."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.external_dns.flags import parse
from testbed.external_dns.profile import PROFILES, profile
from testbed.external_dns.sources import SourceError, Sources

ALB = "k8s-web-1.eu-west-1.elb.amazonaws.com"


def _item(
    kind: str, spec: dict[str, Any], labels: dict[str, str] | None = None, **notes: str
) -> dict[str, Any]:
    annotations = {f"example.org/{name.replace('_', '-')}": value for name, value in notes.items()}
    return {
        "kind": kind,
        "metadata": {"namespace": "shop", "name": "web", "labels": labels or {}, "annotations": annotations},
        "spec": spec,
        "status": {"loadBalancer": {"ingress": [{"hostname": ALB}]}},
    }


def _read(
    item: dict[str, Any], *flags: str, version: str = "v0.22"
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Names and targets that an object gives, and the lines that it is told in."""
    chosen = profile(version)
    arguments = ["--source=service", "--policy=sync", *flags]
    if chosen.typed:
        arguments.append("--annotation-prefix=example.org/")
    else:
        notes = item["metadata"]["annotations"]
        item["metadata"]["annotations"] = {
            name.replace("example.org/", chosen.annotation_prefix): value for name, value in notes.items()
        }
    lines: list[str] = []
    sources = Sources(
        chosen, parse(arguments, chosen, {}), lambda level, text, **_: lines.append(f"{level}: {text}")
    )
    read = sources.services if item["kind"] == "Service" else sources.ingresses
    return {one.name: one.targets for one in read([item])}, lines


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
    found, _ = _read(_item("Ingress", spec, {"app": "web"}, hostname="note.test"), *flags)
    assert sorted(found) == sorted(names)


@pytest.mark.parametrize(
    ("spec", "flags", "targets"),
    [
        ({"type": "LoadBalancer"}, [], (ALB,)),
        ({"type": "LoadBalancer", "externalIPs": ["192.0.2.1"]}, [], ("192.0.2.1",)),
        ({"clusterIP": "10.0.0.1"}, [], None),
        ({"clusterIP": "10.0.0.1"}, ["--publish-internal-services"], ("10.0.0.1",)),
        ({"clusterIP": "None"}, ["--publish-internal-services"], None),
        ({"type": "ExternalName", "externalName": "a.test"}, [], ("a.test",)),
        ({"type": "LoadBalancer"}, ["--service-type-filter=LoadBalancer"], (ALB,)),
        ({"type": "LoadBalancer"}, ["--service-type-filter=ExternalName"], None),
    ],
)
@pytest.mark.parametrize("version", PROFILES)
def test_the_type_of_a_service_and_the_flags_choose_its_targets(
    version: str, spec: dict[str, Any], flags: list[str], targets: tuple[str, ...] | None
) -> None:
    found, _ = _read(_item("Service", spec, hostname="note.test"), *flags, version=version)
    assert found == ({"note.test": targets} if targets else {})


def test_v0_7_filters_no_service_by_label() -> None:
    item = _item("Service", {"type": "LoadBalancer"}, {"app": "web"}, hostname="note.test")
    assert _read(item, "--label-filter=app=api", version="v0.7.5")[0] == {"note.test": (ALB,)}


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
    item = _item("Service", {"type": "LoadBalancer"}, hostname="note.test", ttl=ttl)
    _, lines = _read(item)
    assert [one for one in lines if one.startswith("warning")] == ([line] if line else [])


def test_a_name_with_too_long_a_label_makes_no_endpoint_since_v0_13() -> None:
    name = "x" * 64 + ".test"
    item = _item("Service", {"type": "LoadBalancer"}, hostname=f"{name},short.test")
    found, lines = _read(item)
    assert list(found) == ["short.test"]
    assert f"error: label {'x' * 64} in {name} is longer than 63 characters. Cannot create endpoint" in lines
    old = _item("Service", {"type": "LoadBalancer"}, hostname=name)
    assert list(_read(old, version="v0.7.4")[0]) == [name]


def test_a_template_that_does_not_fit_stops_the_sync() -> None:
    item = _item("Service", {"type": "LoadBalancer"})
    with pytest.raises(SourceError, match="failed to apply template on Service shop/web"):
        _read(item, "--fqdn-template={{.Nothing}}.test")


def test_another_controller_is_told_at_each_sync_before_v0_13_and_once_since() -> None:
    for version, count in (("v0.7.5", 2), ("v0.22", 1)):
        item = _item("Service", {"type": "LoadBalancer"}, hostname="note.test", controller="other")
        chosen, lines = profile(version), list[str]()
        prefix = [f"--annotation-prefix={'example.org/'}"] if chosen.typed else []
        if not chosen.typed:
            notes = item["metadata"]["annotations"]
            item["metadata"]["annotations"] = {
                name.replace("example.org/", chosen.annotation_prefix): value for name, value in notes.items()
            }
        flags = parse(["--source=service", "--policy=sync", *prefix], chosen, {})
        sources = Sources(chosen, flags, lambda level, text, lines=lines, **_: lines.append(text))  # type: ignore[misc]
        assert sources.services([item]) + sources.services([item]) == []
        assert len([line for line in lines if line.startswith("Skipping ")]) == count
    assert lines[0] == (
        "Skipping '/shop/web' because controller 'example.org/controller' value does not match, "
        "found: 'other', required: 'dns-controller'"
    )


def test_a_manifest_without_a_namespace_is_in_the_default_one() -> None:
    item = _item("Service", {"type": "LoadBalancer"})
    del item["metadata"]["namespace"]
    assert list(_read(item, "--fqdn-template={{.Name}}.{{.Namespace}}.test")[0]) == ["web.default.test"]
