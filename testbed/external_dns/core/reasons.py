"""Why a name ends up as it does: what the real ExternalDNS knows at each decision and does not log.

A decision is made where ExternalDNS makes it (duplicates, plan, registry, provider) and carries a member of
`Reason`. Its sentence names the objects, and is the same in the log, in `testbed dns` and in the report.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from testbed.external_dns.core.endpoint import OWNER, Endpoint


class Outcome(enum.StrEnum):
    """The change that the plan asks for."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    NOTHING = "nothing"


class Reason(enum.StrEnum):
    """Why a claimant gets a name, or why a change does not happen."""

    ONLY_CLAIMANT = "only-claimant"
    KEPT_BY_LABEL = "kept-by-label"
    """The record's TXT names this claimant, which keeps the name whatever the targets are."""
    SMALLEST_TARGET = "smallest-target"
    """The TXT names none of the claimants, or there is no record yet."""
    UNCLAIMED = "unclaimed"
    NO_ADDRESS = "no-address"
    """The object has a host and no target: `status.loadBalancer.ingress` is empty."""
    NO_GATEWAY = "no-gateway"
    """No Gateway with an address has accepted the route."""
    OTHER_PREFIX = "other-annotation-prefix"
    """Its annotations have the prefix of another version, or of another `--annotation-prefix`."""
    OTHER_CONTROLLER = "other-controller"
    ANNOTATION_FILTER = "annotation-filter"
    OTHER_FILTER = "other-filter"
    """A filter by namespace, label, class of the Ingress or type of the Service leaves it out."""
    SERVICE_TYPE = "service-type"
    DUPLICATE = "duplicate"
    """An equal endpoint of another object came first; only the label of that object is seen."""
    MERGED = "merged"
    """Its targets are added to those of another object of the same source."""
    TXT_KEPT = "txt-kept"
    """A new record's TXT is not written: one of that name exists (v0.19 and later)."""
    TXT_LOST = "txt-lost"
    """A new record's TXT is not written, since one of its name exists, and that goes with the old record."""
    CNAME_EXCLUDED = "cname-excluded"
    """A CNAME excludes other types of the same name (v0.14 and later)."""
    NOT_MANAGED = "type-not-managed"
    OUTSIDE_DOMAIN = "outside-domain-filter"
    NO_ZONE = "no-suitable-zone"
    OVERSIZED = "larger-than-a-batch"
    POLICY = "policy"
    OTHER_OWNER = "other-owner"
    NO_OWNER = "no-owner"


_VERBS = {
    Outcome.CREATE: ("is created for", "would be created for"),
    Outcome.UPDATE: ("moves to", "would move to"),
    Outcome.DELETE: ("is deleted:", "stays, although"),
}


class Decision(NamedTuple):
    """A decision about a record, or about one claim to it.

    Attributes:
        name, type, set_identifier: of the record; the type is "" where the version plans a name as a whole.
        outcome: what the plan wants.
        reason: why this winner, or why this claim was left out.
        have: the record as it is.
        claimants: the endpoints that ask for the name, after duplicates are gone.
        winner: the endpoint that gets it.
        differs: the fields that make an update necessary: `target`, `TTL`, `properties` …
        dropped: why the outcome is not carried out; with `NOTHING`, why no other outcome would be.
        rule: the policy, owner id, filter or list of types that `dropped` or `reason` refers to.
        beside: the other endpoint that matters: an equal one that came first, or one of another owner.
        hidden_by: the equal claim that came first and hid the claim of the object that the TXT names.
        txts: where `dropped` is about an owner, the TXTs that would make the record this owner's; none if the
            release reads none in the hosted zones.
    """

    name: str
    type: str
    set_identifier: str
    outcome: Outcome
    reason: Reason
    have: Endpoint | None = None
    claimants: tuple[Endpoint, ...] = ()
    winner: Endpoint | None = None
    differs: tuple[str, ...] = ()
    dropped: Reason | None = None
    rule: str = ""
    beside: Endpoint | None = None
    hidden_by: Endpoint | None = None
    txts: tuple[Endpoint, ...] = ()

    @property
    def subject(self) -> str:
        """The record: `app.example.com A`."""
        parts = (self.name, self.type, f"[{self.set_identifier}]" if self.set_identifier else "")
        return " ".join(part for part in parts if part)

    @property
    def is_change(self) -> bool:
        """True if the next stage has something to do."""
        return self.outcome is not Outcome.NOTHING and self.dropped is None

    def __str__(self) -> str:
        text = _LEFT_OUT[self.reason](self) if self.reason in _LEFT_OUT else _decided(self)
        if self.dropped is None:
            return text
        # A record that stays is said to stay: of a sentence that begins with "deleted" people read no end.
        before = {Outcome.NOTHING: "; and", Outcome.DELETE: ":"}.get(self.outcome, "; but")
        return f"{text}{before} {_DROPPED[self.dropped](self)}"

    @property
    def remedy(self) -> str:
        """The change that would lead to another decision, or "" if nothing is in the way."""
        if self.dropped or self.reason in _LEFT_OUT:
            return _REMEDIES[self.dropped or self.reason](self)
        if self.have and self.hidden_by:
            pair = f"{self.have.resource} and {_of(self.hidden_by)}"
            return (
                f"let only one of {pair} claim {self.name}: which one ExternalDNS sees is random at each sync"
            )
        if self.reason is Reason.UNCLAIMED:
            return f"it stays if another object with an address claims {self.name} before this one lets go"
        others = _others(self)
        if self.reason is Reason.KEPT_BY_LABEL and others:
            return f"it moves when {_of(self.winner)} gives up the name while {others} {_claim(self)} it"
        if self.reason is Reason.SMALLEST_TARGET and others:
            return f"to choose the winner, let only that object claim {self.name} until the TXT names it"
        return ""


