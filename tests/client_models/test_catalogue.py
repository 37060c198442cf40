from __future__ import annotations

import re

import pytest

from testbed.client_models import client_model
from testbed.client_models.catalogue import MODELS, model_named
from testbed.errors import BadInput

ISSUED = (
    *("grpcio", "grpc-js", "grpc-go", "grpclib", "connectrpc", "python-requests", "python-httpx"),
    *("python-aiohttp", "node-fetch", "node-http", "go-net-http", "java-http1", "java-http2"),
    *("java-urlconnection", "libcurl", "php-curl", "ruby-net-http", "boto3", "nginx", "nginx-resolver"),
    *("haproxy", "haproxy-resolvers", "envoy-strict-dns", "envoy-logical-dns", "squid", "apache", "ttl-pool"),
)


def test_every_client_that_people_name_has_a_model() -> None:
    assert set(MODELS) == set(ISSUED)


@pytest.mark.parametrize("one", MODELS.values(), ids=lambda one: one.name)
def test_a_model_says_where_its_figures_come_from(one: client_model.ClientModel) -> None:
    assert MODELS[one.name] is one
    assert one.source.library
    assert one.source.version
    assert one.source.experiments
    assert re.search(r"[.?]$|^$", one.surprise)


def test_a_misspelt_name_gets_the_nearest_one() -> None:
    with pytest.raises(BadInput, match=r"'grpcoi' is no client model; did you mean grpcio\?"):
        model_named("grpcoi")


def test_a_name_like_no_other_gets_the_command_that_lists_them() -> None:
    with pytest.raises(BadInput, match="`testbed clients` lists the names"):
        model_named("telnet\n")
