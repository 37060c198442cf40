from __future__ import annotations

from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.options import from_pyproject


def test_the_table_of_the_project_is_read_by_flag_names(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.testbed]\nspeed = 30\nexternal-dns = "v0.22"\n')
    assert from_pyproject({"speed", "external_dns"}, tmp_path) == {"speed": 30, "external_dns": "v0.22"}


def test_no_file_is_no_setting(tmp_path: Path) -> None:
    assert from_pyproject({"speed"}, tmp_path) == {}


def test_an_unknown_setting_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.testbed]\nspeed = 1\nspede = 2\n")
    with pytest.raises(BadInput, match=r"pyproject\.toml:3: \[tool\.testbed\] has no setting 'spede'"):
        from_pyproject({"speed"}, tmp_path)


def test_a_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.testbed]\nspeed = \n")
    with pytest.raises(BadInput, match=r"pyproject\.toml:2: cannot be read"):
        from_pyproject({"speed"}, tmp_path)
