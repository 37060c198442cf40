"""The files of `envoy/`, filled in and scaled."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.clock import Clock
from testbed.errors import BadInput
from testbed.runtime.components import envoy_templates

HERE = Path("envoy/here.yaml")


def test_a_placeholder_alone_takes_the_type_of_its_value() -> None:
    assert envoy_templates.fill(
        {"port": "${PORT}", "at": "${IP}:${PORT}"}, {"PORT": 80, "IP": "a"}, HERE
    ) == {
        "port": 80,
        "at": "a:80",
    }


def test_a_value_cannot_break_out_of_its_field() -> None:
    nasty = 'x"}, "admin": {"evil": ${IP}\n'
    assert envoy_templates.fill(["${NAME}"], {"NAME": nasty}, HERE) == [nasty]


def test_a_field_without_value_is_left_out_and_a_list_entry_is_repeated() -> None:
    values: dict[str, envoy_templates.Value] = {"AGE": None, "BACKEND": ("a", "b")}
    tree = {"age": "${AGE}", "ends": [{"lb": [{"address": "${BACKEND}"}]}]}
    assert envoy_templates.fill(tree, values, HERE) == {
        "ends": [{"lb": [{"address": "a"}, {"address": "b"}]}]
    }


def test_a_name_that_nobody_fills_is_bad_input() -> None:
    with pytest.raises(BadInput, match=r"here\.yaml: nothing fills \$\{NOBODY\}"):
        envoy_templates.fill({"a": ["${NOBODY}"]}, {}, HERE)


def test_production_durations_are_divided_and_patience_is_not() -> None:
    tree = {
        "idle_timeout": "60s",
        "connect_timeout": "1s",
        "timeout": "0s",
        "many": [{"age": "0.01s"}],
    }
    assert envoy_templates.scale(tree, Clock(60)) == {
        "idle_timeout": "1.000s",
        "connect_timeout": "1s",
        "timeout": "0s",
        "many": [{"age": "0.001s"}],
    }


def test_broken_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: 1\nb: c: d\n")
    with pytest.raises(BadInput, match=r"x\.yaml:2: broken YAML"):
        envoy_templates.read(tmp_path / "x.yaml")


@given(st.text(), st.integers())
def test_a_text_without_placeholders_and_any_value_stay_as_they_are(text: str, number: int) -> None:
    values: dict[str, envoy_templates.Value] = {"TEXT": text, "NUMBER": number}
    filled = envoy_templates.fill({"a": "${TEXT}", "b": ["${NUMBER}"], "c": number}, values, HERE)
    assert filled == {"a": text, "b": [number], "c": number}


@pytest.mark.parametrize("source", ["target.yaml", "nlb.yaml", "alb.yaml"])
def test_a_file_without_its_values_names_the_first_that_is_missing(source: str) -> None:
    with pytest.raises(BadInput, match=rf"{source}: nothing fills"):
        envoy_templates.filled(source, {}, Clock())
