from __future__ import annotations

from pathlib import Path

from testbed.check import manifest_reading
from testbed.client_models.population import DEFAULT_POPULATION
from testbed.scaffold import assumptions
from testbed.scaffold.manifest_survey import survey
from tests.check.manifests_of_traps import INGRESS, PLAIN, SERVICE, folder
from tests.scaffold.manifests_of_other_controllers import AUTO_MODE, NGINX_TO_ALB
from tests.scaffold.manifests_of_two_services import SHOP_OF_TWO


def said(path: Path, *manifests: str) -> list[str]:
    return list(assumptions.of_move(survey(manifest_reading.load([folder(path, *manifests)]))))


def test_what_decides_the_verdict_is_said(tmp_path: Path) -> None:
    age, clients, kinds, certificate = said(tmp_path, *SHOP_OF_TWO)
    assert age.startswith("assumes that the pods end a client's connection after 300 s (connection_age)")
    assert clients.startswith(f"assumes {DEFAULT_POPULATION.text} for clients (clients)")
    assert kinds == "plays 3 kinds of pods (targets): gateway, catalog, orders"
    assert certificate.startswith("a certificate of shop.example.com is issued for the run as arn:aws:acm:")


def test_a_port_whose_number_no_manifest_has_is_said(tmp_path: Path) -> None:
    named = SERVICE.replace("targetPort: 8443", "targetPort: tls")
    assert any(
        "has the port tls" in one and "8443 is assumed" in one
        for one in said(tmp_path, named, PLAIN, INGRESS)
    )


def test_pods_that_get_tls_from_an_alb_may_choose_by_sni(tmp_path: Path) -> None:
    https = "    alb.ingress.kubernetes.io/backend-protocol: HTTPS\n"
    ingress = INGRESS.replace("spec:\n", https + "spec:\n", 1)
    lines = said(tmp_path, SERVICE, PLAIN.replace("8080", "8443"), ingress)
    assert any("take TLS without SNI, as an ALB speaks it" in one and "502" in one for one in lines)


def test_what_stands_for_a_balancer_of_another_controller_is_said(tmp_path: Path) -> None:
    lines = said(tmp_path, AUTO_MODE)
    assert sum("is of EKS Auto Mode, which is not emulated" in one for one in lines) == 2
    assert sum("has no address in its status" in one and "stands for it" in one for one in lines) == 2
    assert "which no manifest has" in "".join(said(tmp_path / "nginx", NGINX_TO_ALB))
