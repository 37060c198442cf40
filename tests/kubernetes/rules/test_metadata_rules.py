from __future__ import annotations

from typing import Any

import pytest

from testbed.kubernetes.rules.metadata_rules import label_problems, problems
from testbed.kubernetes.rules.problems import Reason


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("Service", "envoy", "1st"),
        ("Namespace", "1st", "a.b"),
        ("ClusterRole", "system:Node", "a/b"),
        ("Ingress", "1st.a", "Rest"),
        ("Deployment", "a.b", "a_b"),
    ],
)
def test_each_kind_has_a_format_for_its_names(kind: str, right: str, wrong: str) -> None:
    assert list(problems(kind, {"name": right})) == []
    (problem,) = problems(kind, {"name": wrong})
    assert problem.field == "metadata.name"
    assert problem.message.startswith(f'Invalid value: "{wrong}": ')


def test_a_name_is_required() -> None:
    (problem,) = problems("Pod", {})
    assert str(problem) == "metadata.name: Required value: name or generateName is required"


@pytest.mark.parametrize(
    ("metadata", "path", "field"),
    [
        ({"namespace": "a.b"}, ("metadata", "namespace"), "metadata.namespace"),
        ({"labels": {"app": "the shop"}}, ("metadata", "labels", "app"), "metadata.labels"),
        ({"labels": {"A/b": ""}}, ("metadata", "labels", "A/b"), "metadata.labels"),
        ({"annotations": {"a b": "x"}}, ("metadata", "annotations", "a b"), "metadata.annotations"),
    ],
)
def test_the_problem_knows_the_key_and_is_named_by_the_map(
    metadata: dict[str, Any], path: tuple[str, ...], field: str
) -> None:
    (problem,) = problems("Pod", {"name": "p", **metadata})
    assert (problem.path, problem.field) == (path, field)


def test_the_prefix_of_an_annotation_may_have_capitals_and_that_of_a_label_may_not() -> None:
    assert list(problems("Pod", {"name": "p", "annotations": {"Example.com/a": "any text: {}"}})) == []
    assert list(label_problems(("spec", "selector"), {"Example.com/a": ""}))


def test_annotations_may_be_256_kib_together() -> None:
    most = {"a": "x" * (256 * 1024 - 1)}
    assert list(problems("Pod", {"name": "p", "annotations": most})) == []
    (problem,) = problems("Pod", {"name": "p", "annotations": {**most, "b": ""}})
    assert problem.reason is Reason.TOO_LONG
    assert problem.message == "Too long: may not be more than 262144 bytes"


@pytest.mark.parametrize(
    ("finalizers", "refused"),
    [
        (["service.k8s.aws/resources", "foregroundDeletion", "kubernetes"], []),
        (
            ["mine"],
            [
                'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name '
                "nor is it fully qualified"
            ],
        ),
        (
            ["orphan", "foregroundDeletion"],
            [
                'metadata.finalizers: Invalid value: []string{"orphan", "foregroundDeletion"}: finalizer '
                "orphan and foregroundDeletion cannot be both set"
            ],
        ),
    ],
)
def test_a_finalizer_is_one_of_kubernetes_or_has_a_prefix(finalizers: list[str], refused: list[str]) -> None:
    assert [str(one) for one in problems("Service", {"name": "s", "finalizers": finalizers})] == refused


def test_a_finalizer_of_a_custom_resource_needs_no_prefix_but_a_right_form() -> None:
    assert list(problems("", {"name": "s", "finalizers": ["mine"]})) == []
    (problem,) = problems("", {"name": "s", "finalizers": ["a b/c"]})
    assert (problem.path, problem.field) == (("metadata", "finalizers", 0), "metadata.finalizers")


def test_an_owner_is_named_in_full() -> None:
    owner = {"apiVersion": "v1", "kind": "Service", "name": "s", "uid": "u"}
    assert list(problems("Pod", {"name": "p", "ownerReferences": [owner]})) == []
    (problem,) = problems("Pod", {"name": "p", "ownerReferences": [{**owner, "uid": ""}]})
    assert str(problem) == 'metadata.ownerReferences[0].uid: Invalid value: "": uid must not be empty'
