"""The binaries of controllers that this machine has: in PATH, and in the cache of `go install`.

```
~/.cache/cutover-testbed/go/v0.21.0/external-dns
```
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

COMMANDS = {"ExternalDNS": "external-dns", "AWS Load Balancer Controller": "aws-load-balancer-controller"}
"""How the file of each controller is called."""
UNKNOWN = "unknown"
"""What a controller says of its release if its build was not told; what an image without a tag says."""


def cache() -> Path:
    """Return the folder with a folder for each release."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "cutover-testbed" / "go"


def installed(command: str) -> Iterator[Path]:
    """Yield the files of a controller, by the name of the file."""
    if found := shutil.which(command):
        yield Path(found)
    yield from sorted(one for one in cache().glob(f"*/{command}") if os.access(one, os.X_OK))