def left_out(
    endpoint: Endpoint, reason: Reason, *, rule: str = "", beside: Endpoint | None = None
) -> Decision:
    """Return the decision about a claim that does not reach the plan, or has no part in it."""
    return Decision(
        endpoint.name,
        endpoint.type,
        endpoint.set_identifier,
        Outcome.NOTHING,
        reason,
        claimants=(endpoint,),
        rule=rule,
        beside=beside,
    )


def dropped(decision: Decision, reason: Reason, rule: str, beside: Endpoint | None = None) -> Decision:
    """Return the decision as one that is not carried out."""
    return decision._replace(dropped=reason, rule=rule, beside=beside)


def is_about_owner(decision: Decision) -> bool:
    """True if a change, or the lack of one, is due to the owner of a record."""
    return decision.dropped in (Reason.OTHER_OWNER, Reason.NO_OWNER)


def unsent(decisions: Iterable[Decision], names: Iterable[str], reason: Reason) -> tuple[Decision, ...]:
    """Return the decisions; the provider does not carry out the changes of some names."""
    unsent = frozenset(names)
    if not unsent:
        return tuple(decisions)
    return tuple(
        one._replace(dropped=reason) if one.is_change and one.name in unsent else one for one in decisions
    )


def with_hidden_labels(decisions: Iterable[Decision], claims: Iterable[Decision]) -> tuple[Decision, ...]:
    """Return the decisions, marked where an equal claim hides that of the object that the TXT names."""
    hidden = {
        (one.name, one.claimants[0].resource): one.beside
        for one in claims
        if one.reason in (Reason.DUPLICATE, Reason.MERGED)
    }
    if not hidden:
        return tuple(decisions)
    return tuple(
        one._replace(hidden_by=hidden[one.name, one.have.resource])
        if one.have and (one.name, one.have.resource) in hidden
        else one
        for one in decisions
    )


def _decided(of: Decision) -> str:
    if of.outcome is Outcome.NOTHING:
        return _unchanged(of)
    verb = f"{of.subject} {_VERBS[of.outcome][of.dropped is not None]}"
    if of.outcome is Outcome.DELETE:
        named = of.have.resource if of.have else ""
        return f"{verb} no object claims it" + (f", not even {named}, which its TXT names" if named else "")
    if of.outcome is Outcome.UPDATE and of.have and of.winner and of.have.resource == of.winner.resource:
        verb = f"{of.subject} {'would stay' if of.dropped else 'stays'} with"
    text = f"{verb} {_of(of.winner)}"
    if of.outcome is Outcome.UPDATE:
        text += f" ({_changes(of)})"
    return f"{text}: {_why(of)}"


def _unchanged(of: Decision) -> str:
    if of.reason is Reason.KEPT_BY_LABEL:
        others = _others(of)
        although = f", although {others} {_claim(of)} it too" if others else ""
        return f"{of.subject} stays with {_of(of.winner)}, which its TXT names{although}"
    text = f"{of.subject} already is what {_of(of.winner)} asks for: {_why(of)}"
    if of.have and of.have.resource:
        text += "; the TXT is not rewritten"
    return text


