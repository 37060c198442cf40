"""The one prefix that objects use, if it is one."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.external_dns.core.facts import ALPHA_PREFIX, PREFIX
from testbed.external_dns.offline.annotation_prefixes import only


def item(*keys: str, kind: str = "Service") -> dict[str, Any]:
    return {"kind": kind, "metadata": {"annotations": dict.fromkeys(keys, "x")}}


@pytest.mark.parametrize(
    ("items", "prefix"),
    [
        ([], ""),
        ([{"kind": "Ingress", "metadata": {}}, {"kind": "Ingress"}], ""),
        ([item("team")], ""),
        ([item(f"{ALPHA_PREFIX}ttl"), item("team")], ALPHA_PREFIX),
        ([item(f"{PREFIX}hostname")], PREFIX),
        ([item(f"{PREFIX}hostname"), item(f"{ALPHA_PREFIX}hostname")], ""),
        ([item(f"{PREFIX}hostname", kind="Pod")], ""),
    ],
)
def test_a_prefix_that_all_use_is_the_one_and_two_are_none(items: list[Any], prefix: str) -> None:
    assert only(items) == prefix
