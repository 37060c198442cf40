from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed.check import manifest_reading
from testbed.client_models.population import DEFAULT_POPULATION
from testbed.rehearsal import applied_manifests, standing
from testbed.rehearsal.balancer_references import check_references
from testbed.rehearsal.configured_thresholds import located_thresholds, thresholds
from testbed.rehearsal.scenario import Manifests, Targets
from testbed.rehearsal.script import load
from testbed.scaffold import scenario_script
from testbed.scaffold.manifest_survey import survey
from testbed.traffic import description
from tests.check.manifests_of_traps import EXTERNAL_DNS, INGRESS, PLAIN, REST, SERVICE, folder
from tests.scaffold.manifests_of_a_shop import SHOP
from tests.scaffold.manifests_of_other_controllers import AUTO_MODE, CLASSIC_TO_NLB, NGINX_TO_ALB
from tests.scaffold.manifests_of_pairs import ALB_TO_ALB, NLB_TO_NLB


def written(path: Path, *manifests: str) -> Path:
    into = path / "cutover"
    into.mkdir()
    for name, text in scenario_script.files(
        survey(manifest_reading.load([folder(path, *manifests)])), into
    ).items():
        (into / name).write_text(text)
    return into


def test_the_script_is_a_scenario_with_its_way_back(tmp_path: Path) -> None:
    into = written(tmp_path, SHOP)
    found = load(str(into))
    assert (found.name, found.host, found.zone) == ("cutover", "shop.acme.example.org", "acme.example.org")
    assert found.targets == (
        Targets(
            name="gateway",
            labels={"app": "gateway", "tier": "edge"},
            namespace="shop",
            tls_ports=(9443,),
            plain_ports=(9090, 9080),
            port_names={"tls": 9443},
        ),
    )
    assert load(f"{into}:there_and_back").title.endswith("and back")
    assert [one.text for one in thresholds(found, tmp_path)] == ["failed == 0", "drained_within: 15m"]


def test_pods_behind_an_nlb_with_proxy_protocol_expect_it(tmp_path: Path) -> None:
    nlb = "    service.beta.kubernetes.io/aws-load-balancer-"
    keys = f"{nlb}proxy-protocol: '*'\n{nlb}nlb-target-type: ip\n"
    with_proxy = SERVICE.replace("type: nlb", "type: external").replace("spec:\n", keys + "spec:\n", 1)
    assert load(str(written(tmp_path, with_proxy, PLAIN, INGRESS))).targets[0].proxy_protocol


def test_the_flags_of_the_deployment_are_the_scenarios(tmp_path: Path) -> None:
    into = written(tmp_path, SERVICE, PLAIN, INGRESS, EXTERNAL_DNS + "            - --interval=90s\n")
    assert "--txt-owner-id=me" in load(str(into)).external_dns
    assert "\nSYNC = 90  #" in (into / "cutover.py").read_text()


def test_the_traffic_calls_what_the_rules_forward(tmp_path: Path) -> None:
    calls = description.load(written(tmp_path, SHOP) / "traffic.toml").calls
    assert {call.title for call in calls} == {"/acme.shop.v1.Carts/Call", "GET /api", "GET /api/1"}


def test_objects_of_other_files_are_applied_from_there_and_ids_are_replaced(tmp_path: Path) -> None:
    subnets = "alb.ingress.kubernetes.io/subnets: subnet-0a1b\n    alb.ingress.kubernetes.io/scheme:"
    mine = INGRESS.replace("alb.ingress.kubernetes.io/scheme:", subnets)
    into = written(tmp_path, SERVICE, PLAIN, mine)
    assert load(str(into)).manifests == (
        Manifests("../1.yaml", only=["service/web"]),
        Manifests("../2.yaml", only=["service/web-plain"]),
    )
    text = (into / "cutover.py").read_text()
    assert "'../3.yaml',\n            only=['ingress/web'],\n            annotations={" in text
    assert "{'alb.ingress.kubernetes.io/subnets': None}" in text


def test_what_stands_before_the_move_stands_before_the_first_step(tmp_path: Path) -> None:
    into = written(tmp_path, *ALB_TO_ALB)
    found = load(str(into))
    assert applied_manifests.loaded(into, found.manifests)
    assert standing.owners_before(found, "v3") == {"ingress/default/first"}
    assert "cutover.apply(\n            '../2.yaml'" not in (into / "cutover.py").read_text()


def test_the_certificates_that_the_manifests_name_exist_for_all_names(tmp_path: Path) -> None:
    found = load(str(written(tmp_path, SERVICE, PLAIN, INGRESS)))
    assert found.certificates == {
        "arn:aws:acm:ap-northeast-1:000000000000:certificate/1": ["api.example.com"]
    }
    (tmp_path / "without").mkdir()
    without = written(
        tmp_path / "without",
        SERVICE,
        PLAIN,
        INGRESS.replace("certificate-arn: ", "listen-ports: '[{\"HTTPS\":443}]' # "),
    )
    ((arn, names),) = load(str(without)).certificates.items()
    assert (arn.startswith("arn:aws:acm:ap-northeast-1:"), names) == (True, ["api.example.com"])


