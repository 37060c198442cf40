"""Compiles the protos into `testbed/backend/_generated` when the package is built or installed.

Messages only: the service's methods are named once, in `testbed/backend/grpc_methods.py`, where both sides of
a call find them with types that a checker can follow.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ProtoBuildHook(BuildHookInterface):  # type: ignore[misc,type-arg]
    """Runs protoc from grpcio-tools; editable installs get the same files."""

    PLUGIN_NAME = "custom"

    def initialize(
        self,
        version: str,  # noqa: ARG002  # hatch names it
        build_data: dict[str, Any],
    ) -> None:
        """Compile, and name the generated files as part of the wheel."""
        from grpc_tools import protoc

        root = Path(self.root)
        target = root / "testbed" / "backend" / "_generated"
        target.mkdir(parents=True, exist_ok=True)
        sources = sorted(
            str(path.relative_to(root / "protos")) for path in (root / "protos").rglob("*.proto")
        )
        outputs = [f"--{kind}={target}" for kind in ("python_out", "pyi_out")]
        if protoc.main(["protoc", f"-I{root / 'protos'}", *outputs, *sources]) != 0:
            raise RuntimeError("protoc refused a proto; its message is above")
        build_data["artifacts"].append("testbed/backend/_generated/**")
