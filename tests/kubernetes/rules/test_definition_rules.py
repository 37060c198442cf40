from __future__ import annotations

from typing import Any

import pytest

from testbed.kubernetes.rules.definition_rules import problems


def definition(name: str = "widgets.example.com", **spec: Any) -> dict[str, Any]:
    names = {"plural": "widgets", "kind": "Widget"}
    full = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [{"name": "v1"}]}
    return {"metadata": {"name": name}, "spec": {**full, **spec}}


def test_a_whole_definition_of_either_version_is_right() -> None:
    assert list(problems(definition())) == []
    assert list(problems(definition(versions=None, version="v1"))) == []


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (definition(group=""), "spec.group: Required value"),
        (definition(scope=None), "spec.scope: Required value"),
        (definition(names={"plural": "widgets"}), "spec.names.kind: Required value"),
        (definition(versions=[]), "spec.versions: Required value"),
        (
            definition("gadgets.example.com"),
            'metadata.name: Invalid value: "gadgets.example.com": must be spec.names.plural+"."+spec.group',
        ),
    ],
)
def test_what_is_missing_is_named(item: dict[str, Any], words: str) -> None:
    assert [str(problem) for problem in problems(item)] == [words]
