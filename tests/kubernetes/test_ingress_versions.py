from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from testbed.kubernetes import ObjectStore, ingress_versions
from testbed.kubernetes.ingress_view import Ingress
from tests.kubernetes.manifests_of_the_story import ingress

NAMES = st.text("abc", min_size=1, max_size=3)
PORTS = st.integers(1, 65535) | NAMES
BACKENDS = st.builds(lambda name, port: {"serviceName": name, "servicePort": port}, NAMES, PORTS)
PATHS = st.builds(
    lambda path, kind, backend: {"path": f"/{path}", "pathType": kind, "backend": backend},
    NAMES,
    st.sampled_from(["Exact", "Prefix", "ImplementationSpecific"]),
    BACKENDS,
)
RULES = st.builds(
    lambda host, paths: {"host": host, "http": {"paths": paths}}, NAMES, st.lists(PATHS, max_size=2)
)
SPECS = st.fixed_dictionaries({"rules": st.lists(RULES, max_size=2)}, optional={"backend": BACKENDS})


def test_the_store_keeps_the_old_ingress_in_the_new_shape() -> None:
    store = ObjectStore()
    store.put(ingress(port="http"))
    stored = store.get("Ingress", "default", "rest")
    assert stored is not None
    assert stored["apiVersion"] == "networking.k8s.io/v1"
    (path,) = stored["spec"]["rules"][0]["http"]["paths"]
    assert path["pathType"] == "ImplementationSpecific"
    assert path["backend"] == {"service": {"name": "envoy-service", "port": {"name": "http"}}}


def test_applying_the_old_and_the_new_shape_is_the_same() -> None:
    store = ObjectStore()
    first = store.put(ingress())
    assert store.put(ingress_versions.to_v1(ingress())) == first


@given(SPECS)
def test_there_and_back_is_the_same_ingress(spec: dict[str, Any]) -> None:
    old = {
        "apiVersion": "networking.k8s.io/v1beta1",
        "kind": "Ingress",
        "metadata": {"name": "i"},
        "spec": spec,
    }
    assert ingress_versions.to_v1beta1(ingress_versions.to_v1(old)) == old
    assert ingress_versions.to_v1(ingress_versions.to_v1(old)) == ingress_versions.to_v1(old)
    assert Ingress.of(old) == Ingress.of(ingress_versions.to_v1(old))
