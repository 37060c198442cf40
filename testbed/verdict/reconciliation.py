"""The ledger of the clients' requests, and its reconciliation with the targets' access logs.

Both are kept in columns, so that a hundred thousand requests take tens of megabytes; values that repeat are
row numbers of a table. Access log lines without a request id, or with the id of a probe, do not belong to the
clients (health checks, a person's curl): they are only counted.
"""

from __future__ import annotations

import enum
import sys
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

from testbed import journal

NO_ID = frozenset(("", "-", "None", "null"))
OUTCOMES: tuple[journal.Outcome, ...] = ("ok", "failed", "unknown")
OUTCOME_CODES = {name: code for code, name in enumerate(OUTCOMES)}
OK, FAILED, UNKNOWN = range(3)
TROUBLES_KEPT = 200
GRPC_OK = frozenset(("0", "OK"))  # the access log has the number, the clients have the name


class DifferenceKind(enum.Enum):
    """How the ledger and the access logs can differ on a request; the value completes "3 requests ..."."""

    NOT_IN_ACCESS_LOG = "answered, but in no access log"
    NOT_IN_LEDGER = "in an access log, but never sent"
    SERVED_DIFFERENTLY = "with another pod, listener, peer or status in the access log"
    SERVED_TWICE = "served more often than sent"
    LEDGER_REPEATS = "twice in the ledger"


@dataclass(frozen=True, slots=True)
class Difference:
    """One request on which ledger and access log differ."""

    kind: DifferenceKind
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """A request that was not answered ok, and what the access logs say about it."""

    request: journal.Request
    target: str


class Route(NamedTuple):
    """The fields that many requests have in common: the client, the protocol, and what answered."""

    client: str
    protocol: str
    shape: str
    peer: str
    pod: str
    listener: str
    status: str
    family: str


class Served(NamedTuple):
    """The fields that many access log lines have in common."""

    pod: str
    listener: str
    peer: str
    status: int
    grpc_status: str
    flags: str
    upstream: str


Row = TypeVar("Row", bound=tuple[object, ...])


class Table(Generic[Row]):
    """Numbers distinct rows, from 0."""

    def __init__(self, shape: type[Row]) -> None:
        self._shape = shape
        self._codes: dict[tuple[object, ...], int] = {}
        self.rows: list[Row] = []

    def code(self, row: tuple[Any, ...]) -> int:
        """Return the number of a row; a new row gets the next one."""
        number = self._codes.get(row)
        if number is None:
            number = self._codes[row] = len(self.rows)
            self.rows.append(self._shape(*row))
        return number


REQUEST = ("id", "time", "intended", "sent", "outcome")
_request_event: Callable[[Any], tuple[Any, ...]] = attrgetter(*REQUEST)
_request_fields: Callable[[Any], tuple[Any, ...]] = itemgetter(*REQUEST)
_route_event: Callable[[Any], tuple[Any, ...]] = attrgetter(*Route._fields)
_route_fields: Callable[[Any], tuple[Any, ...]] = itemgetter(*Route._fields)
_served_event: Callable[[Any], tuple[Any, ...]] = attrgetter(*Served._fields)
_served_fields: Callable[[Any], tuple[Any, ...]] = itemgetter(*Served._fields)


