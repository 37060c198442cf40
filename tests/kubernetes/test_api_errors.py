from __future__ import annotations

import pytest

from testbed.errors import BadInput, ExitCode
from testbed.kubernetes import api_errors
from testbed.kubernetes.api_errors import ApiError


@pytest.mark.parametrize(
    ("kind", "status", "reason"),
    [
        (api_errors.Denied, 403, "Forbidden"),
        (api_errors.NotFound, 404, "NotFound"),
        (api_errors.AlreadyExists, 409, "AlreadyExists"),
        (api_errors.Conflict, 409, "Conflict"),
        (api_errors.Expired, 410, "Expired"),
        (api_errors.Invalid, 422, "Invalid"),
    ],
)
def test_a_refusal_has_the_status_of_its_http_answer(kind: type[ApiError], status: int, reason: str) -> None:
    refusal = kind("Service default/envoy cannot be", do="mend it")
    assert (refusal.status, refusal.reason) == (status, reason)
    assert str(refusal) == "Service default/envoy cannot be; mend it"


def test_a_refusal_is_input_that_a_user_can_mend() -> None:
    assert issubclass(ApiError, BadInput)
    assert ApiError("no").exit_code is ExitCode.BAD_INPUT
