from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from testbed.kubernetes import manifests
from testbed.lb_cli import lb
from testbed.lb_controller import plan_text
from testbed.lb_controller.advice import Reason
from testbed.lb_controller.inputs import ControllerOptions, Version
from testbed.lb_controller.plan import Plan, plan

STORY = Path(__file__).parents[2] / "scenarios" / "zozomat" / "manifests"
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports:
    - {name: http, port: 80, targetPort: 8080}
---
"""
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: NAME
  annotations:
    kubernetes.io/ingress.class: alb
    alb.ingress.kubernetes.io/group.name: app
    alb.ingress.kubernetes.io/target-type: ip
ANNOTATIONS
spec:
  rules:
    - host: api.example.com
      http:
        paths:
          - path: PATH
            backend: {service: {name: web, port: {number: 80}}}
            pathType: ImplementationSpecific
---
"""
HTTPS = "listen-ports: '[{\"HTTPS\": 443}]'"
CERTIFICATE = "certificate-arn: one"
GRPC = "backend-protocol-version: GRPC"
LONG = "load-balancer-attributes: idle_timeout.timeout_seconds=4000"


def ingress(name: str, path: str, *annotations: str) -> str:
    lines = "\n".join(f"    alb.ingress.kubernetes.io/{item}" for item in annotations)
    return INGRESS.replace("NAME", name).replace("PATH", path).replace("ANNOTATIONS", lines)


def planned(*documents: str, version: Version = Version.NEWEST) -> Plan:
    found = manifests.parse(SERVICE + "".join(documents), Path("app.yaml"))
    return plan(found, ControllerOptions(version=version))


def advised(*documents: str) -> dict[Reason, str]:
    return {item.reason: item.sentence for item in planned(*documents).advice}


def test_the_story_becomes_an_nlb_of_the_cloud_provider_and_an_alb() -> None:
    found = manifests.load([STORY / "1-nlb.yaml", STORY / "2-alb.yaml"])

    result = plan(found, ControllerOptions(version=Version.V2_1))

    alb, nlb = result.stacks
    assert (alb.title, nlb.title) == ("Ingress group zozomat-ingress", "Service default/envoy")
    assert nlb.owner == "cloud provider"
    assert alb.stack
    assert [item.protocol_version for item in alb.stack.target_groups] == ["GRPC", "HTTP1"]
    assert {item.reason for item in result.advice} == {Reason.EXPECT_464, Reason.IDLE_TIMEOUT_CUTS_STREAMS}
    assert "manifests/2-alb.yaml:31" in result.advice[0].sentence


def test_a_plan_without_anything_to_say_says_nothing() -> None:
    assert advised(ingress("web", "/*", CERTIFICATE)) == {}
    assert advised(ingress("grpc", "/pkg.Service/*", CERTIFICATE, GRPC, LONG)).keys() == {Reason.EXPECT_464}


def test_rules_that_miss_the_https_listener_of_their_group_are_told() -> None:
    found = advised(ingress("tls", "/tls", CERTIFICATE), ingress("plain", "/plain"))

    assert found == {
        Reason.RULES_ON_PORT_80_ONLY: "the rules of Ingress default/plain (app.yaml:27) go onto HTTP 80 only "
        "and not onto HTTPS 443 of its group app; give it listen-ports or certificate-arn"
    }


BOTH = 'listen-ports: \'[{"HTTP": 80}, {"HTTPS": 443}]\''
REDIRECT = "ssl-redirect: '443'"


def test_rules_that_only_a_redirecting_listener_would_have_are_told_to_be_nowhere() -> None:
    found = advised(ingress("tls", "/tls", CERTIFICATE, BOTH, REDIRECT), ingress("plain", "/plain"))

    assert found == {
        Reason.RULES_ON_PORT_80_ONLY: "the rules of Ingress default/plain (app.yaml:29) stand on no "
        "listener: HTTP 80 of its group app only redirects, and the Ingress does not listen on HTTPS 443; "
        "give it listen-ports or certificate-arn"
    }
    both = ingress("tls", "/tls", CERTIFICATE, BOTH, REDIRECT), ingress("plain", "/plain", BOTH)
    assert Reason.RULES_ON_PORT_80_ONLY not in advised(*both)


