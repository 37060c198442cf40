"""Whatever annotations a team writes, the rules answer; none raises, and every finding has a line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.check import manifest_reading, rule_registry
from testbed.kubernetes import manifests
from testbed.releases import Named
from tests.check.manifests_of_traps import EXTERNAL_DNS, INGRESS, PLAIN, SERVICE

PREFIXES = ("external-dns.alpha.kubernetes.io/", "external-dns.kubernetes.io/")
KEYS = st.one_of(
    st.tuples(
        st.sampled_from(PREFIXES),
        st.sampled_from(["hostname", "ttl", "set-identifier", "aws-weight", "controller", "target", "alias"]),
    ).map("".join),
    st.sampled_from(
        ["scheme", "group.name", "listen-ports", "success-codes", "backend-protocol-version", "subnets"]
    ).map("alb.ingress.kubernetes.io/".__add__),
    st.sampled_from(["type", "internal", "proxy-protocol", "target-group-attributes", "nlb-target-type"]).map(
        "service.beta.kubernetes.io/aws-load-balancer-".__add__
    ),
)
VALUES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["api.example.com", "API.example.com,", "*.example.com", "0", "external", "nlb", "GRPC", "*", "[]"]
    ),
)
FLAGS = st.lists(
    st.sampled_from(
        [
            "--source=service",
            "--source=",
            "--policy=upsert-only",
            "--registry=noop",
            "--annotation-filter=a in (",
            "--annotation-filter=a=b",
            "--interval=1h",
            "--interval=x",
            "--aws-prefer-cname",
            "--annotation-prefix=x/",
        ]
    ),
    max_size=4,
)


def changed(text: str, annotations: dict[str, str], args: list[str]) -> str:
    item = yaml.safe_load(text)
    if annotations:
        item["metadata"]["annotations"] = {**item["metadata"].get("annotations", {}), **annotations}
    if item["kind"] == "Deployment":
        item["spec"]["template"]["spec"]["containers"][0]["args"] = args
    return yaml.safe_dump(item)


@settings(max_examples=60)
@given(
    st.dictionaries(KEYS, VALUES, max_size=4),
    st.dictionaries(KEYS, VALUES, max_size=4),
    FLAGS,
    st.sampled_from(["v0.7.4", "v0.7.5", "v0.22"]),
)
def test_every_manifest_has_findings_with_a_line(
    of_service: dict[str, str], of_ingress: dict[str, str], args: list[str], version: str
) -> None:
    texts = (
        changed(SERVICE, of_service, []),
        PLAIN,
        changed(INGRESS, of_ingress, []),
        changed(EXTERNAL_DNS, {}, args),
    )
    loaded = [one for text in texts for one in manifests.parse(text, Path("all.yaml"))]
    for controller in ("v2.1", "v3"):
        named = Named(version, "--external-dns"), Named(controller, "--lb-controller")
        found = rule_registry.check(manifest_reading.Reading.of(loaded, *named))
        assert all(one.where.line and one.what and one.do for one in found)


@pytest.mark.parametrize(
    "text", ["", "spec: {}\n", "spec: {template: {}}\n", "spec: {template: {spec: {containers: []}}}\n"]
)
def test_a_deployment_of_any_shape_is_looked_at(text: str) -> None:
    loaded = manifests.parse(
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a}}\n{text}", Path("a.yaml")
    )
    assert rule_registry.check(manifest_reading.Reading.of(loaded, Named("v0.7.4", "--external-dns"))) == []
