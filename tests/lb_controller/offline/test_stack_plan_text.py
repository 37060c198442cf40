from __future__ import annotations

from testbed.lb_controller.offline import stack_plan_text
from tests.lb_controller.offline.manifests_of_groups import ingress, planned


def test_what_another_controller_takes_and_what_nobody_takes_are_told_apart() -> None:
    classless = ingress("none", "/*").replace("    kubernetes.io/ingress.class: alb\n", "")
    result = planned(ingress("web", "/*").replace("class: alb", "class: nginx"), classless)

    assert result.stacks == ()
    assert list(result.ignored) == ["Ingress default/none"]
    lines = stack_plan_text.lines(result)
    assert (
        "Ingress default/web gets its load balancer from the controller of the class nginx (app.yaml:9)."
        in lines
    )
    assert any(
        "it names no class, and no IngressClass of the manifests is the default" in one for one in lines
    )


def test_a_frontend_nlb_and_transforms_are_shown_and_named_as_not_obeyed() -> None:
    rewrite = (
        '[{"type": "url-rewrite", "urlRewriteConfig": {"rewrites": [{"regex": "^/a", "replace": "/"}]}}]'
    )
    result = planned(ingress("web", "/a", "enable-frontend-nlb: 'true'", f"transforms.web: '{rewrite}'"))

    text = "\n".join(stack_plan_text.lines(result))

    assert "path /a -> url-rewrite ^/a by /, HTTP1 k8s-default-web-" in text
    (planned_stack,) = result.stacks
    assert planned_stack.stack
    alb = planned_stack.stack.load_balancer
    assert alb
    assert f"  NLB {alb.name}-nlb, internal, ipv4\n    listener 80 TCP\n" in text
    assert ", TCP, the ALB at port 80\n" in text
    phrases = [f"the frontend NLB {alb.name}-nlb on port 80", "transforms of rule 80:1"]
    for phrase in phrases:
        assert f"  modelled, not obeyed by packets: {phrase}" in text
    (stack,) = result.to_json()["stacks"]
    assert stack["notObeyedByPackets"] == phrases
    assert stack["frontendNlb"]["targets"][0]["targetPort"] == 80
