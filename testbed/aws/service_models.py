"""botocore's service models, read quickly and once per process.

botocore parses 1 to 3 MB of JSON with the standard library, again for each session; moto does so several
times while it is imported. That was more than half of the time to the first answer of an API.
"""

from __future__ import annotations

import functools
import gzip
from pathlib import Path
from typing import Any

import orjson
from botocore.loaders import JSONFileLoader, Loader


class ServiceModels(JSONFileLoader):
    """A file loader for `botocore.loaders.Loader`; files are read once and must not be changed."""

    def load_file(self, file_path: str) -> Any:
        """The content of a file that is named without its ending, or None."""
        return _read(file_path)


@functools.cache
def loader() -> Loader:
    """The loader that all clients of this process share."""
    return Loader(file_loader=ServiceModels())


def required(service: str, operation: str) -> tuple[str, ...] | None:
    """The parameters that an operation must have, or None if the service has no such operation."""
    model = loader().load_service_model(service, "service-2")
    if operation not in model["operations"]:
        return None
    shape = model["operations"][operation].get("input", {}).get("shape", "")
    return tuple(model["shapes"].get(shape, {}).get("required", ()))


@functools.cache
def _read(path: str) -> Any:
    for ending, unpack in ((".json", bytes), (".json.gz", gzip.decompress)):
        file = Path(path + ending)
        if file.is_file():
            return orjson.loads(unpack(file.read_bytes()))
    return None
