from __future__ import annotations

import pytest

from testbed.kubernetes.rules.problems import (
    Path,
    Problem,
    Raw,
    Reason,
    dotted,
    duplicate,
    forbidden,
    go_strings,
    invalid,
    required,
    too_long,
    unsupported,
)

PATH: Path = ("spec", "ports", 0, "name")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (PATH, "spec.ports[0].name"),
        (("metadata", "annotations", "example.com/a"), "metadata.annotations[example.com/a]"),
        (("spec", "a-b_c"), "spec.a-b_c"),
    ],
)
def test_a_path_is_printed_as_kubernetes_prints_it(path: Path, text: str) -> None:
    assert dotted(path) == text


# The words of field.Error in apimachinery's errors_test.go, for values of these types.
@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (invalid(PATH, "a b", "bad"), 'spec.ports[0].name: Invalid value: "a b": bad'),
        (invalid(PATH, 0, "bad"), "spec.ports[0].name: Invalid value: 0: bad"),
        (invalid(PATH, Raw("[]string{}"), "bad"), "spec.ports[0].name: Invalid value: []string{}: bad"),
        (
            invalid(PATH, go_strings(["a", "b"]), "bad"),
            'spec.ports[0].name: Invalid value: []string{"a", "b"}: bad',
        ),
        (too_long(PATH, 250), "spec.ports[0].name: Too long: may not be more than 250 bytes"),
        (required(PATH), "spec.ports[0].name: Required value"),
        (required(PATH, "name it"), "spec.ports[0].name: Required value: name it"),
        (forbidden(PATH, "not here"), "spec.ports[0].name: Forbidden: not here"),
        (duplicate(PATH, "http"), 'spec.ports[0].name: Duplicate value: "http"'),
        (
            unsupported(PATH, "c", ("b", "a")),
            'spec.ports[0].name: Unsupported value: "c": supported values: "a", "b"',
        ),
        (invalid(PATH, "é", "bad", alias="spec.Other"), 'spec.Other: Invalid value: "é": bad'),
    ],
)
def test_a_problem_reads_in_the_api_servers_words(problem: Problem, words: str) -> None:
    assert str(problem) == words
    assert f"{problem.field}: {problem.message}" == words
    assert problem.path == PATH


def test_a_field_that_cannot_be_decoded_is_named_by_the_message_alone() -> None:
    assert str(Problem(("spec",), Reason.UNKNOWN_FIELD, 'unknown field "spec"')) == 'unknown field "spec"'
