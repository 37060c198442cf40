from __future__ import annotations

import json

import pytest

from testbed.client_models import MODELS, words


def test_no_line_of_the_table_is_wider_than_80_columns_and_every_model_is_there() -> None:
    lines = words.text(MODELS.values())
    assert max(map(len, lines)) <= 80
    names = [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]
    assert names == list(MODELS)


def test_what_is_extrapolated_is_marked_and_said() -> None:
    lines = words.text(MODELS.values())
    for name, model in MODELS.items():
        assert (f"  {name} *" in lines) == bool(model.extrapolated)
    assert any("* measured in plain text" in line for line in lines)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "grpcio",
            "when its connection is lost or told to go away, 30 s after its last look-up at the earliest",
        ),
        ("php-curl", "when it connects, 120 s after its last look-up at the earliest"),
        ("python-requests", "when it connects"),
        ("squid", "at each request, once the TTL has passed, but after 60 s at the earliest"),
        ("nginx-resolver", "at each request, once the TTL + 1 s has passed"),
        ("nginx", "once"),
        ("apache", "once; again when a connection is refused"),
        ("envoy-strict-dns", "by itself, every 5 s"),
    ],
)
def test_when_a_model_looks_up_is_said_in_words(name: str, text: str) -> None:
    assert words.looks_up(MODELS[name]) == text


def test_what_a_model_does_with_its_connection_is_said_in_words() -> None:
    assert words.connection(MODELS["node-http"]) == (
        "closes it after 5 idle s; on a new answer it keeps the connection, and goes on using it"
    )
    assert words.connection(MODELS["nginx"]) == "a connection for each request"
    assert words.connection(MODELS["java-http1"]).endswith("leaves it open and idle")


def test_a_name_that_is_gone_is_said_in_words() -> None:
    seen = [words.negative(MODELS[name]) for name in ("connectrpc", "grpcio", "libcurl", "boto3")]
    assert seen == [
        "the lesser of the SOA record's TTL and MINIMUM",
        "goes on with the last addresses",
        "30 s",
        "not kept",
    ]


def test_the_json_has_every_field_and_no_infinite_number() -> None:
    found = {
        one["name"]: one for one in json.loads(json.dumps(words.as_json(MODELS.values()), allow_nan=False))
    }
    assert found["grpcio"]["looks_up"] == "loss"
    assert found["grpcio"]["max_idle"] is None
    assert found["libcurl"]["cache"]["seconds"] == 60
    assert found["libcurl"]["source"]["measured"] == "2026-11-27"


def test_the_markdown_has_a_row_for_each_model() -> None:
    lines = words.markdown(MODELS.values())
    assert len(lines) == len(MODELS) + 2
    assert len({line.count(" | ") for line in lines}) == 1
