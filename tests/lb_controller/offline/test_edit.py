from __future__ import annotations

from typing import Any

import pytest

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.offline import edit_text
from testbed.lb_controller.offline.edit import Edit, edit
from tests.lb_controller.offline.edits_of_a_shop import ingress, nlb, read


def of(old: str, new: str, **options: Any) -> Edit:
    before = read(old)
    return edit(before, read(new, standing=before), ControllerOptions(**options))


def kinds(found: Edit) -> list[str]:
    return [one.kind for one in found.effects]


def actions(found: Edit) -> list[str]:
    return [one.write.action for one in found.calls]


def test_an_edit_that_changes_nothing_writes_nothing() -> None:
    found = of(ingress() + nlb(), ingress() + nlb())
    assert (actions(found), kinds(found), found.names, found.has_failures) == ([], [], {}, False)


def test_another_scheme_takes_the_name_away_before_the_new_one_exists() -> None:
    found = of(ingress(scheme="internal"), ingress(scheme="internet-facing"))
    assert actions(found)[:2] == ["DeleteLoadBalancer", "CreateLoadBalancer"]
    assert kinds(found) == ["new name"]
    ((old, new),) = found.names.values()
    assert old.startswith("internal-k8s-shop-web-")
    assert new.startswith("k8s-shop-web-")


def test_another_target_type_points_the_rule_to_a_group_without_targets() -> None:
    found = of(ingress(target_type="ip"), ingress(target_type="instance"))
    assert kinds(found) == ["no targets"]
    made = actions(found)
    assert made.index("ModifyRule") < made.index("DeregisterTargets") < made.index("RegisterTargets")
    assert made[-1] == "DeleteTargetGroup"


def test_another_port_of_an_nlb_ends_the_old_targets_before_the_new_listener_exists() -> None:
    found = of(nlb(443), nlb(8443))
    assert kinds(found) == ["drained early", "port closed"]
    assert actions(found)[0] == "DeregisterTargets"
    assert actions(found).index("DeleteListener") < actions(found).index("CreateListener")


def test_a_group_that_is_joined_is_another_balancer_with_another_name() -> None:
    found = of(ingress(), ingress(group__name="shop"))
    assert kinds(found) == ["new name"]
    assert list(found.names) == ["Ingress shop/web"]


def test_a_certificate_turns_an_nlb_listener_to_tls() -> None:
    arn = "arn:aws:acm:eu-west-1:1:certificate/12345678-1234-1234-1234-123456789012"
    found = of(nlb(), nlb(ssl_cert=arn))
    assert actions(found) == ["ModifyListener", "AddListenerCertificates"]
    assert kinds(found) == ["other TLS"]


def test_a_weight_of_nought_is_no_target() -> None:
    def split(first: int, second: int) -> str:
        groups = ", ".join(
            f'{{\\"serviceName\\":\\"{name}\\",\\"servicePort\\":80,\\"weight\\":{weight}}}'
            for name, weight in (("web", first), ("new", second))
        )
        action = f'{{\\"type\\":\\"forward\\",\\"forwardConfig\\":{{\\"targetGroups\\":[{groups}]}}}}'
        text = ingress(actions__split=action).replace(
            "name: web, port: {number: 80}", "name: split, port: {name: use-annotation}"
        )
        return text + ingress("new").partition("---\napiVersion: networking")[0]

    found = of(split(100, 0), split(0, 100))
    assert actions(found) == ["ModifyRule"]
    assert kinds(found) == ["other targets"]  # which it has already
    assert "forwards to k8s-shop-new-" in found.effects[0].text
    assert "instead of k8s-shop-web-" in found.effects[0].text


def test_an_object_whose_class_goes_keeps_the_name_of_a_balancer_that_is_gone() -> None:
    found = of(ingress(), ingress().replace("ingressClassName: alb", "ingressClassName: nginx"))
    assert kinds(found) == ["name gone"]
    assert list(found.stale) == ["Ingress shop/web"]