def test_a_placeholder_for_the_certificate_is_filled(tmp_path: Path) -> None:
    arn = "arn:aws:acm:ap-northeast-1:000000000000:certificate/1"
    into = written(tmp_path, SERVICE, PLAIN, INGRESS.replace(arn, "${CERTIFICATE_ARN}"))
    ((given, _),) = load(str(into)).certificates.items()
    assert f"CERTIFICATE_ARN={given!r}," in (into / "cutover.py").read_text()


def test_what_decides_the_verdict_is_written_with_its_reason(tmp_path: Path) -> None:
    into = written(tmp_path, SERVICE, PLAIN, INGRESS)
    text = (into / "cutover.py").read_text()
    assert "# Your pods end a client's connection after so many seconds" in text
    assert '"connection_age": 300.0,' in text
    assert "ExternalDNS v0.22.0 (the newest)" in text
    assert load(str(into)).connection_age == 300.0


@pytest.mark.parametrize("path", ['/a"b', "/a'b", "/a\\b", "/{x}"])
def test_no_name_breaks_out_of_its_place(tmp_path: Path, path: str) -> None:
    rest = INGRESS.replace("version: GRPC", "version: HTTP1").replace(
        "path: /shop.v1.Cart/*", f"path: {json.dumps(path)}"
    )
    into = written(tmp_path, SERVICE, PLAIN, rest)
    assert load(str(into)).host == "api.example.com"
    assert description.load(into / "traffic.toml").calls[0].path == path


def test_several_names_are_certified_and_claimed_again_together(tmp_path: Path) -> None:
    two = SERVICE.replace("hostname: api.example.com", "hostname: api.example.com,other.example.com")
    other = INGRESS.replace("- host: api.example.com", "- host: other.example.com").replace(
        "web\n", "other\n", 1
    )
    text = (written(tmp_path, two, PLAIN, INGRESS, other) / "cutover.py").read_text()
    assert "NAMES = ['api.example.com', 'other.example.com']  #" in text
    assert "certificate/1': NAMES,\n" in text
    assert "CLAIM = 'api.example.com,other.example.com'  #" in text
    assert "{HOSTNAME: CLAIM}" in text


def test_the_script_says_which_clients_it_assumes_and_expects_nobody_back_at_once(tmp_path: Path) -> None:
    into = written(tmp_path, SERVICE, PLAIN, INGRESS, REST)
    text = (into / "cutover.py").read_text()
    assert "# Assumed: apps that keep a gRPC channel" in text
    assert "\"clients\": {'grpcio': 0.8, 'python-requests': 0.2}," in text
    assert load(str(into)).clients == DEFAULT_POPULATION
    assert "stay on the ALB until it ends it" in text
    assert 'served_by("alb"), within=2 * TTL' not in text


@pytest.mark.parametrize("manifests", [NLB_TO_NLB, ALB_TO_ALB])
def test_two_balancers_of_one_type_have_names_that_their_owners_explain(
    tmp_path: Path, manifests: tuple[str, ...]
) -> None:
    into = written(tmp_path, *manifests)
    found = load(str(into))
    check_references(found, located_thresholds(found, into), "v3")
    text = (into / "cutover.py").read_text()
    assert 'cutover.balancer("old", ' in text
    assert 'wait_until(drained("old"), within=' in text
    assert '("nlb")' not in text
    assert '("alb")' not in text


def test_two_services_never_claim_a_name_together(tmp_path: Path) -> None:
    text = (written(tmp_path, *NLB_TO_NLB) / "cutover.py").read_text()
    assert "annotations={HOSTNAME: None}" in text
    claims = text.index("for namespace, name in NEW:\n            cutover.annotate(name, {HOSTNAME: HOST}")
    assert claims < text.index(
        "for namespace, name in OLD:\n            cutover.annotate(name, {HOSTNAME: None}"
    )


def test_the_clients_of_an_alb_leave_when_it_ends_their_connections(tmp_path: Path) -> None:
    into = written(tmp_path, *ALB_TO_ALB)
    assert 'drained("old"), within=17 * MINUTE' in (into / "cutover.py").read_text()
    assert "drained_within: 17m" in (into / "testbed.toml").read_text()


@pytest.mark.parametrize(
    "manifests", [NGINX_TO_ALB, AUTO_MODE, CLASSIC_TO_NLB], ids=["nginx", "auto", "classic"]
)
def test_balancers_of_other_controllers_stand_and_are_made_by_the_story(
    tmp_path: Path, manifests: str
) -> None:
    into = written(tmp_path, manifests)
    found = load(str(into))
    check_references(found, located_thresholds(found, into), "v3")
    (standing_one,) = found.balancers
    assert standing_one.target_port == 8443
    assert standing_one.targets in [one.name for one in found.targets]
    text = (into / "cutover.py").read_text()
    assert ("cutover.foreign_balancer(" in text) is (manifests is AUTO_MODE)
    assert 'gone("' not in text  # its own controller would delete it


def test_a_class_that_no_manifest_has_is_of_the_cluster(tmp_path: Path) -> None:
    into = written(tmp_path, NGINX_TO_ALB)
    assert load(str(into)).manifests[0] == Manifests("ingress-classes.yaml")
    (ingress_class,) = applied_manifests.loaded(into, [Manifests("ingress-classes.yaml")])
    assert ingress_class.title == "IngressClass nginx"
