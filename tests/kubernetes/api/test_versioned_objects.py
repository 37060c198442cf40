"""Objects between the store's version and a client's."""

from __future__ import annotations

import base64

import pytest

from testbed.kubernetes.api.statuses import Refused
from testbed.kubernetes.api.versioned_objects import inward, outward, with_plain_data_encoded
from tests.kubernetes.api.calls import resource

OLD = "networking.k8s.io/v1beta1"
STORED = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "web"},
    "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 443}}}},
}


def test_an_object_is_shown_in_the_version_of_the_path() -> None:
    assert outward(resource("Ingress"), STORED)["spec"] == STORED["spec"]
    shown = outward(resource("Ingress", OLD), STORED)
    assert shown["apiVersion"] == OLD
    assert shown["spec"] == {"backend": {"serviceName": "web", "servicePort": 443}}


def test_services_and_ingresses_always_have_a_status() -> None:
    assert outward(resource("Ingress"), STORED)["status"] == {"loadBalancer": {}}
    assert "status" not in outward(resource("ConfigMap"), {"metadata": {}})


def test_an_object_is_taken_by_the_kind_of_the_store() -> None:
    taken = inward(resource("Ingress", OLD), {"metadata": {"name": "web"}})
    assert (taken["apiVersion"], taken["kind"]) == (OLD, "Ingress")


@pytest.mark.parametrize(
    "item",
    [{"kind": "Pod"}, {"apiVersion": "networking.k8s.io/v1", "kind": "Service"}, {"metadata": []}],
)
def test_an_object_of_another_kind_or_form_is_refused(item: dict[str, object]) -> None:
    with pytest.raises(Refused) as refused:
        inward(resource("Service"), item)
    assert refused.value.code == 400


def test_the_plain_data_of_a_secret_is_written_over_its_data() -> None:
    coded = base64.b64encode(b"plain").decode()
    secret = {"kind": "Secret", "data": {"a": "x", "b": "y"}, "stringData": {"a": "plain"}}
    assert with_plain_data_encoded(secret) == {
        "kind": "Secret",
        "type": "Opaque",
        "data": {"a": coded, "b": "y"},
    }
    other = {"kind": "ConfigMap", "stringData": {}}
    assert with_plain_data_encoded(other) is other
