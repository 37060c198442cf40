"""The composed topology of the tests, brought up once by pytest-docker; no Docker, no tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.projects import Project, free

IMAGES = {
    "PYTHON_IMAGE": "python:3.13-slim-trixie",
    "ENVOY_IMAGE": "envoyproxy/envoy:v1.40.0",
    "LOCALSTACK_IMAGE": "localstack/localstack:4.14.0",
}


def missing() -> str:
    """Why there is no Docker here; "" if there is."""
    if shutil.which("docker") is None:
        return "no docker on this machine"
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        tried = subprocess.run(command, capture_output=True, text=True, check=False)
        if tried.returncode:
            return f"`{' '.join(command)}` fails: {tried.stderr.strip().splitlines()[-1]}"
    return ""


def pytest_report_header() -> list[str]:
    """Which images are used."""
    why = missing()
    if why:
        return [f"compose: {why}"]
    used = {name: os.environ.get(name, official) for name, official in IMAGES.items()}
    kinds = [f"{one} ({'official' if one == IMAGES[name] else 'stand-in'})" for name, one in used.items()]
    return [f"compose: {', '.join(kinds)}"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these tests need Docker."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.compose)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session", autouse=True)
def _docker() -> None:
    if why := missing():
        if os.environ.get("CI") == "true":
            pytest.fail(f"in CI these tests must run, but {why}")
        pytest.skip(why)


@pytest.fixture(scope="session")
def chosen(_docker: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The project of most tests; pytest-docker knows it by the environment."""
    project = free("tests", tmp_path_factory.mktemp("compose") / "report")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in project.environment.items():
            patch.setenv(name, value)
        yield project


@pytest.fixture(scope="session")
def docker_compose_project_name(chosen: Project) -> str:
    return chosen.name


@pytest.fixture(scope="session")
def docker_compose_file(chosen: Project) -> list[str]:
    return [str(path) for path in chosen.files]


@pytest.fixture(scope="session")
def docker_setup() -> list[str]:
    return ["--progress quiet up --detach"]


@pytest.fixture(scope="session")
def docker_cleanup() -> list[str]:
    return ["--progress quiet --profile rehearse down --volumes"]


@pytest.fixture(scope="session")
def project(chosen: Project, docker_services: object) -> Project:
    """The project, which is up."""
    return chosen
