from __future__ import annotations

from testbed.kubernetes.service_view import Service, ServicePort
from tests.kubernetes.manifests_of_the_story import service


def test_defaults_are_filled_in_as_the_api_server_would() -> None:
    view = Service.of({"kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})
    assert (view.namespace, view.type, view.local_only) == ("default", "ClusterIP", False)
    assert view.ports == (ServicePort(port=80, target_port=80, name="", protocol="TCP", node_port=0),)


def test_a_port_is_found_by_its_number_or_its_name() -> None:
    view = Service.of(service(ports=[{"port": 80, "name": "http"}, {"port": 443, "name": "80"}]))
    assert view.port(80) == view.ports[0]
    assert view.port("80") == view.ports[1]
    assert view.port("http") == view.ports[0]
    assert view.port(8080) is None


def test_the_view_has_policy_selector_and_status() -> None:
    item = service(externalTrafficPolicy="Local", clusterIP="10.100.0.1")
    item["status"] = {"loadBalancer": {"ingress": [{"hostname": "x.elb"}, {"ip": "1.2.3.4"}]}}
    view = Service.of(item)
    assert view.local_only
    assert (view.cluster_ip, view.selector) == ("10.100.0.1", {"app": "envoy"})
    assert (view.hostnames, view.addresses) == (("x.elb",), ("1.2.3.4",))
