"""The kubeconfig of a run: one cluster, one user, one context, and nothing of the user's own."""

from __future__ import annotations

import base64
from typing import Any

CONTEXT = "testbed"


def kubeconfig(server: str, authority: bytes, token: str) -> dict[str, Any]:
    """Return the configuration that kubectl and client libraries read.

    Args:
        server: URL of the API.
        authority: the certificates by which clients check the server's, PEM.
        token: the bearer token.
    """
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [
            {
                "name": CONTEXT,
                "cluster": {
                    "server": server,
                    "certificate-authority-data": base64.b64encode(authority).decode(),
                },
            }
        ],
        "users": [{"name": CONTEXT, "user": {"token": token}}],
        "contexts": [
            {"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT, "namespace": "default"}}
        ],
    }