def _why(of: Decision) -> str:
    if of.reason is Reason.KEPT_BY_LABEL:
        others = _others(of)
        return "its TXT names it" + (f", not {others}" if others else "")
    if of.reason is Reason.ONLY_CLAIMANT:
        return f"it is the only claimant{_was_named(of)}"
    named = "there is no record yet" if of.have is None else _was_named(of).removeprefix(", and ")
    targets = ", ".join(f"{_of(one)} ({';'.join(one.targets)})" for one in of.claimants)
    return f"{named}, and among {targets} the smallest target wins"


def _was_named(of: Decision) -> str:
    if of.have is None:
        return ""
    if not of.have.resource:
        return ", and no TXT names an object"
    gone = f"is hidden by the equal claim of {_of(of.hidden_by)}" if of.hidden_by else "no longer claims it"
    return f", and {of.have.resource}, which its TXT names, {gone}"


def _changes(of: Decision) -> str:
    words = []
    for what in of.differs:
        if what == "target" and of.have and of.winner:
            words.append(f"{';'.join(of.have.targets)} -> {';'.join(of.winner.targets)}")
        elif what == "TTL" and of.have and of.winner:
            words.append(f"TTL {of.have.ttl} -> {of.winner.ttl}")
        else:
            words.append(what)
    return ", ".join(words)


def _of(endpoint: Endpoint | None) -> str:
    return endpoint.resource or "an unnamed object" if endpoint else "no object"


def _others(of: Decision) -> str:
    winner = of.winner.resource if of.winner else ""
    return " and ".join(sorted({one.resource for one in of.claimants} - {winner}))


def _claim(of: Decision) -> str:
    return "claim" if " and " in _others(of) else "claims"


def _owner_of(of: Decision) -> str:
    seen = of.beside or of.have
    return seen.labels.get(OWNER, "") if seen else ""


def _one_of_two(of: Decision) -> str:
    return f"let only one of {_of(of.claimants[0])} and {_of(of.beside)} claim {of.name}"


def _txts(of: Decision) -> str:
    names = " and ".join(one.name for one in of.txts)
    of_set = f" with set identifier {of.set_identifier}" if of.set_identifier else ""
    return f"{names} TXT{of_set}" if names else "its TXT"


def _policy(of: Decision) -> str:
    never = "never deletes" if of.outcome is Outcome.DELETE else "never changes what exists"
    return f"--policy={of.rule} {never}"


def _foreign(of: Decision) -> str:
    record = f"{of.beside.name} {of.beside.type} with the same name" if of.beside else "its TXT"
    verb = "belongs to" if of.beside else "names"
    return f'{record} {verb} owner "{_owner_of(of)}", not "{of.rule}"'


def _unowned(of: Decision) -> str:
    record = f"{of.beside.name} {of.beside.type} with the same name" if of.beside else "it"
    return f'no TXT says that {record} belongs to owner "{of.rule}"'


_DROPPED: Mapping[Reason, Callable[[Decision], str]] = {
    Reason.POLICY: _policy,
    Reason.OTHER_OWNER: _foreign,
    Reason.NO_OWNER: _unowned,
    Reason.NO_ZONE: lambda _: (
        "it ends in the name of no hosted zone; zone names are in lower case, and case counts"
    ),
    Reason.OVERSIZED: lambda _: "the record and its TXTs are larger than one batch may be",
}

