"""metav1.Status: refusals with the API server's words and reasons.

Source: apimachinery pkg/api/errors/errors.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from testbed.kubernetes.api.api_resources import Resource
from testbed.kubernetes.api_errors import ApiError
from testbed.kubernetes.rules.problems import Problem


@dataclass(frozen=True, slots=True)
class Cause:
    """A field that breaks a rule: `reason` is e.g. `FieldValueRequired`; `message` leaves out the field."""

    reason: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class Refused(Exception):
    """The API refuses a request; `status` is the metav1.Status that the client gets."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        resource: Resource | None = None,
        name: str = "",
        causes: Sequence[Cause] = (),
        as_kind: bool = False,
        seconds: int = 0,
    ) -> None:
        super().__init__(message)
        self.code = code
        details: dict[str, Any] = {}
        if name:
            details["name"] = name
        if resource and resource.group:
            details["group"] = resource.group
        if resource:
            # errors.go fills `kind` with the plural name, except in NewInvalid.
            details["kind"] = resource.kind if as_kind else resource.plural
        if causes:
            details["causes"] = [
                {"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in causes
            ]
        if seconds:
            details["retryAfterSeconds"] = seconds
        self.status = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            **({"details": details} if details else {}),
            "code": code,
        }


def success(resource: Resource, name: str, uid: str) -> dict[str, Any]:
    """Return the Status of a finished delete."""
    details = {"name": name, "group": resource.group, "kind": resource.plural, "uid": uid}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }


def of_store(error: ApiError) -> Refused:
    """Return the store's own error as a refusal."""
    return Refused(error.status, error.reason, error.what)


def no_such_path() -> Refused:
    """Return a 404 for a path that leads to no resource."""
    return Refused(404, "NotFound", "the server could not find the requested resource")


def not_found(resource: Resource, name: str) -> Refused:
    """Return a 404 for an object."""
    return Refused(404, "NotFound", f'{resource.qualified} "{name}" not found', resource=resource, name=name)


def already_exists(resource: Resource, name: str) -> Refused:
    """Return a 409 for a create."""
    message = f'{resource.qualified} "{name}" already exists'
    return Refused(409, "AlreadyExists", message, resource=resource, name=name)


def conflict(resource: Resource, name: str, why: str = "") -> Refused:
    """Return a 409 for a write to an object that has changed since the client read it."""
    why = why or (
        "the object has been modified; please apply your changes to the latest version and try again"
    )
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return Refused(409, "Conflict", message, resource=resource, name=name)


def forbidden(resource: Resource, name: str, why: str) -> Refused:
    """Return the refusal of what an admission plugin forbids."""
    message = f'{resource.qualified} "{name}" is forbidden: {why}'
    return Refused(403, "Forbidden", message, resource=resource, name=name)


def invalid(resource: Resource, name: str, problems: Sequence[Problem]) -> Refused:
    """Return a 422 with the fields that break a rule."""
    causes = [Cause(problem.reason, problem.field, problem.message) for problem in problems]
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    what = str(causes[0]) if len(causes) == 1 else f"[{', '.join(map(str, causes))}]"
    message = f'{kind} "{name}" is invalid: {what}'
    return Refused(422, "Invalid", message, resource=resource, name=name, causes=causes, as_kind=True)


def bad_request(message: str) -> Refused:
    """Return a 400."""
    return Refused(400, "BadRequest", message)


def unsupported_media_type(accepted: Sequence[str]) -> Refused:
    """Return a 415 for a body of a kind that is not accepted."""
    message = (
        "the body of the request was in an unknown format - accepted media types include: "
        f"{', '.join(accepted)}"
    )
    return Refused(415, "UnsupportedMediaType", message)


def expired(revision: int, oldest: int | None = None) -> Refused:
    """Return a 410: the client must list again."""
    return Refused(
        410, "Expired", f"too old resource version: {revision}" + (f" ({oldest})" if oldest else "")
    )


def method_not_allowed() -> Refused:
    """Return a 405."""
    return Refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
