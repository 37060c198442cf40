from pathlib import Path

import pytest

from testbed.real_controllers.installed import cache, installed
from tests.real_controllers.programs import script


def test_binaries_are_found_in_the_path_and_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert list(installed("external-dns")) == []
    (cache() / "v0.21.0").mkdir(parents=True)
    built = script(cache() / "v0.21.0", "", "external-dns")
    in_path = script(tmp_path / "bin", "", "external-dns")
    (cache() / "v0.18.0").mkdir()
    (cache() / "v0.18.0" / "external-dns").touch()  # a build that was cut short cannot be executed
    assert list(installed("external-dns")) == [in_path, built]
