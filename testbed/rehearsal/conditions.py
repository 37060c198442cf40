"""Conditions that a scenario waits for or expects: each has a sentence, and reports what it sees.

They take a load balancer by any of its names: `nlb` or `alb`, its owner `service/shop/envoy`, its DNS name,
or a name that the scenario gave. A name that means nothing is refused.

What is not there proves nothing by itself: a slip of the pen is never there. So a condition that something is
absent holds only beside a sighting: `gone`, the run has had the balancer; `drained`, clients have used it;
`not_logged`, ExternalDNS has logged since the step began, and it logs such messages. `no_record` needs none:
its name is the scenario's host, which the clients call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from testbed.balancer_identity import phrase, title
from testbed.client_models.catalogue import MODELS
from testbed.errors import BadInput
from testbed.network import BALANCER_TYPES
from testbed.rehearsal import external_dns_messages as messages
from testbed.rehearsal.observer import Observer
from testbed.settings import PRODUCTION

PROTOCOL_VERSIONS = ("HTTP1", "HTTP2", "GRPC")
"""Of target groups. Source: ELBv2 API, CreateTargetGroup."""

refusals: list[BadInput] = []
"""The conditions that were refused since a run cleared this: a thread, a future or an `except` of the script
may swallow the error, and the check that was meant is then never made."""


@dataclass(frozen=True, slots=True)
class Observation:
    """The result of a look: whether the condition holds, and what there is, in words for the report."""

    holds: bool
    seen: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A sentence, and a function that looks whether it is true now; `balancer` names the one it is about."""

    text: str
    look: Callable[[Observer], Observation]
    balancer: str = ""


def alias_at(balancer: str, *, type: str = "A") -> Condition:  # noqa: A002 the field's own name
    """The host's alias record in Route 53 points to this balancer."""

    def look(observer: Observer) -> Observation:
        target = observer.alias(type)
        if target is None:
            return Observation(False, f"there is no {type} alias")
        names = observer.names
        meant = names.resolve(balancer)
        known = names.get(target.dns_name)
        called = title(names.name(target.dns_name)) if known else target.type
        # A record may point to a balancer that the run has not had: only its type is known then.
        holds = known in meant if known else target.type == balancer
        return Observation(holds, f"the {type} alias points to {target.dns_name} ({called})")

    return Condition(f"the {type} alias points to {phrase(balancer)}", look, balancer)


def weights(**expected: int) -> Condition:
    """The host's alias records have these weights, by balancer: `weights(nlb=90, alb=10)`.

    Names that are no Python names are written `weights(**{"service/shop/envoy": 90})`.

    Raises:
        BadInput: no weight is given.
    """
    if not expected:
        raise _refusal(
            "weights() needs a weight: without one it would hold where no weighted record is",
            do="write e.g. weights(nlb=90, alb=10)",
        )

    def in_words(weight_by_name: Mapping[str, int]) -> str:
        pairs = sorted(weight_by_name.items(), reverse=True)
        return ", ".join(f"{title(name)} {weight}" for name, weight in pairs)

    def look(observer: Observer) -> Observation:
        current = observer.weights()
        names = observer.names
        meant = {
            name: [one for one in names.names_of(names.resolve(name)) or [name] if one in current]
            for name in expected
        }
        # A name that means several balancers stands for the sum of their weights.
        sums = {name: sum(current[one] for one in found) for name, found in meant.items() if found}
        is_whole = set(current) == {one for found in meant.values() for one in found}
        return Observation(sums == expected and is_whole, in_words(current) or "there is no weighted record")

    return Condition(f"the weights are {in_words(expected)}", look)


def no_record() -> Condition:
    """The host has no A record in Route 53."""

    def look(observer: Observer) -> Observation:
        target = observer.alias()
        seen = f"the A alias points to {target.dns_name}" if target else "there is no A record"
        return Observation(target is None, seen)

    return Condition("the name has no A record", look)


def claimed_by(resource: str) -> Condition:
    """ExternalDNS's TXT record of the host names this resource, `service/default/envoy`, or one below it.

    The name may end early where a word of the resource ends, at `/` or `-`: `ingress/`, `ingress/default/web`
    for `ingress/default/web-grpc`.

    Raises:
        BadInput: the resource is empty, so that every one would begin with it.
    """
    _check_not_empty("claimed_by", resource)

    def look(observer: Observer) -> Observation:
        labels = observer.resource_labels()
        holds = bool(labels) and all(_begins_with(label, resource) for label in labels)
        return Observation(holds, ", ".join(labels) or "no TXT record names a resource")

    return Condition(f"the record belongs to {resource}", look)


def served_by(balancer: str) -> Condition:
    """Since the step began, at least one request was answered through this balancer."""

    def look(observer: Observer) -> Observation:
        count = observer.served_in_step(balancer)
        return Observation(count > 0, f"{count} requests in this step")

    return Condition(f"{phrase(balancer)} serves requests", look, balancer)


