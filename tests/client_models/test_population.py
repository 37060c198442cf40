from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.client_models import MODELS
from testbed.client_models.population import DEFAULT_POPULATION, Part, Population
from testbed.errors import BadInput


def test_a_mapping_of_shares_is_a_population() -> None:
    found = Population.of({"grpcio": 0.5, "java-http1": 0.2, "python-requests": 0.3})
    assert [(part.model.name, part.share) for part in found.parts] == [
        ("grpcio", 0.5),
        ("java-http1", 0.2),
        ("python-requests", 0.3),
    ]
    assert found.note == ""
    assert found.parts[0] == Part(MODELS["grpcio"], 0.5)


def test_shares_that_do_not_add_up_are_scaled_and_that_is_said() -> None:
    found = Population.of({"grpcio": 3, "boto3": 1})
    assert [part.share for part in found.parts] == [0.75, 0.25]
    assert found.note == "The shares add up to 4; each is taken as a part of that"


@given(st.lists(st.tuples(st.sampled_from(list(MODELS)), st.floats(1e-6, 1e6)), min_size=1, max_size=30))
def test_shares_of_any_population_add_up_to_one(parts: list[tuple[str, float]]) -> None:
    found = Population.of([{"model": name, "share": share} for name, share in parts])
    assert math.isclose(sum(part.share for part in found.parts), 1.0)
    assert len(found.parts) == len(parts)


def test_a_model_may_have_several_parts_with_resolvers_ages_and_regions(tmp_path: Path) -> None:
    path = tmp_path / "clients.toml"
    path.write_text(
        """
[[clients]]
model = "grpcio"
share = 0.5
resolver = "unbound"
age = [10, 300]
region = "eu-west-1"
requests_every = 65

[[clients]]
model = "grpcio"
share = 0.5
resolver = "ttl-floor:300"
age = 60
""",
        encoding="utf-8",
    )
    first, second = Population.read(path).parts
    assert (first.resolver, first.ages, first.region, first.requests_every) == (
        "unbound",
        (10.0, 300.0),
        "eu-west-1",
        65.0,
    )
    assert (second.resolver, second.ages) == ("ttl-floor:300", (0.0, 60.0))


def test_json_reads_as_toml_does(tmp_path: Path) -> None:
    path = tmp_path / "clients.json"
    path.write_text(json.dumps({"clients": {"grpcio": {"share": 1, "resolver": "nscd"}}}), encoding="utf-8")
    assert Population.read(path).text == "100 % grpcio (nscd)"


def test_a_population_says_itself_in_one_line() -> None:
    assert DEFAULT_POPULATION.text == "80 % grpcio, 20 % python-requests"


@pytest.mark.parametrize(
    ("clients", "text"),
    [
        ({}, "clients is empty"),
        ("grpcio", "clients is 'grpcio', not a table"),
        (3, "clients is 3, not a table"),
        ({"grpcio": 0}, "share of grpcio is 0; write a number above 0"),
        ({"grpcio": -1}, "share of grpcio is -1"),
        ({"grpcio": True}, "share of grpcio is True"),
        ({"grpcio": "half"}, "share of grpcio is 'half'"),
        ({"grpcio": math.nan}, "share of grpcio is nan"),
        ({"grpcio": math.inf}, "share of grpcio is inf"),
        ({"grpcio": 1e308, "boto3": 1e308}, "no finite number"),
        ({"grpcio": 10**400}, "share of grpcio is 1000"),
        ({"grpcoi": 1}, "did you mean grpcio?"),
        ({7: 1}, "7 is no client model"),
        ({"grpcio": {}}, "clients.grpcio has no share"),
        ({"grpcio": {"share": 1, "model": "boto3"}}, "names its model twice"),
        ({"grpcio": {"share": 1, "ttl": 3}}, "unknown key 'ttl' in clients.grpcio"),
        (["grpcio"], "clients[0] is 'grpcio', not a table"),
        ([{"model": "grpcio"}], "clients[0] has no share"),
        ([{"share": 1}], "clients[0] has no model"),
        ({"grpcio": {"share": 1, "resolver": "bind9"}}, "'bind9' is no resolver; known are direct"),
        ({"grpcio": {"share": 1, "resolver": 3}}, "3 is no resolver"),
        ({"grpcio": {"share": 1, "age": -1}}, "age of grpcio is -1"),
        ({"grpcio": {"share": 1, "age": [3, 1]}}, "age of grpcio is [3, 1]"),
        ({"grpcio": {"share": 1, "age": [1, 2, 3]}}, "age of grpcio is [1, 2, 3]"),
        ({"grpcio": {"share": 1, "age": "old"}}, "age of grpcio is 'old'"),
        ({"grpcio": {"share": 1, "region": "mars!"}}, "region of grpcio is 'mars!'"),
        ({"grpcio": {"share": 1, "requests_every": -2}}, "requests_every of grpcio is -2"),
    ],
)
def test_a_wrong_population_is_refused_in_one_clear_line(clients: Any, text: str) -> None:
    with pytest.raises(BadInput) as caught:
        Population.of(clients)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.toml", "clients = [", "not TOML"),
        ("a.json", "{", "not JSON"),
        ("a.json", "[]", "no key clients"),
        ("a.toml", "", "no key clients"),
        ("a.toml", "client = 3", "unknown key 'client'"),
        ("a.toml", "clients = {boto = 1}", "did you mean boto3?"),
        ("a.toml", b"\xff", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(
    tmp_path: Path, name: str, content: str | bytes, text: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadInput) as caught:
        Population.read(path)
    assert text in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        Population.read(tmp_path / "none.toml")
