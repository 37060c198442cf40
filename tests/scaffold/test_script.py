from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed.check import reading
from testbed.rehearsal.configuration import thresholds
from testbed.rehearsal.scenario import Targets, load
from testbed.scaffold import script
from testbed.scaffold.survey import survey
from testbed.traffic import description
from tests.check.manifests_of_traps import EXTERNAL_DNS, INGRESS, PLAIN, REST, SERVICE, folder
from tests.scaffold.manifests_of_a_shop import SHOP


def written(path: Path, *manifests: str) -> Path:
    into = path / "cutover"
    into.mkdir()
    for name, text in script.files(survey(reading.load([folder(path, *manifests)])), into).items():
        (into / name).write_text(text)
    return into


def test_the_script_is_a_scenario_with_its_way_back(tmp_path: Path) -> None:
    into = written(tmp_path, SHOP)
    found = load(str(into))
    assert (found.name, found.host, found.zone) == ("cutover", "shop.acme.example.org", "acme.example.org")
    assert found.targets == Targets(
        labels={"app": "gateway", "tier": "edge"},
        namespace="shop",
        tls_ports=(9443,),
        plain_ports=(9090, 9080),
        port_names={"tls": 9443},
    )
    assert load(f"{into}:there_and_back").title.endswith("and back")
    assert [one.text for one in thresholds(found, tmp_path)] == ["failed == 0", "drained_within: 15m"]


def test_pods_behind_an_nlb_with_proxy_protocol_expect_it(tmp_path: Path) -> None:
    nlb = "    service.beta.kubernetes.io/aws-load-balancer-"
    keys = f"{nlb}proxy-protocol: '*'\n{nlb}nlb-target-type: ip\n"
    with_proxy = SERVICE.replace("type: nlb", "type: external").replace("spec:\n", keys + "spec:\n", 1)
    assert load(str(written(tmp_path, with_proxy, PLAIN, INGRESS))).targets.proxy_protocol


def test_the_flags_of_the_deployment_are_the_scenarios(tmp_path: Path) -> None:
    into = written(tmp_path, SERVICE, PLAIN, INGRESS, EXTERNAL_DNS + "            - --interval=90s\n")
    assert "--txt-owner-id=me" in load(str(into)).external_dns
    assert "\nSYNC = 90  #" in (into / "cutover.py").read_text()


def test_the_traffic_calls_what_the_rules_forward(tmp_path: Path) -> None:
    calls = description.load(written(tmp_path, SHOP) / "traffic.toml").calls
    assert {call.title for call in calls} == {"/acme.shop.v1.Carts/Call", "GET /api", "GET /api/1"}


def test_objects_of_other_files_are_applied_from_there_and_ids_are_replaced(tmp_path: Path) -> None:
    text = (written(tmp_path, SERVICE, PLAIN, INGRESS) / "cutover.py").read_text()
    assert "'../1.yaml',\n            only=['service/web']," in text
    assert "'../3.yaml',\n            only=['ingress/web']," in text
    assert "'alb.ingress.kubernetes.io/certificate-arn': certificate" in text


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
    assert "NAMES = ('api.example.com', 'other.example.com')  #" in text
    assert "request_certificate(*NAMES)" in text
    assert "CLAIM = 'api.example.com,other.example.com'  #" in text
    assert "{HOSTNAME: CLAIM}" in text


def test_only_requests_that_end_are_expected_back_on_the_nlb_at_once(tmp_path: Path) -> None:
    assert (
        "channels stay on the ALB" in (written(tmp_path, SERVICE, PLAIN, INGRESS) / "cutover.py").read_text()
    )
    (tmp_path / "rest").mkdir()
    text = (written(tmp_path / "rest", SERVICE, PLAIN, INGRESS, REST) / "cutover.py").read_text()
    assert 'wait_until(served_by("nlb"), within=2 * TTL)' in text