def only_served_by(balancer: str) -> Condition:
    """Since the step began, requests were answered, and all of them through this balancer."""

    def look(observer: Observer) -> Observation:
        names = observer.names
        meant = names.names_of(names.resolve(balancer))
        by_name = observer.served_by_name_in_step()
        served = sum(by_name.get(name, 0) for name in meant)
        elsewhere = {name: count for name, count in by_name.items() if name not in meant}
        through = {balancer: served, **(elsewhere or {"other balancers": 0})}
        seen = ", ".join(f"{count} through {phrase(name)}" for name, count in through.items())
        # No request at all proves nothing, so it does not hold either.
        return Observation(served > 0 and not any(elsewhere.values()), seen)

    return Condition(f"every request goes through {phrase(balancer)}", look, balancer)


def drained(balancer: str) -> Condition:
    """No client connection is open at this balancer (ActiveFlowCount is 0), and it has served before.

    If clients keep no connection between requests, as nginx does, none is open at most moments. Then no
    request may have gone through it for a minute of production time either, so wait for it: one look cannot
    know.
    """

    def look(observer: Observer) -> Observation:
        if not observer.names.resolve(balancer):
            return Observation(False, _there_is_no(balancer))
        count = observer.open_connections(balancer)
        if not observer.has_served(balancer):
            return Observation(False, f"{count} connections, but no request has gone through it")
        if (
            not count
            and not observer.leaves_traces()
            and observer.silence(balancer) < PRODUCTION.metric_period
        ):
            return Observation(
                False, "0 connections, but clients that keep none have called it within a minute"
            )
        return Observation(count == 0, f"{count} connections{_of_whom(observer.clients_at(balancer))}")

    return Condition(f"no connection is left on {phrase(balancer)}", look, balancer)


def active(balancer: str, *, healthy: bool = True) -> Condition:
    """This balancer is active and has addresses and, if `healthy`, only healthy targets."""

    def look(observer: Observer) -> Observation:
        balancers = observer.balancers(balancer)
        if not balancers:
            owner = observer.names.given.get(balancer, balancer)
            warnings = observer.warnings(_kind_of(owner))
            return Observation(False, "; ".join([_there_is_no(balancer), *warnings[:1]]))
        states = [one.state for one in balancers]
        problems = [f"{one.dns_name} has no address" for one in balancers if not observer.addresses(one)]
        if healthy:
            problems += observer.unhealthy_targets(balancers)
        return Observation(set(states) == {"active"} and not problems, ", ".join([*states, *problems]))

    suffix = " and its targets healthy" if healthy else ""
    return Condition(f"{phrase(balancer)} is active{suffix}", look, balancer)


def gone(balancer: str) -> Condition:
    """ELBv2 has no balancer of this name, and had one before in the run."""

    def look(observer: Observer) -> Observation:
        names = [one.dns_name for one in observer.balancers(balancer)]
        if not observer.names.resolve(balancer):
            return Observation(False, f"the run has had no load balancer {balancer}")
        return Observation(not names, ", ".join(names) or _there_is_no(balancer))

    return Condition(f"{phrase(balancer)} is gone", look, balancer)


def only_one(balancer: str) -> Condition:
    """ELBv2 has exactly one balancer of this name; of a type, whatever their owners are."""

    def look(observer: Observer) -> Observation:
        found = (
            observer.balancers_of_type(balancer)
            if balancer in BALANCER_TYPES
            else observer.balancers(balancer)
        )
        names = [one.dns_name for one in found]
        return Observation(len(names) == 1, f"{len(names)}: {', '.join(names)}" if names else "there is none")

    return Condition(f"there is one {title(balancer)}", look, balancer)


def forwards(balancer: str, port: int, *protocol_versions: str) -> Condition:
    """The rules of the listener on this port forward to target groups of exactly these protocol versions.

    Raises:
        BadInput: no version is given, or one that ELBv2 does not have.
    """
    if unknown := [one for one in protocol_versions if one not in PROTOCOL_VERSIONS]:
        raise _refusal(
            f"{unknown[0]!r} is not a protocol version", do=f"write {', '.join(PROTOCOL_VERSIONS)}"
        )
    if not protocol_versions:
        raise _refusal(
            "forwards() needs a protocol version: without one it would hold where no listener is",
            do=f"write e.g. forwards({balancer!r}, {port}, 'HTTP1')",
        )

    def look(observer: Observer) -> Observation:
        current = observer.forwarded_versions(balancer, port)
        return Observation(set(current) == set(protocol_versions), ", ".join(current) or "there are no rules")

    groups = " and ".join(protocol_versions)
    return Condition(
        f"listener {port} of {phrase(balancer)} forwards to {groups} target groups", look, balancer
    )


