"""Every command reads the same release from the same folder, and says who names it."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from testbed.cli import _run
from testbed.cli.dns import dns
from testbed.options import Options
from testbed.rehearsal.played_releases import played_releases
from testbed.rehearsal.script import load
from tests.check.manifests_of_traps import EXTERNAL_DNS, INGRESS, PLAIN, SERVICE, folder

WHERE = "Deployment default/external-dns, {path}/4.yaml:12"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    _run(list(arguments))
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("tag", "release"),
    [
        ("0.15.1-debian-12-r3", "v0.15.1"),
        ("v0.19.0-eksbuild.2@sha256:0123", "v0.19.0"),
        ("v0.13.3", "v0.13.2"),
        ("v0.99.0", "v0.22.0"),
        ("latest", "v0.22.0"),
    ],
)
def test_check_init_dns_and_rehearse_read_one_release_from_one_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tag: str, release: str
) -> None:
    # v0.22 reads the new prefix, and only that.
    service = SERVICE.replace("alpha.", "") if release == "v0.22.0" else SERVICE
    path = folder(tmp_path / "k8s", service, PLAIN, INGRESS, EXTERNAL_DNS.replace("v0.7.4", tag))
    by = WHERE.format(path=path)
    assert f"Read as ExternalDNS {release} ({by}) " in printed(capsys, "check", str(path))

    address = "service/default/web=k8s-a-0123456789abcdef.elb.us-east-1.amazonaws.com"
    arguments = ["plan", "--manifests", str(path), "--status", address, "-o", "json"]
    planned = orjson.loads(CliRunner().invoke(dns, arguments, catch_exceptions=False).output)
    assert (planned["release"]["release"], planned["release"]["by"]) == (release, by)

    made = " ".join(printed(capsys, "init", str(path)).split())  # long lines are folded
    assert f" ExternalDNS {release} ({by})" in made
    assert played_releases(load(str(path / "cutover")), Options()).external_dns.played == release


def test_each_command_says_that_a_release_is_newer_than_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS))
    dns_note = "ExternalDNS v9 is newer than v0.22.0 of "
    lb_note = "AWS Load Balancer Controller v9 is newer than v3.5.0 of "
    both = printed(capsys, "check", path, "--external-dns", "v9", "--lb-controller", "v9")
    assert f"\n{dns_note}" in both
    assert f"\n{lb_note}" in both
    for command in (
        ("lb", "plan", "--manifests", path, "--lb-controller", "v9"),
        ("lb", "diff", path, path, "--lb-controller", "v9"),
        ("lb", "upgrade", "v3.5.0", "v9", "--manifests", path),
    ):
        assert printed(capsys, *command).startswith(lb_note)
    assert printed(capsys, "dns", "upgrade", "v0.22.0", "v9", "--manifests", path).startswith(dns_note)
