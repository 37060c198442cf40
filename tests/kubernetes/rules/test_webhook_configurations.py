"""Which webhooks a write passes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from testbed.kubernetes.rules.webhook_configurations import Write, matching

CREATE = Write("CREATE", "", "services", {"app": "web"}, None, {"kubernetes.io/metadata.name": "default"})


def configuration(name: str = "aws-load-balancer-webhook", **entry: Any) -> dict[str, Any]:
    """The chart's webhook for Services, with what a test changes."""
    return {
        "metadata": {"name": name},
        "webhooks": [
            {
                "name": f"m.{name}",
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["services"],
                    }
                ],
                "clientConfig": {
                    "service": {"namespace": "kube-system", "name": "hook", "path": "/mutate-v1-service"}
                },
                **entry,
            }
        ],
    }


@pytest.mark.parametrize(
    ("entry", "passes"),
    [
        ({}, True),
        ({"objectSelector": {"matchLabels": {"app": "web"}}}, True),
        ({"objectSelector": {"matchLabels": {"app": "other"}}}, False),
        ({"namespaceSelector": {"matchLabels": {"inject": "yes"}}}, False),
        (
            {
                "namespaceSelector": {
                    "matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "Exists"}]
                }
            },
            True,
        ),
        ({"rules": [{"apiGroups": ["*"], "operations": ["*"], "resources": ["*/*"]}]}, True),
        ({"rules": [{"apiGroups": [""], "operations": ["UPDATE"], "resources": ["services"]}]}, False),
        ({"rules": [{"apiGroups": ["apps"], "operations": ["CREATE"], "resources": ["services"]}]}, False),
        ({"rules": [{"apiGroups": [""], "operations": ["CREATE"], "resources": ["services/status"]}]}, False),
        (
            {
                "rules": [
                    {"apiGroups": [""], "operations": ["CREATE"], "resources": ["*"], "scope": "Cluster"}
                ]
            },
            False,
        ),
    ],
)
def test_rules_and_selectors_choose_the_writes(entry: dict[str, Any], passes: bool) -> None:
    assert bool(list(matching([configuration(**entry)], CREATE))) is passes


def test_an_update_passes_if_the_old_labels_or_the_new_ones_are_chosen() -> None:
    rules = [{"apiGroups": [""], "operations": ["UPDATE"], "resources": ["services"]}]
    chosen = [configuration(rules=rules, objectSelector={"matchLabels": {"app": "old"}})]
    update = replace(CREATE, operation="UPDATE", old_labels={"app": "old"})
    assert list(matching(chosen, update))
    assert not list(matching(chosen, replace(update, old_labels={})))


def test_they_come_by_the_names_of_their_configurations_with_the_defaults_of_the_api() -> None:
    first, second = matching([configuration("b"), configuration("a", failurePolicy="Ignore")], CREATE)
    assert [first.name, second.name] == ["m.a", "m.b"]
    assert (second.seconds, second.ignores_failure, first.ignores_failure) == (10, False, True)
    assert (second.service, second.path) == (("kube-system", "hook"), "/mutate-v1-service")


@pytest.mark.parametrize(("versions", "sent"), [(["v1beta1"], "v1beta1"), (["v2", "v1"], "v1"), ([], "v1")])
def test_a_webhook_is_sent_the_first_version_that_it_and_the_api_know(versions: list[str], sent: str) -> None:
    (webhook,) = matching([configuration(admissionReviewVersions=versions)], CREATE)
    assert webhook.version == sent
