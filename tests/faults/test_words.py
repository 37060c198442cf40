"""`testbed.faults.words`, the names of faults and of the parts that they strike."""

from __future__ import annotations

from pathlib import Path

import yaml

from testbed.faults import words as faults

COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"


def test_each_fault_has_a_name_and_a_row() -> None:
    named = {value for name, value in vars(faults).items() if name.isupper() and isinstance(value, str)}
    assert named == set(faults.FAULTS)
    assert all(f"| `{fault}`" in (faults.__doc__ or "") for fault in faults.FAULTS)


def test_every_part_is_a_service_of_the_composed_topology() -> None:
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    assert set(faults.PARTS) <= set(services)
    assert not {"control", "aws"} & set(faults.PARTS)
