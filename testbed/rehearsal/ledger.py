"""The ledger: what the clients say of every request, held against what the targets' access logs say.

Both are kept in columns, so that a hundred thousand requests take tens of megabytes; strings that repeat
are numbers into one table. Access log lines without a request id are not the clients': health checks, a
person's curl. Those are only counted.
"""

from __future__ import annotations

import enum
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from testbed import journal

NO_ID = frozenset(("", "-", "None", "null"))
OUTCOMES: tuple[journal.Outcome, ...] = ("ok", "failed", "unknown")
OUTCOME_CODES = {name: code for code, name in enumerate(OUTCOMES)}
OK, FAILED, UNKNOWN = range(3)
DISTINCT_TEXTS = 20_000
TROUBLES_KEPT = 200
GRPC_OK = frozenset(("", "-", "None", "0", "OK", "Ok"))


class DifferenceKind(enum.Enum):
    """How the ledger and the access logs can disagree on a request."""

    NOT_IN_ACCESS_LOG = "answered, but in no access log"
    NOT_IN_LEDGER = "in an access log, but never sent"
    SERVED_DIFFERENTLY = "pod, listener, peer or status differ"
    SERVED_TWICE = "served more often than it was sent"
    LEDGER_REPEATS = "twice in the ledger"


@dataclass(frozen=True, slots=True)
class Difference:
    """One request on which the two accounts disagree."""

    kind: DifferenceKind
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """A request that was not answered ok, and what the target saw of it."""

    request: journal.Request
    target: str


