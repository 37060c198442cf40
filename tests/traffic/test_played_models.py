"""Which models a live run plays."""

from __future__ import annotations

import pytest

from testbed.errors import BadInput
from testbed.traffic.played_models import is_played, played_models, why_not_played


def test_every_client_of_http1_and_the_real_grpcio_are_played():
    assert {"grpcio", "python-requests", "java-http1", "nginx", "ttl-pool"} <= set(played_models())
    assert is_played("boto3")


@pytest.mark.parametrize("name", ["grpc-js", "grpc-go", "grpclib", "connectrpc", "java-http2"])
def test_others_are_refused_with_the_names_that_can(name):
    assert f"{name} cannot be played" in why_not_played(name)
    assert "python-requests" in why_not_played(name)


def test_an_unknown_name_is_an_error():
    with pytest.raises(BadInput, match="no client model"):
        why_not_played("python-request")
