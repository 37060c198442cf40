from __future__ import annotations

import ast
from pathlib import Path

import pytest

import testbed
from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core import annotation_dates
from testbed.lb_controller.core.unmodelled import NOT_MODELLED, unmodelled
from tests.lb_controller.examples import ingress

PACKAGE = Path(testbed.__file__).parent / "lb_controller"


@pytest.mark.parametrize("key", NOT_MODELLED)
def test_an_annotation_that_is_not_modelled_is_named_from_its_release_on(key: str) -> None:
    item = ingress("a")
    item["metadata"]["annotations"][key] = "true"
    since = annotation_dates.first_release(key)
    assert since
    for release in LB_CONTROLLER_RELEASES.values():
        assert unmodelled(item, release) == ((key,) if release.is_since(since) else ())


def test_what_is_modelled_is_not_named() -> None:
    item = ingress("a", scheme="internal", enable_frontend_nlb="true", certificate_arn="arn:one")
    assert unmodelled(item, LB_CONTROLLER_RELEASES.newest) == ()


def constants() -> set[str]:
    """All texts in the code that reads annotations, parts of f-strings among them."""
    files = [path for folder in ("core", "ingress", "service") for path in (PACKAGE / folder).glob("*.py")]
    return {
        node.value
        for path in files
        if path.name not in ("annotation_dates.py", "unmodelled.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_annotation_that_a_release_reads_is_modelled_or_named() -> None:
    known = constants()
    silent = [
        key
        for key in annotation_dates.names()
        if key not in NOT_MODELLED and not is_among(key.partition("/")[2], known)
    ]
    assert silent == []


def is_among(name: str, known: set[str]) -> bool:
    """True for a name that the code has whole or in two parts, and for a family of which it has one."""
    if name.endswith("-") and any(one.startswith(name) for one in known):
        return True
    name = name.removeprefix("aws-load-balancer-").rstrip(".-")
    parts = [name, *(name[at:] for at in range(1, len(name)) if name[at - 1] == "-")]
    heads = {one.removeprefix("aws-load-balancer-").rstrip(".-") for one in known}
    return any(part in heads and (part == name or name[: -len(part)].rstrip("-") in heads) for part in parts)


@pytest.mark.parametrize(("name", "is_read"), [("frontend-nlb-scheme", True), ("create-acm-cert", False)])
def test_what_no_code_reads_is_seen(name: str, is_read: bool) -> None:
    assert is_among(name, constants()) is is_read
