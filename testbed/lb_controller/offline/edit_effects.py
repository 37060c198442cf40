"""What clients notice of the calls by which an edit is carried out: pure, from the calls alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from testbed.aws.in_process import Write
from testbed.lb_controller.offline.forwarding_state import (
    Forwarding,
    ForwardingState,
    forwards,
    other_actions,
    priorities,
    targets,
)
from testbed.lb_controller.offline.rule_requests import Requests

_TAKES_OVER = ("CreateListener", "ModifyListener", "ModifyRule", "DeleteListener", "DeleteRule")
_TELLING = (".Type", ".StatusCode")
_LISTED = 3
"""So many rules behind another are named."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that clients notice.

    Attributes:
        kind: `new name`, `name gone`, `no targets`, `drained early`, `port closed`, `rule gone`, `new rule`,
            `other requests`, `other order`, `other answer`, `other targets`, `other TLS` or
            `refused`.
        text: a sentence.
        call: the number of the call from which they notice it; the first is 1.
    """

    kind: str
    text: str
    call: int


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an edit, with what it is about."""

    write: Write
    subject: str

    @property
    def how(self) -> str:
        """`anew`, `gone` or `in place`: what the call does to its subject."""
        action = self.write.action
        if action.startswith("Create") and action != "CreateTags":
            return "anew"
        return "gone" if action.startswith("Delete") and action != "DeleteTags" else "in place"


def calls(standing: Iterable[Write], edit: Sequence[Write]) -> tuple[Call, ...]:
    """The calls of an edit, each with its subject; `standing` are those that made what stands."""
    state = _after(standing)
    found = []
    for write in edit:
        found.append(Call(write, state.subject(write)))
        state.play(write)
    return tuple(found)


def effects(
    standing: Iterable[Write], edit: Sequence[Write], moved: Iterable[tuple[str, str]] = ()
) -> tuple[Effect, ...]:
    """What clients notice, in the order of the calls.

    Args:
        standing: the calls that made what stands.
        edit: the calls of the edit.
        moved: DNS names that objects had before and have afterwards.
    """
    play = _Play(_after(standing), edit, tuple(moved))
    return tuple(play.effects())


def _after(standing: Iterable[Write]) -> ForwardingState:
    state = ForwardingState()
    for write in standing:
        state.play(write)
    return state