@dataclass(slots=True)
class Ledger:
    """Requests and access log lines of a run, in columns; all times are wall seconds.

    Column `route` is a row number of `routes`, `cause` of `causes`, `served` of `answers`.
    """

    ids: dict[str, int] = field(default_factory=dict)
    intended: array[float] = field(default_factory=lambda: array("d"))
    sent: array[float] = field(default_factory=lambda: array("d"))
    finished: array[float] = field(default_factory=lambda: array("d"))
    outcome: array[int] = field(default_factory=lambda: array("B"))
    route: array[int] = field(default_factory=lambda: array("L"))
    routes: Table[Route] = field(default_factory=lambda: Table(Route))
    causes: dict[int, str] = field(default_factory=dict)
    retries: dict[int, int] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    troubles: list[journal.Request] = field(default_factory=list)

    access: dict[str, int] = field(default_factory=dict)
    access_again: dict[str, list[int]] = field(default_factory=dict)
    served: array[int] = field(default_factory=lambda: array("L"))
    answers: Table[Served] = field(default_factory=lambda: Table(Served))
    of_others: int = 0

    def __len__(self) -> int:
        return len(self.intended)

    def add_request(self, event: journal.Request) -> None:
        """Add a request. A second one with the same id also counts as a repetition."""
        self._enter(_request_event(event), _route_event(event))
        if event.retries or event.detail or event.outcome != "ok":
            self._note(event)

    def add_request_fields(self, fields: dict[str, Any]) -> None:
        """Add a request from a decoded line, without making an event of it.

        Raises:
            KeyError, TypeError, ValueError: the line is not a request.
        """
        fields.setdefault("family", "ipv4")  # journals of 0.2 do not have it
        self._enter(_request_fields(fields), _route_fields(fields))
        if fields.get("retries") or fields.get("detail") or fields["outcome"] != "ok":
            self._note(journal.Request(**fields))

    def add_access(self, event: journal.Access) -> None:
        """Add a line of a target's access log."""
        self._see(event.id, _served_event(event))

    def add_access_fields(self, fields: dict[str, Any]) -> None:
        """Add an access log line from a decoded line, without making an event of it.

        Raises:
            KeyError, TypeError: the line is not an access log line.
        """
        fields.setdefault("upstream", "")  # journals of 0.2 do not have it
        self._see(fields["id"], _served_fields(fields))

    def _enter(self, request: tuple[Any, ...], route: tuple[Any, ...]) -> None:
        identity, finished, intended, sent, outcome = request
        row = len(self.intended)
        if self.ids.setdefault(identity, row) != row:
            self.repeated.append(identity)
        self.intended.append(intended)
        self.sent.append(sent)
        self.finished.append(finished)
        # An outcome of a later version counts as unknown: never as a pass.
        self.outcome.append(OUTCOME_CODES.get(outcome, UNKNOWN))
        self.route.append(self.routes.code(route))

    def _note(self, event: journal.Request) -> None:
        row = len(self.intended) - 1
        if event.detail:
            self.outcome[row] = self.outcome[row] or UNKNOWN  # ok, and yet an error: never a pass
        if event.retries:
            self.retries[row] = event.retries
        if self.outcome[row] != OK:
            self.causes[row] = sys.intern(_cause(event))  # few causes, many rows
            if len(self.troubles) < TROUBLES_KEPT:
                self.troubles.append(event)

    def _see(self, identity: str | None, served: tuple[Any, ...]) -> None:
        if identity is None or identity in NO_ID or identity.startswith(journal.PROBE_ID_PREFIX):
            self.of_others += 1
            return
        row = len(self.served)
        if self.access.setdefault(identity, row) != row:
            self.access_again.setdefault(identity, []).append(row)
        self.served.append(self.answers.code(served))

    def accesses(self, identity: str) -> list[int]:
        """Return the access log rows of a request id, in file order."""
        first = self.access.get(identity)
        if first is None:
            return []
        return [first, *self.access_again.get(identity, ())]

    def upstreams(self) -> list[str]:
        """Return for each request, by its row, the backend that an access log names first; "" without one."""
        found = [""] * len(self)
        for identity, row in self.ids.items():
            seen = self.access.get(identity)
            if seen is not None:
                found[row] = str(self.answers.rows[self.served[seen]].upstream or "")
        return found

    def differences(self) -> Iterator[Difference]:
        """Yield every request on which ledger and access logs differ."""
        for identity in self.repeated:
            text = "the ledger lists it twice, so one of the two was not counted"
            yield Difference(DifferenceKind.LEDGER_REPEATS, identity, text)
        # Many requests share a route and an answer, so each pair is compared once.
        agrees = lru_cache(maxsize=None)(self._agrees)
        for identity, row in self.ids.items():
            seen = self.access.get(identity)
            if seen is None:
                route = self.routes.rows[self.route[row]]
                # A request without an answer may have been lost on its way, so the access log need not have
                # it.
                if route.pod or self.outcome[row] == OK:
                    text = f"the client received {_answer(route)}, but no access log has the request"
                    yield Difference(DifferenceKind.NOT_IN_ACCESS_LOG, identity, text)
                continue
            agreed = agrees(self.route[row], self.outcome[row], self.served[seen])
            if not agreed or identity in self.access_again:
                yield from self._judge(identity, row)
        for identity, seen in self.access.items():
            if identity not in self.ids:
                text = f"{_served(self.answers.rows[self.served[seen]])}, but no client sent the request"
                yield Difference(DifferenceKind.NOT_IN_LEDGER, identity, text)

    def target_says(self, identity: str) -> str:
        """Describe what the access logs have of a request."""
        rows = self.accesses(identity)
        if not rows:
            return "never reached a target"
        return "; ".join(_served(self.answers.rows[self.served[row]]) for row in rows)

    def _judge(self, identity: str, row: int) -> Iterator[Difference]:
        rows = self.accesses(identity)
        # A request that the client sent again has the same id.
        allowed = 1 + self.retries.get(row, 0)
        if len(rows) > allowed:
            text = f"targets served it {_times(len(rows))}, but it was sent {_times(allowed)}"
            yield Difference(DifferenceKind.SERVED_TWICE, identity, text)
        if not any(self._agrees(self.route[row], self.outcome[row], self.served[seen]) for seen in rows):
            answer = _answer(self.routes.rows[self.route[row]])
            text = f"the client recorded {answer}; the access log says: {self.target_says(identity)}"
            yield Difference(DifferenceKind.SERVED_DIFFERENTLY, identity, text)

    def _agrees(self, route_code: int, outcome: int, served_code: int) -> bool:
        route, served = self.routes.rows[route_code], self.answers.rows[served_code]
        if not route.pod:
            return outcome != OK  # no answer arrived, so the target may have served it or not
        if (route.pod, route.listener, route.peer) != (served.pod, served.listener, served.peer):
            return False
        if outcome != OK:
            return True
        if route.protocol == "grpc":
            # A gRPC error has HTTP status 200, too, so both statuses must be good.
            own, logged = route.status in GRPC_OK, str(served.grpc_status) in GRPC_OK
            return own and logged and str(served.status) == "200"
        return str(route.status) == str(served.status) and str(served.status).startswith("2")


def _answer(route: Route) -> str:
    if not route.pod:
        return f"{route.status} from a server that sent no pod name"
    return f"{route.status} from {route.pod}/{route.listener} via {route.peer or 'an unnamed peer'}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _served(served: Served) -> str:
    details = (str(served.status), str(served.grpc_status), str(served.flags))
    words = " ".join(word for word in details if word not in NO_ID)
    return f"{served.pod}/{served.listener} via {served.peer} answered {words}"


def _cause(event: journal.Request) -> str:
    # Behind the colon are addresses and ids; without them, equal causes are counted together.
    words = event.detail.split(":")[0][:60].strip()
    return " ".join(filter(None, (str(event.status), words if words != event.status else "")))
