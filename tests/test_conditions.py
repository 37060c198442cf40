"""`testbed.conditions`, where scenarios import conditions from."""

from __future__ import annotations

from testbed import conditions
from testbed.rehearsal import conditions as defined


def test_every_public_condition_is_there() -> None:
    public = {
        name
        for name, value in vars(defined).items()
        if getattr(value, "__module__", "") == defined.__name__
        and not name.startswith("_")
        and getattr(value, "__annotations__", {}).get("return") != "BadInput"  # a refusal is no condition
    }
    assert set(conditions.__all__) == public | {"Observer"}
    assert all(getattr(conditions, name) is getattr(defined, name) for name in conditions.__all__)
