from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.errors import BadInput
from testbed.options import SETTINGS, Options, from_pyproject


def test_the_table_of_the_project_is_read_by_flag_names(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.testbed]\nspeed = 30\nexternal-dns = "v0.22"\n')
    assert from_pyproject({"speed", "external_dns"}, tmp_path) == {"speed": 30, "external_dns": "v0.22"}


def test_every_option_of_a_run_is_a_setting() -> None:
    assert {"scenario", "speed", "external_dns", "lb_controller", "thresholds"} <= SETTINGS
    assert set(Options.__dataclass_fields__) == SETTINGS - {"thresholds"}


def test_a_release_that_nobody_names_is_left_to_the_manifests_and_the_scenario() -> None:
    assert (Options().external_dns, Options().lb_controller) == (None, None)


def test_no_file_is_no_setting(tmp_path: Path) -> None:
    assert from_pyproject({"speed"}, tmp_path) == {}


def test_an_unknown_setting_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.testbed]\nspeed = 1\nspede = 2\n")
    with pytest.raises(BadInput, match=r"pyproject\.toml:3: \[tool\.testbed\] has no setting 'spede'"):
        from_pyproject({"speed"}, tmp_path)


@pytest.mark.parametrize("text", ["[tool]\ntestbed = 3\n", "tool = 3\n"])
def test_a_value_in_the_place_of_the_table_is_bad_input_or_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    if "testbed" in text:
        with pytest.raises(BadInput, match=r"pyproject\.toml:2: \[tool\.testbed\] is not a table"):
            from_pyproject(SETTINGS, tmp_path)
    else:
        assert from_pyproject(SETTINGS, tmp_path) == {}


@given(st.text(max_size=40))
def test_any_file_is_a_table_or_bad_input(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "pyproject.toml").write_bytes(f"[tool.testbed]\n{text}".encode("utf-8", "surrogatepass"))
    with contextlib.suppress(BadInput):
        assert set(from_pyproject(SETTINGS, folder)) <= SETTINGS


def test_a_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.testbed]\nspeed = \n")
    with pytest.raises(BadInput, match=r"pyproject\.toml:2: cannot be read"):
        from_pyproject({"speed"}, tmp_path)


@pytest.mark.parametrize(
    ("options", "releases", "command"),
    [
        (
            Options(),
            ("v0.7.4", "v2.1.3"),
            "testbed rehearse scenarios/zozomat --speed 60 --rate 500 --seed 1 "
            "--external-dns v0.7.4 --lb-controller v2.1.3",
        ),
        (
            Options(scenario="my move:back", speed=2.5, rate=20.0, seed=7, on="compose"),
            ("", ""),
            "testbed rehearse 'my move:back' --speed 2.5 --rate 20 --seed 7 --on compose",
        ),
    ],
)
def test_the_command_plays_the_same_run_again(
    options: Options, releases: tuple[str, str], command: str
) -> None:
    assert options.command(*releases) == command