def with_default_backend(name: str, *annotations: str) -> str:
    head, _, _ = ingress(name, "/", *annotations).partition("  rules:")
    return head + "  defaultBackend: {service: {name: web, port: {number: 80}}}\n---\n"


def test_a_default_backend_that_misses_the_https_listener_is_told() -> None:
    found = advised(ingress("tls", "/tls", CERTIFICATE), with_default_backend("plain"))
    assert found[Reason.RULES_ON_PORT_80_ONLY].startswith("the default backend of Ingress default/plain (")
    assert "goes onto HTTP 80 only and not onto HTTPS 443" in found[Reason.RULES_ON_PORT_80_ONLY]


def test_a_grpc_default_backend_on_an_http_listener_is_told() -> None:
    found = advised(with_default_backend("web", GRPC))
    assert found[Reason.GRPC_ON_HTTP_LISTENER].startswith("AWS refuses listener 80 (app.yaml:")


def test_grpc_calls_that_fall_to_an_http1_default_backend_are_told() -> None:
    sentences = [
        item.sentence
        for item in planned(
            ingress("grpc", "/pkg.Service/*", CERTIFICATE, GRPC, LONG), with_default_backend("web", HTTPS)
        ).advice
    ]
    assert any(one.startswith("gRPC calls that no rule of listener 443 matches get 464") for one in sentences)


def test_http1_requests_to_an_http2_group_are_told() -> None:
    found = advised(ingress("web", "/*", CERTIFICATE, "backend-protocol-version: HTTP2"))
    assert found[Reason.EXPECT_464].startswith("HTTP/1.1 requests get 464 from the HTTP2 target group")


def test_a_file_is_no_grpc_method() -> None:
    assert advised(ingress("web", "/robots.txt", CERTIFICATE)) == {}


def test_a_member_without_host_uses_the_certificate_of_another() -> None:
    nameless = ingress("plain", "/plain", HTTPS).replace("- host: api.example.com\n      http:", "- http:")
    assert "host:" not in nameless
    assert Reason.MISSING_CERTIFICATE not in advised(ingress("tls", "/tls", CERTIFICATE), nameless)


@pytest.mark.parametrize("seconds", ["0", "4001", "long"])
def test_an_idle_timeout_that_aws_refuses_is_told(seconds: str) -> None:
    asked = f"load-balancer-attributes: idle_timeout.timeout_seconds={seconds}"
    found = advised(ingress("web", "/*", CERTIFICATE, asked))
    assert "it is 1 to 4000 s" in found[Reason.BEYOND_AWS_LIMITS]


def test_an_ingress_that_carries_the_finalizer_of_a_group_that_cannot_be_loaded_is_its_member() -> None:
    found = (
        ingress("web", "/*")
        .replace("  name: web\n", "  name: web\n  finalizers: [ingress.k8s.aws/resources]\n")
        .replace("    kubernetes.io/ingress.class: alb\n    alb.ingress.kubernetes.io/group.name: app\n", "")
        .replace("spec:\n", "spec:\n  ingressClassName: absent\n")
    )
    (stack,) = planned(found).stacks
    assert stack.error
    assert "absent" in stack.error
    assert list(stack.members) == ["Ingress default/web"]


def test_an_https_listener_without_certificate_is_told() -> None:
    found = advised(ingress("web", "/*", HTTPS))

    assert found == {
        Reason.MISSING_CERTIFICATE: "Ingress default/web (app.yaml:17) listens on HTTPS 443 without "
        "certificate-arn: the controller takes every issued ACM certificate for api.example.com, and the "
        "whole group fails if one of these has none"
    }


def test_a_grpc_group_on_an_http_listener_is_told() -> None:
    found = advised(ingress("grpc", "/pkg.Service/*", GRPC, LONG))

    assert found.keys() == {Reason.RULES_ON_PORT_80_ONLY, Reason.GRPC_ON_HTTP_LISTENER}
    assert found[Reason.GRPC_ON_HTTP_LISTENER].startswith(
        "AWS refuses rule 80:1 (host api.example.com and path /pkg.Service/*, Ingress default/grpc, "
        "app.yaml:24): listener protocol 'HTTP' is not supported with GRPC target group k8s-default-web-"
    )


