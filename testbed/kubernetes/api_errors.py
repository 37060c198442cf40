"""The refusals of the Kubernetes API: each error has the status and reason of its HTTP answer.

```
ApiError (BadInput)
├── Denied          403  an admission webhook refuses the object
├── NotFound        404  no such object
├── AlreadyExists   409  create of an object that exists
├── Conflict        409  the object changed since it was read: read again and retry
├── Expired         410  the watch history no longer reaches back so far: list again
└── Invalid         422  the object breaks a rule of its kind
```
"""

from __future__ import annotations

from testbed.errors import BadInput


class ApiError(BadInput):
    """A refusal of the API; `status` is its HTTP status, `reason` that of its `metav1.Status`."""

    status: int = 400
    reason: str = "BadRequest"


class Denied(ApiError):
    """An admission webhook refuses the object."""

    status = 403
    reason = "Forbidden"


class NotFound(ApiError):
    """There is no such object."""

    status = 404
    reason = "NotFound"


class AlreadyExists(ApiError):
    """There is an object of this kind and name already."""

    status = 409
    reason = "AlreadyExists"


class Conflict(ApiError):
    """The object changed since the caller read it."""

    status = 409
    reason = "Conflict"


class Expired(ApiError):
    """The revision of the request is older than the watch history."""

    status = 410
    reason = "Expired"


class Invalid(ApiError):
    """The object breaks a rule of its kind."""

    status = 422
    reason = "Invalid"
