"""YAML that must not be followed to its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.kubernetes import yaml_nodes


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 3_000,
        "\n".join(" " * depth + "a:" for depth in range(1_000)),
        "- " * 3_000,
        "? " * 3_000,
    ],
)
def test_what_is_nested_too_deeply_is_refused_before_it_is_followed(text: str) -> None:
    with pytest.raises(BadInput, match=r"^deep\.yaml:\d+: nested more than 150 deep"):
        list(yaml_nodes.documents(text, Path("deep.yaml")))


def test_many_brackets_beside_each_other_are_not_deep() -> None:
    (node,) = yaml_nodes.documents("a: [" + "[[]], " * 500 + "]\nb: '" + "[" * 200 + "'", Path("wide.yaml"))
    assert len(yaml_nodes.value(node, Path("wide.yaml"))["a"]) == 500


def test_aliases_of_aliases_that_stand_for_too_much_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(BadInput, match="its aliases stand for more than 2,000,000 values"):
        list(yaml_nodes.documents("\n".join(lines), Path("bomb.yaml")))
    assert list(yaml_nodes.documents("\n".join(lines[:4]), Path("small.yaml")))


def test_comments_are_told_from_texts_that_look_like_them() -> None:
    first = "a: b#c # one\n# two\nd: '# no'\ne: |\n  # no\nf: > # three\n  # no\n# four\n"
    text = first + "g: \U0001f600 # five # six"
    assert list(yaml_nodes.comments(text)) == [
        (1, "# one"),
        (2, "# two"),
        (6, "# three"),
        (8, "# four"),
        (9, "# five # six"),
    ]
