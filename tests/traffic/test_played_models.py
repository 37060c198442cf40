"""Which models a live run plays."""

from __future__ import annotations

import pytest

from testbed.client_models.catalogue import MODELS
from testbed.errors import BadInput
from testbed.traffic.played_models import played_models, why_not_played

LEFT_OUT = ("grpclib", "connectrpc", "java-http2")


def test_every_client_of_http1_and_those_of_grpcs_own_design_are_played():
    assert set(MODELS) - set(played_models()) == set(LEFT_OUT)
    assert why_not_played("boto3") == why_not_played("grpc-go") == ""


@pytest.mark.parametrize("name", LEFT_OUT)
def test_others_are_refused_with_the_reason_and_the_names_that_can(name):
    assert f"{name} cannot be played: {MODELS[name].unplayed}" in why_not_played(name)
    assert "python-requests" in why_not_played(name)


@pytest.mark.parametrize("name", ["grpc-js", "grpc-go"])
def test_what_grpcio_plays_has_its_rules(name):
    """A difference that is measured later must not be played as if there were none."""
    rules = ("looks_up", "interval", "cache", "negative", "on_new_answer", "keeps_addresses", "retries")
    assert [getattr(MODELS[name], one) for one in rules] == [getattr(MODELS["grpcio"], one) for one in rules]


def test_an_unknown_name_is_an_error():
    with pytest.raises(BadInput, match="no client model"):
        why_not_played("python-request")
