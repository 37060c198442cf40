from __future__ import annotations

from pathlib import Path

import pytest

from testbed.check import manifest_reading
from testbed.errors import BadInput
from testbed.scaffold.manifest_survey import Survey, survey
from testbed.scaffold.reached_ports import HTTPS, called_port, reached
from tests.check.manifests_of_traps import INGRESS, PLAIN, SERVICE, folder
from tests.scaffold.manifests_of_two_services import INGRESSES, NLB, SERVICES, SHOP_OF_TWO, WORKLOADS


def surveyed(path: Path, *manifests: str) -> Survey:
    return survey(manifest_reading.load([folder(path, *manifests)]))


def test_the_services_behind_an_alb_lead_to_pods_of_their_own(tmp_path: Path) -> None:
    found = surveyed(tmp_path, *SHOP_OF_TWO)
    assert [(one.name, one.tls_ports, one.plain_ports) for one in found.pods.targets] == [
        ("gateway", (9443,), (9080,)),  # of two ports of the NLB, TLS arrives at the one that is called
        ("catalog", (8443,), (50051,)),
        ("orders", (8443,), (8080, 8081)),  # with the port of the health check
    ]


def test_an_alb_that_speaks_https_to_its_targets_reaches_a_tls_port(tmp_path: Path) -> None:
    https = "    alb.ingress.kubernetes.io/backend-protocol: HTTPS\n"
    ingress = INGRESS.replace("spec:\n", https + "spec:\n", 1).replace("version: GRPC", "version: HTTP1")
    to_tls = PLAIN.replace("8080", "8443")
    found = surveyed(tmp_path, SERVICE, to_tls, ingress)
    (only,) = found.pods.targets
    assert (only.tls_ports, found.pods.by_alb) == ((8443,), (only.name,))


def test_an_nlb_that_ends_tls_reaches_a_plain_port(tmp_path: Path) -> None:
    ends = "    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: arn:aws:acm:x:1:certificate/1\n"
    found = surveyed(tmp_path, NLB.replace("spec:\n", ends + "spec:\n", 1), SERVICES, WORKLOADS, INGRESSES)
    assert found.pods.targets[0].plain_ports == (9443, 9080)
    assert [one.plain_age for one in found.pods.targets] == [True, False, False]
    assert found.certificates[-1] == "arn:aws:acm:x:1:certificate/1"


def test_clients_call_443_where_both_have_it(tmp_path: Path) -> None:
    found = surveyed(tmp_path, *SHOP_OF_TWO)
    assert called_port(found.old, found.new) == HTTPS == found.port
    assert reached


def test_a_port_without_tls_is_not_called(tmp_path: Path) -> None:
    plain = INGRESSES.replace('[{"HTTPS": 443}]', '[{"HTTP": 80}]').replace("version: GRPC", "version: HTTP1")
    with pytest.raises(BadInput, match=r"the ALB listens on 80 \(HTTP\): no client can call both by TLS"):
        surveyed(tmp_path, NLB, SERVICES, WORKLOADS, plain)