class _Play:
    """The calls of an edit, played one after the other on what stands."""

    def __init__(
        self, state: ForwardingState, edit: Sequence[Write], moved: tuple[tuple[str, str], ...]
    ) -> None:
        self._state, self._edit, self._moved = state, edit, moved
        self._made = {one.created for one in edit if one.action == "CreateLoadBalancer"}

    def effects(self) -> Iterator[Effect]:
        for number, write in enumerate(self._edit, start=1):
            yield from self._of_call(number, write)
            self._state.play(write)

    def _of_call(self, number: int, write: Write) -> Iterator[Effect]:
        parameters, state = write.parameters, self._state
        if write.refusal:
            if write.action != "AuthorizeSecurityGroupIngress":  # which keeps nothing from going on
                yield Effect("refused", f"AWS refuses {write.action}: {write.refusal}", number)
            return
        match write.action:
            case "DeleteLoadBalancer":
                yield self._balancer_goes(number, parameters["LoadBalancerArn"])
            case "DeleteListener":
                if known := state.listeners.get(parameters["ListenerArn"]):
                    yield Effect("port closed", f"{known.name} goes: new connections are refused", number)
            case "DeleteRule":
                if known := state.rules.get(parameters["RuleArn"]):
                    text = f"{known.name} goes: requests for {known.requests} meet {self._behind(known)}"
                    yield Effect("rule gone", text, number)
            case "ModifyListener":
                yield from self._other_settings(number, write)
                yield from self._answers_otherwise(number, write)
                yield from self._points_to_nothing(number, write)
            case "ModifyRule":
                yield from self._matches_others(number, write)
                yield from self._answers_otherwise(number, write)
                yield from self._points_to_nothing(number, write)
            case "CreateRule":
                yield from self._matches_too(number, write)
                yield from self._points_to_nothing(number, write)
            case "SetRulePriorities":
                yield from self._in_other_order(number, write)
            case "DeregisterTargets":
                yield from self._drained(number, write)

    def _balancer_goes(self, number: int, arn: str) -> Effect:
        balancer = self._state.balancers.get(arn)
        name = balancer.name if balancer else arn
        place = self._successor(name, balancer.stack if balancer else "")
        if place is None:
            text = f"{name} is deleted: its DNS name goes, and no other balancer takes its place"
            return Effect("name gone", text, number)
        new = self._edit[place - 1].parameters["Name"]
        return Effect(
            "new name",
            f"{name} is deleted; {new} has another DNS name, is made by call {place} and needs minutes until "
            "it is active. Until then, and until DNS follows, clients reach nothing",
            number,
        )

    def _successor(self, name: str, stack: str) -> int | None:
        """The number of the call that makes the balancer of the stack, or one that its objects move to."""
        goals = [new.removeprefix("internal-") for old, new in self._moved if name in old]
        for place, write in enumerate(self._edit, start=1):
            if write.action != "CreateLoadBalancer" or write.refusal:
                continue
            is_of_stack = any(value == stack for value in write.parameters.values())
            if (stack and is_of_stack) or any(goal.startswith(write.parameters["Name"]) for goal in goals):
                return place
        return None

    def _matches_others(self, number: int, write: Write) -> Iterator[Effect]:
        known = self._state.rules.get(write.parameters["RuleArn"])
        wanted = Requests.of(write.parameters)
        if known is None or wanted is None or wanted == known.requests or self._is_unused(known.listener):
            return
        text = (
            f"{known.name} is for {wanted} instead of {known.requests}: those of the new requests that "
            "no rule before it matches get its answer, and the old ones that it no longer matches meet "
        )
        after = self._behind(known) + self._again(number, known.listener, known.requests)
        yield Effect("other requests", text + after, number)

    def _matches_too(self, number: int, write: Write) -> Iterator[Effect]:
        listener = write.parameters["ListenerArn"]
        known, wanted = self._state.listeners.get(listener), Requests.of(write.parameters)
        if known is None or wanted is None or self._is_unused(listener):
            return
        text = f"a new rule of {known.name} is for {wanted}: it answers those that no rule before it matches"
        yield Effect("new rule", text, number)

    def _in_other_order(self, number: int, write: Write) -> Iterator[Effect]:
        new, state = priorities(write.parameters), self._state
        for listener in dict.fromkeys(state.rules[arn].listener for arn in new if arn in state.rules):
            rules = {arn: one for arn, one in state.rules.items() if one.listener == listener}
            before = sorted(rules, key=lambda arn: rules[arn].priority)
            after = sorted(rules, key=lambda arn: new.get(arn, rules[arn].priority))
            for place, arn in enumerate(after):
                first, behind = rules[arn].requests, after[place + 1 :]
                met = [rules[one].requests for one in before[: before.index(arn)] if one in behind]
                if others := [str(one) for one in met if first.may_meet(one)]:
                    text = (
                        f"{rules[arn].name}, the one for {first}, comes before the one for "
                        f"{'; '.join(others)} now: requests that match both get its answer"
                    )
                    yield Effect("other order", text, number)

    def _answers_otherwise(self, number: int, write: Write) -> Iterator[Effect]:
        known, wanted = self._forwarding_of(write), other_actions(write.parameters)
        if known is None or known.balancer in self._made:
            return
        groups, requests = forwards(write.parameters), Requests.of(write.parameters)
        targeted = self._state.targets_of(groups)
        # A rule for other requests is told as that, and one without targets as that.
        is_told = requests not in (None, known.requests) or not targeted
        if not is_told and targeted != self._state.targets_of(known.groups):
            old, new = (
                ", ".join(self._state.groups.get(one, one) for one in of) for of in (known.groups, groups)
            )
            text = f"{known.name} forwards to {new} instead of {old or 'no target group'}"
            yield Effect("other targets", text, number)
        if wanted and wanted != known.other:
            old, new = _in_words(known.other), _in_words(wanted)
            what = f"answers by {new} instead of {old}" if new != old else f"answers by another {new}"
            yield Effect("other answer", f"{known.name} {what}", number)

    def _behind(self, known: Forwarding) -> str:
        """What the requests of a rule meet without it."""
        rules = [one for one in self._state.rules.values() if one.listener == known.listener]
        if any(one.requests == known.requests and one.priority < known.priority for one in rules):
            return "the rule before it that is for the same"
        met = [
            f"the rule for {one.requests}"
            for one in sorted(rules, key=lambda one: one.priority)
            if one.priority > known.priority and one.requests.may_meet(known.requests)
        ]
        more = ["the rules behind it"] if len(met) > _LISTED else []
        return " or ".join([*met[:_LISTED], *more, "the default action"])

    def _again(self, number: int, listener: str, requests: Requests) -> str:
        """The later call that gives a rule of the same listener these requests."""
        for place, write in enumerate(self._edit[number:], start=number + 1):
            rule = self._state.rules.get(write.parameters.get("RuleArn", ""))
            of = rule.listener if rule else write.parameters.get("ListenerArn", "")
            if not write.refusal and of == listener and Requests.of(write.parameters) == requests:
                return f"; call {place} makes another rule for them"
        return ""

    def _is_unused(self, listener: str) -> bool:
        """True for a listener that the edit makes: it serves nobody yet."""
        return any(one.created == listener for one in self._edit if one.action == "CreateListener")

    def _points_to_nothing(self, number: int, write: Write) -> Iterator[Effect]:
        known = self._forwarding_of(write)
        wanted = forwards(write.parameters)
        if known is None or known.balancer in self._made or any(map(self._state.targets.get, wanted)):
            return  # a balancer that is new serves nobody yet
        if not wanted or (write.action != "CreateRule" and set(wanted) == set(known.groups)):
            return
        fills = (
            one.action == "RegisterTargets" and one.parameters["TargetGroupArn"] in wanted
            for one in self._edit[number:]
        )
        later = next((place for place, does in enumerate(fills, start=number + 1) if does), None)
        who = f"a new rule of {known.name}" if write.action == "CreateRule" else known.name
        name = self._state.groups.get(wanted[0], wanted[0])
        when = f" before call {later}, and no healthy one for some seconds more" if later else ""
        balancer = self._state.balancers.get(known.balancer)
        answer = "a reset" if balancer and balancer.type == "network" else "503"
        text = f"{who} points to {name}, which has no target{when}: clients get {answer}"
        yield Effect("no targets", text, number)

    def _drained(self, number: int, write: Write) -> Iterator[Effect]:
        group = write.parameters["TargetGroupArn"]
        left = self._state.targets.get(group, set()).difference(targets(write.parameters))
        users = [one for one in self._state.forwarding() if group in one.groups]
        if left or not users:
            return
        takes_over = (
            one.action in _TAKES_OVER
            or (one.action == "RegisterTargets" and one.parameters["TargetGroupArn"] == group)
            for one in self._edit[number:]
        )
        later = next((place for place, does in enumerate(takes_over, start=number + 1) if does), None)
        until = f" until call {later}" if later else ""
        text = f"{users[0].name} serves without any target{until}: connections end, and new ones fail"
        yield Effect("drained early", text, number)

    def _other_settings(self, number: int, write: Write) -> Iterator[Effect]:
        known = self._forwarding_of(write)
        if known is None:
            return
        after = ForwardingState(listeners={write.parameters["ListenerArn"]: Forwarding("", "", ())})
        after.play(write)
        new = after.listeners[write.parameters["ListenerArn"]].settings
        changed = [name for name, old in known.settings.items() if old != new[name]]
        if changed:
            text = (
                f"{known.name} has another {' and another '.join(changed)}: new connections meet it at once"
            )
            yield Effect("other TLS", text, number)

    def _forwarding_of(self, write: Write) -> Forwarding | None:
        rule = self._state.rules.get(write.parameters.get("RuleArn", ""))
        return rule or self._state.listeners.get(write.parameters.get("ListenerArn", ""))


def _in_words(actions: Iterable[tuple[str, str]]) -> str:
    """`fixed-response 503`: the types of actions, and the status with which they answer themselves."""
    told = (pair for pair in actions if pair[0].endswith(_TELLING))
    in_order = sorted(told, key=lambda pair: (pair[0].partition(".")[0], not pair[0].endswith(".Type")))
    return " ".join(value for _, value in in_order)
