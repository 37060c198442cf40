"""Refusals in the words of the API server."""

from __future__ import annotations

import pytest

from testbed.kubernetes.api import statuses
from testbed.kubernetes.api.statuses import Refused
from testbed.kubernetes.api_errors import Denied
from testbed.kubernetes.rules.problems import Problem, Reason
from tests.kubernetes.api.calls import resource

INGRESS = resource("Ingress")
FIRST = Problem(("spec", "rules", 0, "host"), Reason.REQUIRED, "Required value")
SECOND = Problem(("spec", "tls"), Reason.INVALID, "Invalid value: 1")


@pytest.mark.parametrize(
    ("refused", "code", "reason", "message"),
    [
        (
            statuses.not_found(INGRESS, "web"),
            *(404, "NotFound", 'ingresses.networking.k8s.io "web" not found'),
        ),
        (
            statuses.already_exists(resource("Service"), "web"),
            *(409, "AlreadyExists", 'services "web" already exists'),
        ),
        (
            statuses.conflict(resource("Service"), "web"),
            *(409, "Conflict"),
            'Operation cannot be fulfilled on services "web": the object has been modified; please apply '
            "your changes to the latest version and try again",
        ),
        (
            statuses.invalid(INGRESS, "web", [FIRST]),
            *(422, "Invalid"),
            'Ingress.networking.k8s.io "web" is invalid: spec.rules[0].host: Required value',
        ),
        (
            statuses.invalid(resource("Service"), "web", [FIRST, SECOND]),
            *(422, "Invalid"),
            'Service "web" is invalid: [spec.rules[0].host: Required value, spec.tls: Invalid value: 1]',
        ),
        (
            statuses.of_store(Denied("admission webhook denied the request")),
            *(403, "Forbidden", "admission webhook denied the request"),
        ),
        (statuses.expired(3, 9), 410, "Expired", "too old resource version: 3 (9)"),
        (statuses.expired(3), 410, "Expired", "too old resource version: 3"),
        (
            statuses.no_such_path(),
            *(404, "NotFound", "the server could not find the requested resource"),
        ),
    ],
)
def test_a_refusal_has_the_code_the_reason_and_the_words(
    refused: Refused, code: int, reason: str, message: str
) -> None:
    assert (refused.code, refused.status["code"]) == (code, code)
    assert (refused.status["reason"], refused.status["message"]) == (reason, message)
    assert str(refused) == message
    assert refused.status["kind"] == "Status"


def test_details_name_the_object_and_each_field() -> None:
    details = statuses.invalid(INGRESS, "web", [FIRST]).status["details"]
    assert details == {
        "name": "web",
        "group": "networking.k8s.io",
        "kind": "Ingress",
        "causes": [
            {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.rules[0].host"}
        ],
    }
    assert statuses.not_found(INGRESS, "web").status["details"]["kind"] == "ingresses"


def test_a_client_is_told_when_to_come_back() -> None:
    assert Refused(504, "Timeout", "later", seconds=1).status["details"] == {"retryAfterSeconds": 1}


def test_success_names_what_is_gone() -> None:
    assert statuses.success(resource("Service"), "web", "1")["details"] == {
        "name": "web",
        "kind": "services",
        "uid": "1",
    }
