"""Which client models a live run plays, and why it does not play the others.

`grpcio` is the real library. It plays grpc-js and grpc-go too, whose measured rules are its own: look-ups
30 s apart from the channel's start, pick_first, the last good addresses, the same backoff (B2, B4, T2 to T4
in docs/clients.md). Everything that speaks HTTP/1.1 is played by one engine (`rest_client`).
"""

from __future__ import annotations

from testbed.client_models.catalogue import MODELS, model_named


def played_models() -> list[str]:
    """Return the names of the models that a live run plays."""
    return [name for name, model in MODELS.items() if not model.unplayed]


def why_not_played(name: str) -> str:
    """Return why a live run refuses a model, with the names that it takes; "" if it plays it.

    Raises:
        BadInput: there is no such model.
    """
    model = model_named(name)
    if not model.unplayed:
        return ""
    return (
        f"the client model {name} cannot be played: {model.unplayed}; "
        f"`testbed forecast` has it, and a run plays {', '.join(played_models())}"
    )
