"""Which client models a live run plays, and why it does not play the others.

`grpcio` is the real library. Everything that speaks HTTP/1.1 is played by one engine (`rest_client`). The
others have protocols of their own that nothing here speaks as they do; the forecast has all models.
"""

from __future__ import annotations

from testbed.client_models.catalogue import MODELS, model_named


def is_played(name: str) -> bool:
    """True if a live run has clients of this model."""
    model = model_named(name)
    return name == "grpcio" or model.protocol == "http/1.1"


def played_models() -> list[str]:
    """Return the names of the models that a live run plays."""
    return [name for name in MODELS if is_played(name)]


def why_not_played(name: str) -> str:
    """Return why a live run refuses a model, with the names that it takes; "" if it plays it.

    Raises:
        BadInput: there is no such model.
    """
    if is_played(name):
        return ""
    protocol = {"grpc": "gRPC as that library does", "http/2": "HTTP/2"}[model_named(name).protocol]
    return (
        f"the client model {name} cannot be played: nothing here speaks {protocol}; "
        f"`testbed forecast` has it, and a run plays {', '.join(played_models())}"
    )
