from __future__ import annotations

import pytest

from testbed.client_models import DEFAULT_POPULATION
from testbed.errors import BadInput
from testbed.forecast.forecasting import Circumstances, forecast


def test_a_forecast_does_not_depend_on_the_number_of_clients_but_for_scale() -> None:
    few, many = (
        forecast(DEFAULT_POPULATION, number, Circumstances(300.0, horizon=600)) for number in (1000, 10**7)
    )
    assert [one * 10_000 for one in few.drain.by_minute()] == pytest.approx(many.drain.by_minute(), abs=1e-3)


def test_two_million_apps_want_capacity_reserved_and_two_thousand_do_not() -> None:
    assert forecast(DEFAULT_POPULATION, 2_000, Circumstances(300.0, horizon=600)).reservation is None
    found = forecast(DEFAULT_POPULATION, 2_000_000, Circumstances(300.0, horizon=600))
    assert found.reservation is not None
    assert found.reservation >= found.ramp.peak_units[1].needed


@pytest.mark.parametrize("number", [0, -1, 10**12])
def test_a_number_of_clients_that_is_none_is_refused(number: int) -> None:
    with pytest.raises(BadInput, match="clients cannot be forecast; name 1 to 1000000000"):
        forecast(DEFAULT_POPULATION, number, Circumstances(300.0))
