"""The kubeconfig of a run."""

from __future__ import annotations

import base64

from testbed.kubernetes.api.kubeconfig import CONTEXT, kubeconfig


def test_a_kubeconfig_leads_to_one_cluster_with_one_token() -> None:
    config = kubeconfig("https://127.0.0.1:6443", b"PEM", "secret")
    (cluster,), (user,), (context,) = config["clusters"], config["users"], config["contexts"]
    assert cluster["cluster"]["server"] == "https://127.0.0.1:6443"
    assert base64.b64decode(cluster["cluster"]["certificate-authority-data"]) == b"PEM"
    assert user["user"] == {"token": "secret"}
    assert config["current-context"] == context["name"] == CONTEXT
    assert (context["context"]["cluster"], context["context"]["user"]) == (cluster["name"], user["name"])
    assert context["context"]["namespace"] == "default"
