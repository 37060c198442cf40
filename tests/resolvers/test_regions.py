"""Where AWS's regions are."""

from __future__ import annotations

import pytest

from testbed.resolvers.regions import REGIONS
from testbed.settings import REGION


@pytest.mark.parametrize(
    ("here", "there", "kilometres"),
    [("eu-west-1", "eu-west-1", 0), ("eu-west-1", "us-east-1", 5450), ("ap-northeast-1", "us-west-2", 7900)],
)
def test_regions_are_as_far_from_each_other_as_their_cities(here: str, there: str, kilometres: float) -> None:
    assert REGIONS[here].distance(REGIONS[there]) == pytest.approx(kilometres, rel=0.05)
    assert REGIONS[there].distance(REGIONS[here]) == pytest.approx(kilometres, rel=0.05)


def test_the_region_of_a_run_is_one_of_them() -> None:
    assert (REGIONS[REGION].continent, REGIONS[REGION].country) == ("AS", "JP")
