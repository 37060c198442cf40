from __future__ import annotations

from pathlib import Path

import pytest

from testbed.kubernetes import rendered_manifests
from testbed.kubernetes.rendered_manifests import helm, kustomize, piped


@pytest.mark.parametrize("name", rendered_manifests.KUSTOMIZATIONS)
def test_a_kustomization_is_built_by_kubectl(tmp_path: Path, name: str) -> None:
    assert kustomize(tmp_path) is None
    (tmp_path / name).touch()
    assert kustomize(tmp_path) == f"kubectl kustomize {tmp_path}"
    assert kustomize(tmp_path / name) is None


def test_a_chart_its_templates_and_their_files_are_rendered_by_helm(tmp_path: Path) -> None:
    chart = tmp_path / "my chart"
    inside = chart / "templates" / "web"
    inside.mkdir(parents=True)
    assert helm(inside) is None
    (chart / "Chart.yaml").touch()
    for path in (chart, chart / "templates", inside, inside / "service.yaml"):
        assert helm(path) == f"helm template '{chart}'"
    assert helm(tmp_path) is None
    assert helm(chart / "Chart.yaml") is None


def test_the_whole_line_can_be_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    odd = Path("-k")
    odd.mkdir()
    (odd / "kustomization.yaml").touch()
    command = kustomize(odd)
    assert command
    assert piped(command) == "kubectl kustomize ./-k | testbed check -"