def test_a_catch_all_in_front_hides_what_follows_and_gets_the_grpc_calls() -> None:
    found = advised(
        ingress("a-rest", "/*", CERTIFICATE), ingress("grpc", "/pkg.Service/*", CERTIFICATE, GRPC, LONG)
    )

    assert found[Reason.CATCH_ALL_HIDES_RULES] == (
        "rule 443:2 (host api.example.com and path /pkg.Service/*, Ingress default/grpc, app.yaml:43) is "
        "never reached: rule 443:1 (host api.example.com and path /*, Ingress default/a-rest, app.yaml:23) "
        "matches all of it before"
    )


TO_HTTPS = '"protocol":"HTTPS","port":"443"'
TO_A_HOST = '"host":"www.example.com"'


def moved(to: str, *annotations: str) -> str:
    action = f'actions.r: \'{{"type":"redirect","redirectConfig":{{{to},"statusCode":"HTTP_302"}}}}\''
    return ingress("a-moved", "/*", action, *annotations).replace(
        "{name: web, port: {number: 80}}", "{name: r, port: {name: use-annotation}}"
    )


def test_a_rule_left_out_behind_a_redirect_of_all_paths_is_told() -> None:
    found = planned(moved(TO_A_HOST, CERTIFICATE), ingress("grpc", "/pkg.Service/*", CERTIFICATE, GRPC, LONG))

    (told,) = [item for item in found.advice if item.reason is Reason.CATCH_ALL_HIDES_RULES]
    assert told.sentence == (
        "the rule of Ingress default/grpc (app.yaml:44) for host api.example.com and path /pkg.Service/* is "
        "left out of listener 443: the redirect of rule 443:1 (host api.example.com and path /*, Ingress "
        "default/a-moved, app.yaml:24) matches all of it before"
    )
    assert told.where.line == 44


@pytest.mark.parametrize(
    ("to", "is_told"), [(TO_HTTPS, False), (f"{TO_HTTPS},{TO_A_HOST}", True)], ids=["itself", "another host"]
)
def test_rules_behind_a_redirect_to_https_are_told_only_if_it_leads_elsewhere(to: str, is_told: bool) -> None:
    found = advised(moved(to), ingress("web", "/web"))

    assert (Reason.CATCH_ALL_HIDES_RULES in found) is is_told


def test_a_catch_all_behind_the_grpc_rules_gets_the_other_grpc_calls_only() -> None:
    result = planned(
        ingress("grpc", "/pkg.Service/*", CERTIFICATE, GRPC, LONG), ingress("rest", "/*", CERTIFICATE)
    )

    told = [item.sentence for item in result.advice]
    assert [item.reason for item in result.advice] == [Reason.EXPECT_464, Reason.EXPECT_464]
    assert told[0].startswith("gRPC calls that match rule 443:2 ")
    assert told[1].startswith("HTTP/1.1 requests, and HTTP/2 requests other than POST, get 464 from the GRPC")


@pytest.mark.parametrize(
    ("codes", "version", "is_told"),
    [
        ("200", "GRPC", True),
        ("0-99", "GRPC", False),
        ("12", "HTTP1", True),
        ("200,301-302", "HTTP1", False),
        ("200-599", "HTTP1", True),
        ("200-", "HTTP1", True),
    ],
)
def test_success_codes_that_aws_refuses_are_told(codes: str, version: str, is_told: bool) -> None:
    version_line, codes_line = f"backend-protocol-version: {version}", f"success-codes: '{codes}'"

    found = advised(ingress("web", "/pkg.Service/*", CERTIFICATE, version_line, codes_line, LONG))

    assert (Reason.IMPOSSIBLE_SUCCESS_CODES in found) is is_told