def answers_by_its_own_name(balancer: str) -> Condition:
    """Called by its own DNS name, the balancer serves the host's gRPC and REST."""

    def look(observer: Observer) -> Observation:
        balancers = observer.balancers(balancer)
        if not balancers:
            return Observation(False, _there_is_no(balancer))
        results = [result for one in balancers for result in observer.probe(one)]
        if not results:
            return Observation(False, "the traffic has no unary call to try")
        seen = ", ".join(f"{result.protocol} {result.status}" for result in results)
        return Observation(all(result.is_ok for result in results), seen)

    return Condition(f"called by its own name, {phrase(balancer)} serves gRPC and REST", look, balancer)


def logged(text: str) -> Condition:
    """Since the step began, ExternalDNS logged a message that contains this text.

    Raises:
        BadInput: the text is empty.
    """
    _check_not_empty("logged", text)

    def look(observer: Observer) -> Observation:
        if observer.topology.setup.cluster.external_dns_is_open:
            raise unseen(f"logged({text!r})")
        lines = observer.external_dns_log_in_step()
        matching = [line for line in lines if text in line]
        return Observation(bool(matching), matching[-1] if matching else f"{len(lines)} other messages")

    return Condition(f"ExternalDNS logs {text!r}", look)


def not_logged(text: str) -> Condition:
    """Since the step began, ExternalDNS logged, but no message that contains this text.

    The text must be one that ExternalDNS logs: of `Desired change: DELETE api.example.com A` each word is
    checked; of another message the run's log has the words before the last. Names must be known, too.

    Raises:
        BadInput: the text is empty.
    """
    _check_not_empty("not_logged", text)
    positive = logged(text)

    def look(observer: Observer) -> Observation:
        observation = positive.look(observer)
        if observation.holds:
            return Observation(False, observation.seen)
        if not observer.external_dns_log_in_step():
            return Observation(False, "ExternalDNS has logged nothing since the step began")
        doubt = messages.doubt(text, observer.external_dns_log(), observer.known_names())
        return Observation(not doubt, doubt or observation.seen)

    return Condition(f"ExternalDNS does not log {text!r}", look)


def synced(times: int = 1) -> Condition:
    """ExternalDNS began and finished this many syncs since the operator's last action.

    Raises:
        BadInput: the number is less than 1.
    """
    if times < 1:
        raise _refusal(f"synced({times}) would always hold", do="write synced()")

    def look(observer: Observer) -> Observation:
        if observer.topology.setup.cluster.external_dns_is_open:
            raise unseen("synced()")
        done = observer.syncs_since_action()
        return Observation(done >= times, f"{done} syncs")

    return Condition(f"ExternalDNS has synced {times} {'time' if times == 1 else 'times'}", look)


OF_EXTERNAL_DNS = ("logged", "not_logged", "synced")
"""The conditions that look at the process of ExternalDNS itself."""


def unseen(condition: str) -> BadInput:
    """Return the refusal of a condition on an ExternalDNS that the user starts: it would never hold."""
    return _refusal(
        f"{condition} never holds: nobody here sees the log and the syncs of an ExternalDNS that you start",
        do="wait for what it does (alias_at, claimed_by, served_by), or leave out --external-dns none",
    )


def _begins_with(label: str, resource: str) -> bool:
    rest = label.removeprefix(resource)
    is_whole = not rest or resource.endswith(("/", "-")) or rest.startswith(("/", "-"))
    return label.startswith(resource) and is_whole


def _refusal(what: str, do: str) -> BadInput:
    error = BadInput(what, do=do)
    refusals.append(error)
    return error


def _check_not_empty(condition: str, text: str) -> None:
    if not text.strip():
        raise _refusal(f"{condition}({text!r}) has no text, so it would say nothing", do="write the words")


def _of_whom(clients: Mapping[str, int]) -> str:
    """Say which client models have these connections, and which of them do not leave by themselves."""
    if not any(clients.values()):
        return ""
    who = ", ".join(f"{count} of {model}" for model, count in sorted(clients.items()) if count)
    stay = [
        model
        for model, count in sorted(clients.items())
        if count and model in MODELS and not MODELS[model].follows_by_itself
    ]
    never = f"; {', '.join(stay)} never look the name up while their connection lives" if stay else ""
    return f": {who}{never}"


def _kind_of(owner: str) -> str:
    """Return the kind of the object that makes a balancer, by its owner or its type."""
    if owner.startswith("gateway/"):
        return "Gateway"
    return "Service" if owner.startswith(("nlb", "service/")) else "Ingress"


def _there_is_no(balancer: str) -> str:
    return f"there is no {title(balancer)}" if balancer in BALANCER_TYPES else f"{balancer} does not exist"
