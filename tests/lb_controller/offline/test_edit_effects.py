from __future__ import annotations

from testbed.aws.in_process import Write
from testbed.lb_controller.offline.edit_effects import calls, effects

LB = "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/one/1"
LISTENER = "arn:aws:elasticloadbalancing:r:1:listener/app/one/1/2"
RULE = "arn:aws:elasticloadbalancing:r:1:listener-rule/app/one/1/2/3"
OLD, NEW = (f"arn:aws:elasticloadbalancing:r:1:targetgroup/{name}/4" for name in ("old", "new"))


def write(action: str, created: str = "", refusal: str = "", **parameters: str) -> Write:
    named = {key.replace("__", ".member.1."): value for key, value in parameters.items()}
    return Write("elasticloadbalancing", action, named, 400 if refusal else 200, refusal, created)


def forward(group: str, weight: str = "1") -> dict[str, str]:
    place = "Actions__ForwardConfig.TargetGroups__"
    return {f"{place}TargetGroupArn": group, f"{place}Weight": weight}


def targets(action: str, group: str) -> Write:
    return write(action, TargetGroupArn=group, Targets__Id="10.0.0.4", Targets__Port="80")


STANDING = [
    write("CreateTargetGroup", OLD, Name="old"),
    write("CreateLoadBalancer", LB, Name="one", Type="application"),
    write("CreateListener", LISTENER, LoadBalancerArn=LB, Port="80", Protocol="HTTP"),
    write("CreateRule", RULE, ListenerArn=LISTENER, **forward(OLD)),
    targets("RegisterTargets", OLD),
]
MADE = write("CreateTargetGroup", NEW, Name="new")
POINTED = write("ModifyRule", RuleArn=RULE, **forward(NEW))


def kinds(*edit: Write) -> list[tuple[str, int]]:
    return [(one.kind, one.call) for one in effects(STANDING, edit)]


def test_a_rule_that_points_to_a_group_before_its_targets_has_none() -> None:
    assert kinds(MADE, POINTED, targets("RegisterTargets", NEW)) == [("no targets", 2)]
    assert kinds(MADE, targets("RegisterTargets", NEW), POINTED) == []


def test_a_group_of_weight_nought_gets_no_request() -> None:
    pointed = write("ModifyRule", RuleArn=RULE, **forward(NEW, "0"))
    assert kinds(MADE, pointed) == []


def test_targets_that_leave_a_group_that_nothing_uses_are_missed_by_nobody() -> None:
    gone = targets("DeregisterTargets", OLD)
    assert kinds(gone) == [("drained early", 1)]
    assert kinds(MADE, targets("RegisterTargets", NEW), POINTED, gone) == []
    assert kinds(write("DeleteRule", RuleArn=RULE), gone) == [("rule gone", 1)]


def test_another_group_is_noticed_if_its_targets_are_others() -> None:
    elsewhere = write("RegisterTargets", TargetGroupArn=NEW, Targets__Id="10.0.0.9", Targets__Port="80")
    assert kinds(MADE, elsewhere, POINTED) == [("other targets", 3)]
    assert kinds(MADE, targets("RegisterTargets", NEW), POINTED) == []


def test_a_balancer_takes_its_listeners_and_rules_with_it() -> None:
    deleted = write("DeleteLoadBalancer", LoadBalancerArn=LB)
    assert kinds(deleted, targets("DeregisterTargets", OLD)) == [("name gone", 1)]


def test_a_refused_call_has_no_effect_but_the_refusal() -> None:
    refused = write("DeleteLoadBalancer", refusal="it is protected", LoadBalancerArn=LB)
    assert kinds(refused, targets("DeregisterTargets", OLD)) == [("refused", 1), ("drained early", 2)]


def test_calls_are_named_by_what_they_are_about() -> None:
    named = calls(STANDING, [MADE, POINTED, write("DeleteListener", ListenerArn=LISTENER)])
    assert [(one.subject, one.how) for one in named] == [
        ("new", "anew"),
        ("a rule of listener HTTP 80 of one", "in place"),
        ("listener HTTP 80 of one", "gone"),
    ]