def test_a_group_that_cannot_be_built_says_what_the_event_says() -> None:
    result = planned(ingress("web", "/*").replace("number: 80", "number: 81"))

    (stack,) = result.stacks
    assert result.has_failures
    assert stack.error == "ingress: default/web: unable to find port 81 on service default/web"
    assert result.to_json()["stacks"][0]["error"] == {"text": stack.error, "match": "exact"}


def test_an_order_that_an_old_controller_refuses_fails_the_group_and_names_its_members() -> None:
    result = planned(
        ingress("a", "/a", "group.order: '5'"), ingress("b", "/b", "group.order: '5'"), version=Version.V2_1
    )

    (stack,) = result.stacks
    assert stack.error == "conflict Ingress group order: 5"
    assert list(stack.members) == ["Ingress default/a", "Ingress default/b"]


def test_a_rule_with_more_values_than_aws_takes_is_told() -> None:
    hosts = [f"{letter}.example.com" for letter in "abcde"]
    condition = {"field": "host-header", "hostHeaderConfig": {"values": hosts}}

    found = advised(ingress("web", "/web", CERTIFICATE, f"conditions.web: '{json.dumps([condition])}'"))

    assert found.keys() == {Reason.BEYOND_AWS_LIMITS}
    assert found[Reason.BEYOND_AWS_LIMITS].endswith("it has 7 condition values, a rule can only have 5")


def test_more_rules_than_the_quota_are_told_once() -> None:
    found = planned(*(ingress(f"web-{at:03}", f"/{at:03}", CERTIFICATE) for at in range(102)))

    (told,) = found.advice
    assert told.reason is Reason.BEYOND_AWS_LIMITS
    assert "AWS refuses all from rule 443:101 (host api.example.com and path /100, " in told.sentence


def test_what_nobody_takes_is_named() -> None:
    result = planned(ingress("web", "/*").replace("class: alb", "class: nginx"))

    assert result.stacks == ()
    assert list(result.ignored) == ["Ingress default/web"]
    assert "Nobody here takes Ingress default/web (app.yaml:9)." in plan_text.render(result)


def test_the_class_of_the_helm_chart_is_taken_for_granted_and_told_once() -> None:
    documents = [
        ingress(name, f"/{name}")
        .replace("    kubernetes.io/ingress.class: alb\n", "")
        .replace("spec:\n", "spec:\n  ingressClassName: alb\n")
        for name in ("a", "b")
    ]
    found = planned(SERVICE, *documents)
    assert list(found.stacks[0].members) == ["Ingress default/a", "Ingress default/b"]
    (told,) = [one for one in found.advice if one.reason is Reason.ASSUMED_CLASS]
    assert told.sentence.startswith("the IngressClass alb of Ingress default/a is not among the manifests")

    own = (
        "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: alb}\n"
        "spec: {controller: example.com/other}\n---\n"
    )
    assert planned(SERVICE, own, *documents).stacks == ()


def test_two_plans_of_the_same_manifests_are_equal() -> None:
    documents = ingress("a", "/a"), SERVICE.replace("web}", "lb}").replace("spec:", "spec:\n  type: NodePort")

    assert planned(*documents).to_json() == planned(*documents).to_json()


def test_the_command_prints_text_or_json_and_fails_with_a_group_that_fails(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_text(SERVICE + ingress("web", "/*", CERTIFICATE))
    arguments = ["plan", "--manifests", str(file)]

    text = CliRunner().invoke(lb, arguments, standalone_mode=False)
    as_json = CliRunner().invoke(lb, [*arguments, "-o", "json"], standalone_mode=False)
    file.write_text(SERVICE + ingress("web", "/*", "scheme: public"))
    failed = CliRunner().invoke(lb, arguments, standalone_mode=False)

    assert text.return_value == 0
    assert "  ALB k8s-app-" in text.output
    assert "          1  host api.example.com and path /* -> HTTP1 k8s-default-web-" in text.output
    stack = json.loads(as_json.output)["stacks"][0]
    assert stack["error"] is None
    assert stack["listeners"][0]["port"] == 443
    assert stack["rules"][0]["conditions"][0] == {"field": "host-header", "values": ["api.example.com"]}
    assert failed.return_value == 1
    assert "FailedBuildModel: Failed build model due to unknown scheme: public" in failed.output
