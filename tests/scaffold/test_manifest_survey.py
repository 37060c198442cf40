from __future__ import annotations

from pathlib import Path

import pytest

from testbed.check import manifest_reading
from testbed.errors import BadInput
from testbed.rehearsal.scenario import Targets
from testbed.scaffold.manifest_survey import Survey, survey
from tests.check.manifests_of_traps import EXTERNAL_DNS, INGRESS, PLAIN, REST, SERVICE, folder
from tests.scaffold.manifests_of_a_shop import SHOP

STORY = Path(__file__).resolve().parents[2] / "scenarios" / "zozomat" / "manifests"


def surveyed(path: Path, *manifests: str) -> Survey:
    return survey(manifest_reading.load([folder(path, *manifests)]))


def titles(found: Survey) -> tuple[list[str], list[str]]:
    return [one.title for one in found.new.objects], [one.title for one in found.others]


def test_the_storys_manifests_are_understood() -> None:
    found = survey(manifest_reading.load([STORY]))
    assert (found.host, found.zone, found.port) == ("api.example.com", "example.com", 443)
    assert found.pods.targets == (Targets(port_names={}),)
    assert found.lb_controller_choice.played == "v3.5.0"
    assert titles(found)[1] == ["Service default/envoy", "Service default/envoy-service"]
    assert {call.title for call in found.calls} == {
        "/measurement.v1.MeasurementService/Call",
        "GET /measurements",
        "GET /measurements/1",
    }


def test_other_names_ports_and_paths_are_understood(tmp_path: Path) -> None:
    found = surveyed(tmp_path, SHOP)
    assert (found.host, found.zone) == ("shop.acme.example.org", "acme.example.org")
    assert [one.name for one in found.pods.targets] == ["gateway"]
    assert found.certificates == ("arn:aws:acm:eu-west-1:123456789012:certificate/12345678",)
    assert found.lb_controller_choice.played == "v3.5.0"
    assert found.account == ("alb.ingress.kubernetes.io/subnets",)
    assert {call.title for call in found.calls} == {"/acme.shop.v1.Carts/Call", "GET /api", "GET /api/1"}
    assert titles(found)[0] == ["Ingress shop/shop-grpc", "Ingress shop/shop-rest"]
    assert len(titles(found)[1]) == 5


def test_the_flags_of_the_deployment_are_taken_with_its_interval(tmp_path: Path) -> None:
    found = surveyed(tmp_path, SERVICE, PLAIN, INGRESS, EXTERNAL_DNS + "            - --interval=2m\n")
    assert found.external_dns
    assert "--txt-owner-id=me" in found.external_dns
    assert (found.interval, found.external_dns_choice.played, found.left_out) == (120.0, "v0.7.4", "")


def test_flags_of_a_newer_version_ask_for_it(tmp_path: Path) -> None:
    prefix = "            - --annotation-prefix=external-dns.alpha.kubernetes.io/\n"
    untold = EXTERNAL_DNS.replace(":v0.7.4", "")
    assert (
        surveyed(tmp_path, SERVICE, PLAIN, INGRESS, untold + prefix).external_dns_choice.played == "v0.22.0"
    )


@pytest.mark.parametrize(
    ("image", "flag", "version", "unemulated"),
    [
        ("v0.7.4", "", "v0.7.4", None),
        ("v0.7.5", "", "v0.7.5", None),
        ("v0.14.2", "", "v0.14.2", None),
        ("v0.22.0", "--annotation-prefix=external-dns.alpha.kubernetes.io/", "v0.22.0", None),
        ("v0.23.0", "--annotation-prefix=external-dns.alpha.kubernetes.io/", "v0.22.0", "v0.23.0"),
    ],
)
def test_the_deployed_release_is_played_or_the_nearest(
    tmp_path: Path, image: str, flag: str, version: str, unemulated: str | None
) -> None:
    deployment = EXTERNAL_DNS.replace("v0.7.4", image) + (f"            - {flag}\n" if flag else "")
    found = surveyed(tmp_path, SERVICE, PLAIN, INGRESS, deployment)
    choice = found.external_dns_choice
    assert (choice.played, None if choice.is_emulated else choice.tag) == (version, unemulated)
    assert found.left_out == ""


def test_a_flag_that_the_deployed_release_does_not_know_is_named(tmp_path: Path) -> None:
    prefix = "            - --annotation-prefix=external-dns.alpha.kubernetes.io/\n"
    found = surveyed(tmp_path, SERVICE, PLAIN, INGRESS, EXTERNAL_DNS + prefix)
    assert (found.external_dns_choice.played, found.external_dns) == ("v0.7.4", None)
    assert "unknown long flag '--annotation-prefix'" in found.left_out


TWO = SERVICE.replace("hostname: api.example.com", "hostname: grpc.example.com,api.example.com")
GRPC = INGRESS.replace("api.example.com", "grpc.example.com")