def test_what_the_controller_cannot_build_is_a_failure_and_writes_nothing() -> None:
    found = of(ingress(), ingress(target_type="pods"))
    assert actions(found) == []
    assert found.has_failures
    assert "target-type" in found.failures[0] or "targetType" in found.failures[0]


def test_what_stands_and_cannot_be_built_is_told_apart() -> None:
    found = of(ingress(target_type="pods"), ingress(target_type="ip"))
    assert found.failed_before
    assert found.failures == ()


def test_protection_keeps_a_deleted_service_and_its_balancer() -> None:
    protected = nlb(attributes="deletion_protection.enabled=true")
    found = of(protected, "")
    assert actions(found) == []
    assert "deletion_protection is enabled" in found.failures[0]


@pytest.mark.parametrize("tag", ["v2.1.3", "v2.8.3", "v2.13.4", "v3.5.0"])
def test_each_release_carries_an_edit_out(tag: str) -> None:
    found = of(
        ingress(scheme="internal"), ingress(scheme="internet-facing"), release=LB_CONTROLLER_RELEASES[tag]
    )
    assert found.release == tag
    assert kinds(found) == ["new name"]


def test_a_rule_put_in_front_moves_the_others_since_v2_12_and_rewrites_them_before() -> None:
    old = ingress("web", group__name="shop", group__order="2")
    new = old + ingress("api", group__name="shop", group__order="1")
    now = actions(of(old, new))
    assert "SetRulePriorities" in now
    assert "ModifyRule" not in now
    before = actions(of(old, new, release=LB_CONTROLLER_RELEASES["v2.8.3"]))
    assert "SetRulePriorities" not in before
    assert "ModifyRule" in before


def with_host(name: str, text: str) -> str:
    return text.replace("  - http:", f"  - host: {name}.example.com\n    http:")


@pytest.mark.parametrize("tag", ["v2.8.1", "v3.5.0"])
def test_another_host_of_a_rule_is_noticed_by_the_requests_for_the_old_one(tag: str) -> None:
    release = LB_CONTROLLER_RELEASES[tag]
    found = of(with_host("shop", ingress()), with_host("other", ingress()), release=release)
    assert kinds(found) == ["other requests"]
    assert "is for other.example.com and /web or /web/* instead of shop.example.com" in found.effects[0].text
    assert found.effects[0].text.endswith("that it no longer matches meet the default action")


@pytest.mark.parametrize("tag", ["v2.8.1", "v3.5.0"])
def test_another_path_of_a_rule_sends_the_old_requests_to_the_rule_behind_it(tag: str) -> None:
    rest = ingress("rest", group__name="shop", group__order="2").replace("path: /rest,", "path: /,")
    old = ingress("grpc", group__name="shop", group__order="1").replace("/grpc,", "/shop.v1.Carts,")
    found = of(old + rest, old.replace("shop.v1", "shop.v2") + rest, release=LB_CONTROLLER_RELEASES[tag])
    assert kinds(found) == ["other requests"]
    assert found.effects[0].text.endswith("meet the rule for /* or the default action")


def test_an_order_in_which_a_catch_all_hides_a_rule_is_noticed_by_each_release() -> None:
    rest = ingress("rest", group__name="shop", group__order="2").replace("path: /rest,", "path: /,")
    first, last = (ingress("grpc", group__name="shop", group__order=order) for order in "13")
    found = of(first + rest, last + rest)
    assert kinds(found) == ["other order"]
    assert "the one for /*, comes before the one for /grpc or /grpc/* now" in found.effects[0].text
    by_rewriting = of(first + rest, last + rest, release=LB_CONTROLLER_RELEASES["v2.8.1"])
    assert kinds(by_rewriting) == ["other requests", "other requests"]
    assert by_rewriting.effects[0].text.endswith("; call 2 makes another rule for them")
    assert by_rewriting.effects[1].text.endswith("meet the rule before it that is for the same")


