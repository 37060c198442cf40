from __future__ import annotations

import pytest

from testbed.kubernetes.api.ages import age, human_duration

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-2, "<invalid>"),
        (-0.5, "0s"),
        (119, "119s"),
        (2 * MINUTE, "2m"),
        (3 * MINUTE + 5, "3m5s"),
        (10 * MINUTE + 59, "10m"),
        (3 * HOUR, "3h"),
        (3 * HOUR + 5 * MINUTE, "3h5m"),
        (47 * HOUR, "47h"),
        (2 * DAY, "2d"),
        (3 * DAY + 4 * HOUR, "3d4h"),
        (100 * DAY, "100d"),
        (800 * DAY, "2y70d"),
        (3650 * DAY, "10y"),
    ],
)
def test_durations_are_shown_as_kubectl_shows_them(seconds: float, shown: str) -> None:
    assert human_duration(seconds) == shown


def test_an_object_without_a_time_has_an_unknown_age() -> None:
    assert age(None, 0) == "<unknown>"
    assert age("1970-01-01T00:00:00Z", 5) == "5s"
