"""The story with the real ExternalDNS, and the emulation beside it, decision by decision."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed import journal
from tests.real.conftest import run_testbed

# A story lasts 33 minutes of production time, at the speed that a real one can keep; the machine may be busy.
pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]


def test_the_real_one_plays_the_story(release: str, external_dns: Path, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    done = run_testbed(
        "rehearse", "scenarios/zozomat", "--external-dns", str(external_dns), "--rate", "60",
        "--report", str(folder),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert f"ExternalDNS {release}, the real one: {external_dns}" in " ".join(done.stdout.split())
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["run"]["external_dns_binary"] == str(external_dns)
    events = list(journal.read(folder / "journal.ndjson"))
    (real,) = (event for event in events if isinstance(event, journal.RealController))
    assert (real.release, real.component) == (release, "external-dns")
    lines = [one.line for one in events if isinstance(one, journal.Log) and one.component == "external-dns"]
    # The real one stamps its lines with the time of this machine; the emulation with that of the run.
    assert any("Desired change: UPSERT api.example.com A" in line for line in lines)


@pytest.mark.parametrize("scenario", ["zozomat", "weighted", "runbook"])
def test_the_emulation_reaches_what_the_real_one_does(scenario: str, external_dns: Path) -> None:
    done = run_testbed("compare", f"scenarios/{scenario}", "--external-dns", str(external_dns))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert "no difference" in done.stdout.splitlines()[-1]
    assert "UPSERT" in done.stdout
