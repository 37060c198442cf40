"""Every client model by its name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from testbed.client_models import curl, go, grpc, java, node, proxies, python, ruby, ttl_pool
from testbed.client_models.client_model import ClientModel
from testbed.errors import BadInput, Location

MODELS: Mapping[str, ClientModel] = {
    model.name: model
    for family in (
        grpc.MODELS,
        python.MODELS,
        node.MODELS,
        go.MODELS,
        java.MODELS,
        curl.MODELS,
        ruby.MODELS,
        proxies.MODELS,
        ttl_pool.MODELS,
    )
    for model in family
}
"""By name, in the order of the table."""


def model_named(name: str, *, where: Location | None = None) -> ClientModel:
    """Return the model of a name.

    Raises:
        BadInput: there is none; the message has the nearest name.
    """
    if found := MODELS.get(name):
        return found
    near = difflib.get_close_matches(name, MODELS, 1)
    do = f"did you mean {near[0]}?" if near else "`testbed clients` lists the names"
    raise BadInput(f"{name!r} is no client model", where=where, do=do)
