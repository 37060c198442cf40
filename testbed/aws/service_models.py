"""Loads botocore's service models quickly, and once per process.

botocore parses 1 to 3 MB of JSON with the standard library, again for each session, and moto does so several
times during its import. That was more than half of the time to the first answer of an API.
"""

from __future__ import annotations

import functools
import gzip
from pathlib import Path
from typing import Any

import orjson
from botocore.loaders import JSONFileLoader, Loader, instance_cache


class ServiceModels(JSONFileLoader):
    """A file loader for `botocore.loaders.Loader`. It reads each file once; do not change its results."""

    def load_file(self, file_path: str) -> Any:
        """Return the content of a file that is named without its extension; None if it does not exist."""
        return _read(file_path)


class _Loader(Loader):
    @instance_cache
    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 as botocore names it
        """Return the names of all services. botocore also looks into each of 400 folders for the type."""
        folders = [Path(one) for one in self.search_paths]
        return sorted({service.name for one in folders if one.is_dir() for service in one.iterdir()})


@functools.cache
def loader() -> Loader:
    """Return the loader that all clients of this process share."""
    return _Loader(file_loader=ServiceModels())


@functools.cache
def _read(path: str) -> Any:
    for ending, unpack in ((".json", bytes), (".json.gz", gzip.decompress)):
        file = Path(path + ending)
        if file.is_file():
            return orjson.loads(unpack(file.read_bytes()))
    return None