_LEFT_OUT: Mapping[Reason, Callable[[Decision], str]] = {
    Reason.NO_ADDRESS: lambda of: (
        f"{of.name} is not claimed by {_of(of.claimants[0])} yet: it has no address, "
        "status.loadBalancer.ingress is empty"
    ),
    Reason.NO_GATEWAY: lambda of: (
        f"{of.name} is not claimed by {_of(of.claimants[0])} yet: no Gateway that has an address and "
        "that the flags let through has accepted it for this name"
    ),
    Reason.OTHER_PREFIX: lambda of: (
        f"{of.name} is not claimed by {_of(of.claimants[0])}: its annotations do not have the prefix "
        f"{of.rule}, the only one that ExternalDNS reads"
    ),
    Reason.OTHER_CONTROLLER: lambda of: (
        f"{of.name} is not claimed by {_of(of.claimants[0])}: its controller annotation names another "
        "controller"
    ),
    Reason.ANNOTATION_FILTER: lambda of: (
        f"{of.name} is not claimed by {_of(of.claimants[0])}: its annotations do not match "
        f"--annotation-filter={of.rule}"
    ),
    Reason.OTHER_FILTER: lambda of: (
        f"{of.name} is not claimed by {_of(of.claimants[0])}: it does not match {of.rule}"
    ),
    Reason.SERVICE_TYPE: lambda of: (
        f"{of.name} is not claimed by {_of(of.claimants[0])}: the Service is not of type LoadBalancer"
    ),
    Reason.DUPLICATE: lambda of: (
        f"{of.name} of {_of(of.claimants[0])} is dropped as a duplicate: {_of(of.beside)} asks for the "
        "same and came first this time"
    ),
    Reason.MERGED: lambda of: (
        f"{of.name} of {_of(of.claimants[0])} is merged into that of {_of(of.beside)}, which the TXT names"
    ),
    Reason.CNAME_EXCLUDED: lambda of: (
        f"{of.subject} of {_of(of.claimants[0])} is dropped: {_of(of.beside)} asks for "
        f"{of.beside.type if of.beside else 'another type'} under the same name, which excludes a CNAME"
    ),
    Reason.TXT_KEPT: lambda of: (
        f"{of.rule} TXT is not written for {of.subject} of {_of(of.claimants[0])}: a TXT of that name exists "
        "and stays, so the owner and object in it apply from now on"
    ),
    Reason.TXT_LOST: lambda of: (
        f"{of.rule} TXT is not written for {of.subject} of {_of(of.claimants[0])}: one of that name exists "
        "and goes with the old record in the same sync, so the new record is nobody's and frozen from then on"
    ),
    Reason.NOT_MANAGED: lambda of: (
        f"{of.subject} of {_of(of.claimants[0])} is left out: only {of.rule} records are managed"
    ),
    Reason.OUTSIDE_DOMAIN: lambda of: (
        f"{of.subject} of {_of(of.claimants[0])} is left out: the name is outside {of.rule}"
    ),
    Reason.NO_ZONE: lambda of: (
        f"{of.subject} of {_of(of.claimants[0])} is left out: the name is outside all hosted zones"
    ),
}

_REMEDIES: Mapping[Reason, Callable[[Decision], str]] = {
    Reason.NO_ADDRESS: lambda _: "it claims the name as soon as its load balancer's name is in its status",
    Reason.NO_GATEWAY: lambda _: (
        "it claims the name as soon as its status says that such a Gateway accepts it"
    ),
    Reason.OTHER_PREFIX: lambda of: f"annotate it with {of.rule} too, or set --annotation-prefix",
    Reason.OTHER_CONTROLLER: lambda _: 'remove the controller annotation, or set it to "dns-controller"',
    Reason.ANNOTATION_FILTER: lambda _: "add the annotation that the filter asks for, or change the filter",
    Reason.OTHER_FILTER: lambda _: "change the object so that it matches, or change the filter",
    Reason.SERVICE_TYPE: lambda _: "only a Service of type LoadBalancer has a public address",
    Reason.DUPLICATE: _one_of_two,
    Reason.MERGED: _one_of_two,
    Reason.CNAME_EXCLUDED: lambda of: f"remove {of.name} from {_of(of.beside)}",
    Reason.TXT_KEPT: lambda of: f"delete {of.rule} TXT before the record is created, or correct it by hand",
    Reason.TXT_LOST: lambda of: (
        f"add {of.rule} TXT by hand afterwards, with the owner and the object of the new record"
    ),
    Reason.NOT_MANAGED: lambda of: f"--managed-record-types={of.type} would add it",
    Reason.OUTSIDE_DOMAIN: lambda _: "widen the domain filter",
    Reason.OVERSIZED: lambda _: "raise --aws-batch-change-size and the other limits of a batch",
    Reason.NO_ZONE: lambda of: f"create a hosted zone for {of.name}, or write the host in lower case",
    Reason.POLICY: lambda of: (
        "--policy=sync would send it"
        if of.outcome is Outcome.DELETE
        else "--policy=upsert-only would send it"
    ),
    Reason.OTHER_OWNER: lambda of: (
        f'run with --txt-owner-id={_owner_of(of)}, or write "{of.rule}" as owner into {_txts(of)}'
    ),
    Reason.NO_OWNER: lambda of: (
        f"write {_txts(of)} {of.txts[0].targets[0]}, or delete the record"
        if of.txts
        else "move the record by hand, or delete it: this release reads no TXT in the hosted zone as its own"
    ),
}

CLAIM_MISSING = frozenset(
    (
        Reason.NO_ADDRESS,
        Reason.NO_GATEWAY,
        Reason.OTHER_PREFIX,
        Reason.OTHER_CONTROLLER,
        Reason.ANNOTATION_FILTER,
        Reason.OTHER_FILTER,
        Reason.SERVICE_TYPE,
    )
)
"""The reasons why an object that names a host does not claim it."""
