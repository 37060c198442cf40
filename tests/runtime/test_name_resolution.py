"""`dig` and `curl` as a runbook types them ask the DNS of the testbed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.runtime.name_resolution import NO_REPLY, NOT_RESOLVED, curl, dig, write

VARIABLES = {
    "TESTBED_DNS_ADDRESS": "127.81.0.53",
    "TESTBED_DNS_PORT": "5353",
    "TESTBED_PORT_OFFSET": "8000",
}
ELSEWHERE = ["--connect-to", "::127.0.0.1:9"]
KNOWN = {"api.example.com": "127.81.10.1"}


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["api.example.com"], ["@127.81.0.53", "-p", "5353", "api.example.com"]),
        (["+short", "-t", "AAAA", "x"], ["@127.81.0.53", "-p", "5353", "+short", "-t", "AAAA", "x"]),
        (["@127.81.0.53", "x"], ["@127.81.0.53", "-p", "5353", "@127.81.0.53", "x"]),
        (["@8.8.8.8", "x"], NO_REPLY),
        (["@localhost", "x"], NO_REPLY),
    ],
)
def test_dig_asks_the_testbed_and_no_other_server(words: list[str], asked: list[str] | int) -> None:
    assert dig(words, VARIABLES) == asked


@pytest.mark.parametrize(
    ("url", "route"),
    [
        ("https://api.example.com/x?y", "api.example.com:443:127.81.10.1:8443"),
        ("http://api.example.com", "api.example.com:80:127.81.10.1:8080"),
        ("https://me:secret@api.example.com:9000/", "api.example.com:9000:127.81.10.1:9000"),
        ("api.example.com/x", "api.example.com:80:127.81.10.1:8080"),
        ("https://127.81.0.9/", "127.81.0.9:443:127.81.0.9:8443"),
    ],
)
def test_curl_connects_to_the_address_that_the_testbed_answers(url: str, route: str) -> None:
    assert curl(["-s", url], VARIABLES, KNOWN.get) == ["-s", url, "--connect-to", route, *ELSEWHERE]


def test_a_name_that_the_testbed_does_not_know_is_not_resolved() -> None:
    assert curl(["https://www.example.org/"], VARIABLES, KNOWN.get) == NOT_RESOLVED


@pytest.mark.parametrize(
    "option", [["--connect-to", "new.test:443:127.9.0.1:8443"], ["--resolve", "new.test:443:127.9.0.1"]]
)
def test_a_name_that_the_arguments_lead_to_this_machine_is_not_asked_for(option: list[str]) -> None:
    words = [*option, "https://new.test/"]
    assert curl(words, VARIABLES, {}.get) == [*words, *ELSEWHERE]
    away = [option[0], option[1].replace("127.9.0.1", "192.0.2.1"), "https://new.test/"]
    assert curl(away, VARIABLES, {}.get) == NOT_RESOLVED


@pytest.mark.parametrize("words", [["-d", "data.json", "https://api.example.com/"], ["--version"], []])
def test_a_word_that_is_no_url_changes_nothing(words: list[str]) -> None:
    made = curl(words, VARIABLES, KNOWN.get)
    assert isinstance(made, list)
    assert made[: len(words)] == words
    assert made[-2:] == ELSEWHERE


@given(st.lists(st.text(max_size=20) | st.sampled_from(["https://a.b", "http://[::1]:8", "::", "a.b:1/"])))
def test_whatever_the_arguments_are_the_last_route_leads_nowhere(words: list[str]) -> None:
    made = curl(words, VARIABLES, {"a.b": "127.81.10.1"}.get)
    assert made == NOT_RESOLVED or made[-2:] == ELSEWHERE  # type: ignore[index]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_what_is_written_runs_as_the_program_of_its_name(tmp_path: Path) -> None:
    write(tmp_path / "bin")
    assert all(one.stat().st_mode & 0o777 == 0o700 for one in (tmp_path / "bin").iterdir())
    environment = {**VARIABLES, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    version = subprocess.run(["curl", "--version"], env=environment, capture_output=True, text=True)
    assert version.stdout.startswith("curl ")
    lost = subprocess.run(
        ["curl", "https://www.example.com/"],
        env={**environment, "TESTBED_DNS_ADDRESS": "127.0.0.1", "TESTBED_DNS_PORT": "9"},
        capture_output=True,
        text=True,
    )
    assert lost.returncode == NOT_RESOLVED
    assert lost.stderr == (
        "curl: (6) Could not resolve host: www.example.com (asked the DNS of the testbed)\n"
    )
