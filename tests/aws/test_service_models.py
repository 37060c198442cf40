from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

from testbed.aws.service_models import ServiceModels, loader


def test_a_model_is_the_one_that_botocore_reads() -> None:
    assert loader().load_service_model("acm", "service-2") == Loader().load_service_model("acm", "service-2")


def test_services_are_those_that_botocore_finds() -> None:
    assert set(loader().list_available_services("service-2")) >= set(
        Loader().list_available_services("service-2")
    )
    with pytest.raises(UnknownServiceError):
        loader().load_service_model("no-such-service", "service-2")


def test_a_file_is_read_once() -> None:
    assert loader() is loader()
    first = loader().load_data("endpoints")
    assert Loader(file_loader=ServiceModels()).load_data("endpoints") is first


def test_a_file_that_does_not_exist_is_none(tmp_path: Path) -> None:
    assert ServiceModels().load_file(str(tmp_path / "none")) is None
