from __future__ import annotations

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core.build_inputs import BuildError
from testbed.lb_controller.ingress.path_patterns import in_order, patterns
from tests.lb_controller.examples import path


@pytest.mark.parametrize(
    ("kind", "text", "values"),
    [
        (None, "/x*", ("/x*",)),
        ("ImplementationSpecific", "/abc", ("/abc",)),
        ("Exact", "/abc/", ("/abc/",)),
        ("Prefix", "/", ("/*",)),
        ("Prefix", "/abc", ("/abc", "/abc/*")),
        ("Prefix", "/abc/", ("/abc", "/abc/*")),
    ],
)
def test_a_path_becomes_patterns_by_its_type(kind: str | None, text: str, values: tuple[str, ...]) -> None:
    assert patterns(path(text, kind=kind)) == (values, ())


@pytest.mark.parametrize(("kind", "word"), [("Exact", "exact"), ("Prefix", "prefix")])
@pytest.mark.parametrize("text", ["/a*", "/a?b"])
def test_wildcards_are_for_implementation_specific_paths(kind: str, word: str, text: str) -> None:
    with pytest.raises(BuildError) as raised:
        patterns(path(text, kind=kind))
    assert str(raised.value) == f"{word} path shouldn't contain wildcards: {text}"


def test_v2_1_ignored_the_type() -> None:
    wanted = [path("/a*", kind="Exact"), path("/b", kind="Prefix")]

    assert [patterns(item, release=LB_CONTROLLER_RELEASES.oldest) for item in wanted] == [
        (("/a*",), ()),
        (("/b",), ()),
    ]
    assert in_order(wanted, LB_CONTROLLER_RELEASES.oldest) == wanted


def test_a_regular_expression_loses_the_slash_that_kubernetes_wants() -> None:
    assert patterns(path("/^/api/.+$"), is_regex=True) == ((), ("^/api/.+$",))
