"""Folders whose manifests another program writes (Helm charts, kustomizations), and the command for each."""

from __future__ import annotations

import shlex
from pathlib import Path

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""The names that kustomize knows (kustomize, api/konfig/general.go, RecognizedKustomizationFileNames)."""
_CHART, _TEMPLATES = "Chart.yaml", "templates"


def helm(path: Path) -> str | None:
    """Return the `helm` command for a chart, its templates or a file of them; None for anything else."""
    folder = path if path.is_dir() else path.parent
    tops = [folder] if path.is_dir() else []
    tops += [one.parent for one in (folder, *folder.parents) if one.name == _TEMPLATES]
    chart = next((one for one in tops if (one / _CHART).is_file()), None)
    return None if chart is None else f"helm template {_quoted(chart)}"


def kustomize(path: Path) -> str | None:
    """Return the `kubectl` command for a folder with a kustomization; None for anything else."""
    has = path.is_dir() and any((path / name).is_file() for name in KUSTOMIZATIONS)
    return f"kubectl kustomize {_quoted(path)}" if has else None


def piped(command: str) -> str:
    """Return the whole line that reads what a command prints."""
    return f"{command} | testbed check -"


def _quoted(path: Path) -> str:
    # A name that begins with a dash would be an option.
    return shlex.quote(f"./{path}" if str(path).startswith("-") else str(path))