class Texts:
    """Gives each distinct text a number; past a limit all new ones are `(other)`."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {"": 0, "(other)": 1}
        self.texts: list[str] = ["", "(other)"]

    def code(self, text: str) -> int:
        """The number of a text."""
        found = self._codes.get(text)
        if found is None:
            if len(self.texts) >= DISTINCT_TEXTS:
                return 1
            found = self._codes[text] = len(self.texts)
            self.texts.append(text)
        return found

    def __getitem__(self, code: int) -> str:
        return self.texts[code]


@dataclass(slots=True)
class Ledger:
    """Requests and access log lines of a run, in columns; all times are wall seconds."""

    texts: Texts = field(default_factory=Texts)
    ids: dict[str, int] = field(default_factory=dict)
    intended: array[float] = field(default_factory=lambda: array("d"))
    sent: array[float] = field(default_factory=lambda: array("d"))
    finished: array[float] = field(default_factory=lambda: array("d"))
    outcome: array[int] = field(default_factory=lambda: array("B"))
    retries: array[int] = field(default_factory=lambda: array("H"))
    client: array[int] = field(default_factory=lambda: array("H"))
    protocol: array[int] = field(default_factory=lambda: array("H"))
    shape: array[int] = field(default_factory=lambda: array("H"))
    peer: array[int] = field(default_factory=lambda: array("H"))
    pod: array[int] = field(default_factory=lambda: array("H"))
    listener: array[int] = field(default_factory=lambda: array("H"))
    status: array[int] = field(default_factory=lambda: array("H"))
    cause: array[int] = field(default_factory=lambda: array("H"))
    repeated: list[str] = field(default_factory=list)
    troubles: list[journal.Request] = field(default_factory=list)

    access: dict[str, int] = field(default_factory=dict)
    access_again: dict[str, list[int]] = field(default_factory=dict)
    access_pod: array[int] = field(default_factory=lambda: array("H"))
    access_listener: array[int] = field(default_factory=lambda: array("H"))
    access_peer: array[int] = field(default_factory=lambda: array("H"))
    access_status: array[int] = field(default_factory=lambda: array("H"))
    access_grpc: array[int] = field(default_factory=lambda: array("H"))
    access_flags: array[int] = field(default_factory=lambda: array("H"))
    without_id: int = 0

    def __len__(self) -> int:
        return len(self.intended)

    def add_request(self, event: journal.Request) -> None:
        """Enter a request; one whose id is known already counts as a repetition too."""
        row = len(self.intended)
        if self.ids.setdefault(event.id, row) != row:
            self.repeated.append(event.id)
        code = self.texts.code
        self.intended.append(event.intended)
        self.sent.append(event.sent)
        self.finished.append(event.time)
        outcome = OUTCOME_CODES.get(event.outcome, UNKNOWN)
        self.outcome.append(outcome)
        self.retries.append(min(max(event.retries, 0), 0xFFFF))
        self.client.append(code(event.client))
        self.protocol.append(code(event.protocol))
        self.shape.append(code(event.shape))
        self.peer.append(code(event.peer))
        self.pod.append(code(event.pod))
        self.listener.append(code(event.listener))
        self.status.append(code(str(event.status)))
        self.cause.append(0 if outcome == OK else code(_cause(event)))
        if outcome != OK and len(self.troubles) < TROUBLES_KEPT:
            self.troubles.append(event)

    def add_access(self, event: journal.Access) -> None:
        """Enter a line of a target's access log."""
        identity = str(event.id)
        if identity in NO_ID:
            self.without_id += 1
            return
        row = len(self.access_pod)
        if self.access.setdefault(identity, row) != row:
            self.access_again.setdefault(identity, []).append(row)
        code = self.texts.code
        self.access_pod.append(code(event.pod))
        self.access_listener.append(code(event.listener))
        self.access_peer.append(code(event.peer))
        self.access_status.append(min(max(int(event.status), 0), 0xFFFF))
        self.access_grpc.append(code(str(event.grpc_status)))
        self.access_flags.append(code(str(event.flags)))

    def accesses(self, identity: str) -> list[int]:
        """The access log rows of a request id, in file order."""
        first = self.access.get(identity)
        if first is None:
            return []
        return [first, *self.access_again.get(identity, ())]

    def differences(self) -> Iterator[Difference]:
        """Every request on which ledger and access logs disagree."""
        for identity in self.repeated:
            text = "the ledger holds it twice, so one of the two was not counted"
            yield Difference(DifferenceKind.LEDGER_REPEATS, identity, text)
        access, again = self.access, self.access_again
        for identity, row in self.ids.items():
            seen = access.get(identity)
            if seen is None:
                if self.pod[row] or self.outcome[row] == OK:
                    text = f"the client was answered by {self._answer(row)}, which logged no such request"
                    yield Difference(DifferenceKind.NOT_IN_ACCESS_LOG, identity, text)
                continue
            if identity not in again and self._agrees(row, seen):
                continue
            yield from self._judge(identity, row)
        for identity, seen in access.items():
            if identity not in self.ids:
                text = f"{self._served(seen)} logged it, and no client sent it"
                yield Difference(DifferenceKind.NOT_IN_LEDGER, identity, text)

    def target_says(self, identity: str) -> str:
        """What the access logs hold of a request, in words."""
        rows = self.accesses(identity)
        if not rows:
            return "never reached a target"
        return "; ".join(f"{self._served(row)} answered {self._status(row)}" for row in rows)

    def _judge(self, identity: str, row: int) -> Iterator[Difference]:
        rows = self.accesses(identity)
        allowed = 1 + self.retries[row]
        if len(rows) > allowed:
            text = f"targets served it {len(rows)} times, and it was sent {allowed} times"
            yield Difference(DifferenceKind.SERVED_TWICE, identity, text)
        if not any(self._agrees(row, seen) for seen in rows):
            text = f"the client says {self._answer(row)}, the log says {self.target_says(identity)}"
            yield Difference(DifferenceKind.SERVED_DIFFERENTLY, identity, text)

    def _agrees(self, row: int, seen: int) -> bool:
        if not self.pod[row]:
            return self.outcome[row] != OK  # unanswered: whatever the target saw is stated, not judged
        if (
            self.pod[row] != self.access_pod[seen]
            or self.listener[row] != self.access_listener[seen]
            or self.peer[row] != self.access_peer[seen]
        ):
            return False
        if self.outcome[row] != OK:
            return True
        if self.texts[self.protocol[row]] == "grpc":
            return self.access_status[seen] == 200 and self.texts[self.access_grpc[seen]] in GRPC_OK
        return self.texts[self.status[row]] == str(self.access_status[seen])

    def _answer(self, row: int) -> str:
        text = self.texts
        who = f"{text[self.pod[row]]}/{text[self.listener[row]]} via {text[self.peer[row]]}"
        return f"{who if self.pod[row] else 'nobody who named itself'} with {text[self.status[row]]}"

    def _served(self, seen: int) -> str:
        columns = (self.access_pod, self.access_listener, self.access_peer)
        pod, listener, peer = (self.texts[column[seen]] for column in columns)
        return f"{pod}/{listener} via {peer}"

    def _status(self, seen: int) -> str:
        details = (self.texts[column[seen]] for column in (self.access_grpc, self.access_flags))
        words = (str(self.access_status[seen]), *details)
        return " ".join(word for word in words if word not in NO_ID)


def _cause(event: journal.Request) -> str:
    words = event.detail.split(":")[0][:60].strip()
    return " ".join(filter(None, (str(event.status), words if words != event.status else "")))