def test_of_several_names_one_is_played_and_all_are_in_the_certificate(tmp_path: Path) -> None:
    manifests = manifest_reading.load([folder(tmp_path, TWO, PLAIN, GRPC, REST)])
    first, second = survey(manifests), survey(manifests, "API.example.com")
    assert (first.host, first.others_moving) == ("grpc.example.com", ("api.example.com",))
    assert (second.host, second.others_moving) == ("api.example.com", ("grpc.example.com",))
    assert first.names == ("grpc.example.com", "api.example.com")
    assert first.old.claim == "grpc.example.com,api.example.com"
    assert {call.protocol for call in first.calls} == {"grpc"}
    assert {call.protocol for call in second.calls} == {"rest"}


def test_a_name_that_the_service_does_not_claim_cannot_be_chosen(tmp_path: Path) -> None:
    with pytest.raises(
        BadInput, match=r"no object has the host c\.example\.com; there are grpc\.example\.com, api"
    ):
        survey(manifest_reading.load([folder(tmp_path, TWO, PLAIN, GRPC, REST)]), "c.example.com")


def test_an_annotation_that_the_deployed_release_does_not_read_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"v0\.22\.0 does not read the hostname of Service default/web"):
        surveyed(tmp_path, SERVICE, PLAIN, INGRESS, EXTERNAL_DNS.replace("v0.7.4", "v0.22.0"))


def test_flags_that_are_not_emulated_are_left_out_and_named(tmp_path: Path) -> None:
    found = surveyed(tmp_path, SERVICE, PLAIN, INGRESS, EXTERNAL_DNS + "            - --nonsense\n")
    assert found.external_dns is None
    assert "--nonsense" in found.left_out


def test_the_new_prefix_asks_for_the_version_that_reads_it(tmp_path: Path) -> None:
    assert (
        surveyed(tmp_path, SERVICE.replace("alpha.", ""), PLAIN, INGRESS).external_dns_choice.played
        == "v0.22.0"
    )


def test_what_is_of_another_move_is_left_out(tmp_path: Path) -> None:
    others = [
        REST.replace("api.example.com", "other.example.com").replace("group.name: web", "group.name: other"),
        SERVICE.replace("api.example.com", "third.example.com").replace("name: web\n", "name: third\n"),
    ]
    found = surveyed(tmp_path, SERVICE, PLAIN, INGRESS, *others)
    assert titles(found) == (["Ingress default/web"], ["Service default/web", "Service default/web-plain"])
    assert found.zone == "example.com"


def test_a_catch_all_is_called_at_the_root(tmp_path: Path) -> None:
    found = surveyed(tmp_path, SERVICE, PLAIN, REST.replace("/carts/*", "/*"))
    assert [call.title for call in found.calls] == ["GET /"]


@pytest.mark.parametrize(
    ("manifests", "reported"),
    [
        ((PLAIN,), "no Service of type LoadBalancer has a hostname annotation"),
        ((SERVICE, PLAIN), "1.yaml:1: only Service default/web has the host api.example.com: nothing moves"),
        (
            (SERVICE, PLAIN, INGRESS.replace("target-type: ip", "target-type: instance")),
            "3.yaml:1: Ingress default/web gets no ALB",
        ),
        (
            (SERVICE, PLAIN, INGRESS, REST.replace("group.name: web", "group.name: other")),
            "3 load balancers claim api.example.com: Service default/web, Ingress default/web, ",
        ),
        (
            (SERVICE, PLAIN.replace("app: web", "app: '${APP}'"), INGRESS),
            "2.yaml:1: Service default/web-plain has the placeholder ${APP}, which nothing fills",
        ),
        ((SERVICE, INGRESS), "the Ingress group web leads to no Service of these manifests"),
        ((SERVICE.replace("port: 443", "port: 8443"), PLAIN, INGRESS), "no client can call both"),
        ((SERVICE, PLAIN.replace("8080", "8443"), INGRESS), "passes TLS to target port 8443"),
        (
            (SERVICE, PLAIN, INGRESS.replace("/shop.v1.Cart/*", "/shop.v1.Cart")),
            "no gRPC method has the path",
        ),
    ],
)
def test_what_cannot_be_played_is_reported_in_one_line(
    tmp_path: Path, manifests: tuple[str, ...], reported: str
) -> None:
    with pytest.raises(BadInput) as error:
        surveyed(tmp_path, *manifests)
    assert reported in str(error.value).replace(str(tmp_path) + "/", "")


def test_a_gap_in_the_paths_of_one_protocol_is_not_hidden_by_the_other(tmp_path: Path) -> None:
    lost = INGRESS.replace("/shop.v1.Cart/*", "/shop.v1.Cart")
    with pytest.raises(BadInput, match="the rule is never reached"):
        surveyed(tmp_path, SERVICE, PLAIN, lost, REST)
