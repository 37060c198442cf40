"""Which lists are merged, and by which key."""

from __future__ import annotations

import pytest

from testbed.kubernetes.api.merge_keys import is_atomic_map, list_rule, retains_keys

POD_SPECS = {
    "Pod": ("spec",),
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}


@pytest.mark.parametrize(
    ("kind", "path", "patch_key", "map_keys"),
    [
        ("Service", ("spec", "ports"), "port", ("port", "protocol")),
        ("Ingress", ("metadata", "ownerReferences"), "uid", ("uid",)),
        ("Pod", ("status", "conditions"), "type", ("type",)),
        ("ServiceAccount", ("secrets",), "name", ("name",)),
    ],
)
def test_a_list_is_merged_by_its_key(
    kind: str, path: tuple[str, ...], patch_key: str, map_keys: tuple[str, ...]
) -> None:
    rule = list_rule(kind, path)
    assert rule
    assert (rule.patch_key, rule.map_keys) == (patch_key, map_keys)


@pytest.mark.parametrize("kind", POD_SPECS)
def test_the_lists_of_a_pod_are_merged_wherever_its_template_stands(kind: str) -> None:
    pod = POD_SPECS[kind]
    env = list_rule(kind, (*pod, "containers", "env"))
    assert env
    assert env.patch_key == "name"
    assert list_rule(kind, (*pod, "tolerations")) is None
    assert list_rule(kind, (*pod, "containers", "args")) is None


def test_finalizers_are_a_set() -> None:
    rule = list_rule("Service", ("metadata", "finalizers"))
    assert rule
    assert (rule.patch_key, rule.map_keys) == ("", ())


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Service", ("spec", "loadBalancerSourceRanges")),
        ("Ingress", ("spec", "rules")),
        ("Ingress", ("spec", "tls")),
        ("ConfigMap", ("spec", "ports")),
    ],
)
def test_any_other_list_is_one_value(kind: str, path: tuple[str, ...]) -> None:
    assert list_rule(kind, path) is None


def test_unions_name_the_fields_that_stay() -> None:
    assert retains_keys("Deployment", ("spec", "strategy"))
    assert retains_keys("Deployment", ("spec", "template", "spec", "volumes"))
    assert retains_keys("Pod", ("spec", "volumes"))
    assert not retains_keys("Deployment", ("spec", "template", "spec", "containers"))
    assert not retains_keys("Service", ("spec", "volumes"))


def test_a_selector_is_owned_as_one_value() -> None:
    assert is_atomic_map("Service", ("spec", "selector"))
    assert is_atomic_map("Deployment", ("spec", "selector", "matchLabels"))
    assert not is_atomic_map("Service", ("metadata", "labels"))
    assert not is_atomic_map("ConfigMap", ("data", "selector"))
