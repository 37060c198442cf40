from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.real_controllers.named_release import is_image, is_path, named_release
from testbed.releases import EXTERNAL_DNS, LB_CONTROLLER, Named
from tests.real_controllers.programs import script


def test_a_value_with_a_slash_is_a_path() -> None:
    assert is_path("./external-dns")
    assert not is_path("v0.21.0")


def test_a_release_is_emulated() -> None:
    assert named_release("v0.21.0", EXTERNAL_DNS, "--external-dns") == Named("v0.21.0", "--external-dns")


def test_a_binary_is_asked_for_its_release(tmp_path: Path) -> None:
    path = str(script(tmp_path, "print('v0.21.0')"))
    assert named_release(path, EXTERNAL_DNS, "--external-dns") == Named("v0.21.0", "--external-dns", path)


def test_another_program_is_refused_by_the_name_of_the_controller(tmp_path: Path) -> None:
    path = script(tmp_path, "print('hello')")
    with pytest.raises(BadInput, match="is no AWS Load Balancer Controller: to --version it says 'hello'"):
        named_release(str(path), LB_CONTROLLER, "--lb-controller")


@pytest.mark.parametrize(
    "text",
    [
        "registry.k8s.io/external-dns/external-dns:v0.21.0",
        "localhost:5000/external-dns:test",
        "external-dns:v0.21.0",
        "external-dns@sha256:" + 64 * "0",
    ],
)
def test_a_value_with_a_tag_or_a_digest_is_an_image_and_no_path(text: str) -> None:
    assert is_image(text)
    assert not is_path(text)


@pytest.mark.parametrize(
    "text", ["v0.21.0", "./external-dns:old", "/opt/a:b", "bin/external-dns", "none", ""]
)
def test_a_release_and_a_file_are_no_image(text: str) -> None:
    assert not is_image(text)


def test_the_release_of_an_image_is_its_tag() -> None:
    image = "registry.k8s.io/external-dns/external-dns:v0.21.0"
    assert named_release(image, EXTERNAL_DNS, "--external-dns") == Named("v0.21.0", "--external-dns", image)
    untold = "external-dns@sha256:" + 64 * "0"
    assert named_release(untold, EXTERNAL_DNS, "--external-dns") == Named("unknown", "--external-dns", untold)


def test_an_image_of_the_lb_controller_is_refused() -> None:
    with pytest.raises(BadInput, match="is an image, and containers run none of AWS Load Balancer"):
        named_release("lbc:v3.5.0", LB_CONTROLLER, "--lb-controller")