def test_rules_without_a_common_request_change_places_unnoticed() -> None:
    one, two = (with_host(name, ingress(name, group__name="shop", group__order="2")) for name in ("a", "b"))
    found = of(one + two, one + two.replace('group.order: "2"', 'group.order: "1"'))
    assert "SetRulePriorities" in actions(found)
    assert kinds(found) == []


def test_a_rule_that_comes_is_noticed_and_one_of_a_new_balancer_is_not() -> None:
    old = ingress(group__name="shop")
    assert kinds(of(old, old + ingress("api", group__name="shop"))) == ["new rule", "no targets"]
    assert kinds(of(old, old + ingress("api"))) == []


def test_the_document_has_the_calls_as_they_go_over_the_wire() -> None:
    found = of(ingress(), ingress(healthcheck_path="/ok")).to_json()
    (write,) = found["writes"]
    assert (write["service"], write["action"], write["how"]) == (
        "elasticloadbalancing",
        "ModifyTargetGroup",
        "in place",
    )
    assert write["parameters"]["HealthCheckPath"] == "/ok"
    assert write["parameters"]["Matcher.HttpCode"] == "200"


def test_a_service_that_goes_takes_its_targets_before_the_rule_is_changed() -> None:
    text = ingress(target_type="ip")
    found = of(text, "---\napiVersion: networking" + text.partition("---\napiVersion: networking")[2])
    assert actions(found)[0] == "DeregisterTargets"
    assert kinds(found) == ["drained early", "other answer"]
    assert (
        found.effects[1].text == "a rule of listener HTTP 80 answers by fixed-response 503 instead of forward"
    )


def test_capacity_is_reserved_and_one_whose_annotation_goes_stays() -> None:
    reserved = ingress(minimum_load_balancer_capacity="CapacityUnits=100")
    found = of(ingress(), reserved)
    assert actions(found) == ["ModifyCapacityReservation"]
    assert found.calls[0].write.parameters["MinimumLoadBalancerCapacity.CapacityUnits"] == "100"
    assert actions(of(reserved, ingress())) == []
    ended = of(reserved, ingress(minimum_load_balancer_capacity="CapacityUnits=0"))
    assert ended.calls[0].write.parameters["ResetCapacityReservation"] == "true"


def test_what_is_modelled_and_not_made_is_said() -> None:
    found = of(ingress(), ingress(enable_frontend_nlb="true"))
    assert found.left_out[0].startswith("the frontend NLB k8s-shop-web-")


def test_what_clients_would_notice_and_no_packet_obeys_is_said_instead_of_nothing() -> None:
    rewrite = '[{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"^/a","replace":"/"}]}}]'
    plain, transformed = ingress(), ingress(transforms__web=rewrite.replace('"', '\\"'))

    there, back = of(plain, transformed), of(transformed, plain)

    assert there.not_obeyed == ("transforms of rule 80:1 (Ingress group shop/web)",)
    assert back.not_obeyed == ("no longer transforms of rule 80:1 (Ingress group shop/web)",)
    assert of(transformed, transformed).not_obeyed == ()
    assert there.to_json()["not_obeyed"] == list(there.not_obeyed)
    text = edit_text.lines(there)
    assert "Clients notice nothing of it." not in text
    assert text[-1] == "  transforms of rule 80:1 (Ingress group shop/web)"


def test_a_certificate_that_comes_is_added_and_the_others_stay() -> None:
    first, second = (f"arn:aws:acm:eu-west-1:1:certificate/{n * 8}-1234-1234-1234-123456789012" for n in "12")
    old, new = (
        ingress(certificate_arn=arns).replace('"HTTP":80', '"HTTPS":443')
        for arns in (first, f"{first},{second}")
    )
    found = of(old, new)
    assert actions(found) == ["AddListenerCertificates"]
    assert found.calls[0].write.parameters["Certificates.member.1.CertificateArn"] == second
