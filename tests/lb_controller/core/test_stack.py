from __future__ import annotations

from dataclasses import replace

from testbed.lb_controller.core.stack import Action, Condition, ListenerRule, RuleSource, Stack


def test_the_source_of_a_rule_does_not_count_when_rules_are_compared() -> None:
    item = ListenerRule(
        listener_port=443,
        priority=2,
        conditions=(Condition(field="path-pattern", values=("/a",)),),
        actions=(Action(type="fixed-response"),),
    )

    assert item.id == "443:2"
    assert item == replace(item, source=RuleSource("default", "web", 0, 0))
    assert item != replace(item, priority=3)


def test_each_resource_carries_the_tags_of_its_stack_and_its_own_id() -> None:
    stack = Stack(id="default/web", cluster_name="testbed", tag_prefix="service.k8s.aws")

    assert stack.stack_tags().items() < stack.tracking_tags("LoadBalancer").items()
    assert stack.tracking_tags("LoadBalancer")["service.k8s.aws/resource"] == "LoadBalancer"
    assert stack.stack_tags() == {
        "elbv2.k8s.aws/cluster": "testbed",
        "service.k8s.aws/stack": "default/web",
    }
