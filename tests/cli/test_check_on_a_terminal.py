"""What a person sees: `testbed check` on a real terminal of 80 columns, compared with a file."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.check.manifests_of_traps import SERVICE, folder

GOLDEN = Path(__file__).parent / "golden"
TWO = SERVICE.replace("api.example", "API.example").replace(
    "  annotations:\n",
    "  annotations:\n    # testbed: accept ttl-on-alias an old client reads it\n"
    "    external-dns.alpha.kubernetes.io/ttl: '60'\n",
)


def seen(folder_: Path, *arguments: str, **variables: str) -> str:
    """What a terminal of 80 columns gets of a command that runs in a folder."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "GITHUB_ACTIONS")}
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "testbed", *arguments],
        cwd=folder_,
        stdout=slave,
        env={**kept, "COLUMNS": "80", "TERM": "xterm", **variables},
    ) as child:
        os.close(slave)
        said = b""
        try:
            while part := os.read(master, 65536):
                said += part
        except OSError:  # Linux: the child has closed its side
            pass
        child.wait()
    os.close(master)
    return said.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(("name", "variables"), [("colours", {}), ("plain", {"NO_COLOR": "1"})])
def test_findings_are_wrapped_and_coloured_as_in_the_file(
    tmp_path: Path, name: str, variables: dict[str, str]
) -> None:
    folder(tmp_path / "k8s", TWO)
    releases = ("--external-dns", "v0.7.4", "--lb-controller", "v3.5.0")
    text = seen(tmp_path, "check", "k8s", *releases, **variables)
    assert text == (GOLDEN / f"check_{name}.txt").read_text(encoding="utf-8")


def test_a_page_is_as_in_the_file(tmp_path: Path) -> None:
    text = seen(tmp_path, "explain-rule", "capitals-in-host", NO_COLOR="1")
    assert text == (GOLDEN / "explain_rule.txt").read_text(encoding="utf-8")
