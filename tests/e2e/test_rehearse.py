"""Plays real topologies from the command line, as a person does, and reads what they leave."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from testbed import journal

ROOT = Path(__file__).resolve().parents[2]
"""Wall seconds; on a machine under load the looks come late."""
STORY = "scenarios/zozomat"
PATIENCE = 150

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2 * PATIENCE)]


def run_testbed(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "testbed", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE,
        check=False,
    )


def rehearse(
    folder: Path, scenario: str, *more: str
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    # Slower and lighter than the default: a test must not fail because the machine is busy elsewhere.
    done = run_testbed("rehearse", scenario, "--speed", "40", "--rate", "150", "--report", str(folder), *more)
    path = folder / "summary.json"
    return done, json.loads(path.read_text()) if path.exists() else {}


def failed_expectations(folder: Path) -> list[str]:
    events = journal.read(folder / "journal.ndjson")
    return [event.text for event in events if isinstance(event, journal.Expectation) and not event.passed]


def external_dns_log(folder: Path) -> list[str]:
    return [
        event.line
        for event in journal.read(folder / "journal.ndjson")
        if isinstance(event, journal.Log) and event.component == "external-dns"
    ]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("story")
    done, summary = rehearse(folder, STORY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert summary["verdict"] == "pass"
    return folder


def test_the_story_passes_and_both_balancers_served(story: Path) -> None:
    summary = json.loads((story / "summary.json").read_text())
    requests = summary["requests"]
    assert requests["failed"] == requests["unknown"] == 0
    assert requests["ok"] == requests["total"] > 1000
    assert summary["balancers"]["nlb"]["requests"] > 100
    assert summary["balancers"]["alb"]["requests"] > 100
    assert [step["outcome"] for step in summary["steps"]] == ["passed"] * len(summary["steps"])


def test_the_moves_and_the_moment_when_the_nlb_may_go_are_told(story: Path) -> None:
    summary = json.loads((story / "summary.json").read_text())
    moves = [(move["from"], move["to"]) for move in summary["moves"]]
    assert moves == [("nlb", "alb"), ("alb", "nlb"), ("nlb", "alb")]
    forward = summary["moves"][0]
    assert forward["asked"]["text"].startswith("annotate service/envoy")
    # An interval, the age of the connection that ends first, a TTL, and 100 ms at speed 40.
    assert forward["gap"]["production"] <= 60 + 300 + 60 + 0.1 * 40
    left = {one["model"]: one for one in forward["clients"]}
    assert set(left) == {"grpcio", "python-requests"}
    assert all(one["left"] == 0 and not one["follows_by_itself"] for one in left.values())
    assert any("left only because something ended" in moment["text"] for moment in summary["moments"])
    grpc = next(drain for drain in forward["drains"] if drain["protocol"] == "grpc")
    assert (grpc["began_with"] > 0, grpc["left"]) == (True, 0)
    assert min(age["production"] for age in grpc["ages"]) > 250  # the maximum age, not the move, ended them
    assert "nlb_may_go" in [moment["kind"] for moment in summary["moments"]]


def test_each_answered_request_names_its_connection(story: Path) -> None:
    events = list(journal.read(story / "journal.ndjson"))
    requests = [event for event in events if isinstance(event, journal.Request)]
    opened = {event.id.rpartition("/")[2] for event in events if isinstance(event, journal.Connection)}
    for request in requests:
        address, _, port = request.connection.rpartition(":")
        if request.listener == "tls":
            assert address == request.peer
        else:
            assert address == "127.0.0.1"
            assert port in opened
    carried = {(request.client, request.connection) for request in requests if request.protocol == "grpc"}
    assert len({connection for _, connection in carried}) == len(carried)  # an app shares its own with nobody


def test_the_log_holds_the_storys_lines_in_its_order(story: Path) -> None:
    """The lines that the article quotes, with the wording of ExternalDNS v0.7.4."""
    lines = [re.sub(r'^time="[^"]+" ', "", line) for line in external_dns_log(story)]
    nlb = r"\S+\.elb\.ap-northeast-1\.amazonaws\.com"
    alb = r"\S+\.ap-northeast-1\.elb\.amazonaws\.com"
    zone = r"/hostedzone/[A-Z0-9]+"
    generated = 'level=debug msg="Endpoints generated from'
    ingress = (
        rf"{generated} ingress: default/zozomat-ingress-(grpc|http1): "
        rf'\[api\.example\.com 0 IN CNAME  {alb} \[\]\]"'
    )
    both_claim = [
        rf'{generated} service: default/envoy: \[api\.example\.com 0 IN CNAME  {nlb} \[\]\]"',
        ingress,
        ingress,
        rf'level=debug msg="Removing duplicate endpoint api\.example\.com 0 IN CNAME  {alb} \[\]"',
        r'level=info msg="All records are already up to date"',
    ]
    moved = [
        r'level=debug msg="No endpoints could be generated from service default/envoy"',
        *both_claim[1:4],
        rf'level=debug msg="Considering zone: {zone} \(domain: example\.com\.\)"',
        rf'level=debug msg="Adding api\.example\.com\. to zone example\.com\. \[Id: {zone}\]"',
        rf'level=debug msg="Adding api\.example\.com\. to zone example\.com\. \[Id: {zone}\]"',
        rf'level=info msg="Desired change: UPSERT api\.example\.com A \[Id: {zone}\]"',
        rf'level=info msg="Desired change: UPSERT api\.example\.com TXT \[Id: {zone}\]"',
        rf'level=info msg="2 record\(s\) in zone example\.com\. \[Id: {zone}\] were successfully updated"',
    ]
    for block in (both_claim, moved):
        rest = iter(lines)
        for pattern in block:
            assert any(re.fullmatch(pattern, line) for line in rest), pattern


def changed_records(folder: Path) -> list[dict[str, Any]]:
    """The changes of Route 53, without the operator's own record that validates a certificate."""
    return [
        change
        for event in journal.read(folder / "journal.ndjson")
        if isinstance(event, journal.DnsChange)
        for change in event.changes
        if change["ResourceRecordSet"]["Type"] != "CNAME"
    ]


def test_no_record_was_ever_deleted_on_the_way_there_and_back(story: Path) -> None:
    changes = [change["Action"] for change in changed_records(story)]
    assert changes[:2] == ["CREATE", "CREATE"]
    assert set(changes[2:]) == {"UPSERT"}
    assert len(changes) == 8  # made once, then moved to the ALB, back, and to the ALB again


def test_the_report_stands_alone_and_the_journal_gives_it_again(story: Path, tmp_path: Path) -> None:
    html = (story / "report.html").read_text()
    assert "<script src" not in html
    assert "http://" not in re.sub(r"http://www\.w3\.org/\S+", "", html)
    again = run_testbed("report", str(story / "journal.ndjson"), "--report", str(tmp_path))
    assert again.returncode == 0
    for name in ("summary.json", "junit.xml", "report.html"):
        assert (tmp_path / name).read_bytes() == (story / name).read_bytes()


def test_no_key_is_in_the_report_folder(story: Path) -> None:
    assert not [path for path in story.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]


def test_todays_external_dns_moves_the_name_too(tmp_path: Path) -> None:
    done, summary = rehearse(tmp_path, STORY, "--external-dns", "v0.22")
    assert done.returncode == 0, done.stdout + done.stderr
    assert summary["verdict"] == "pass"
    types = {
        (record["Name"], record["Type"])
        for change in changed_records(tmp_path)
        for record in [change["ResourceRecordSet"]]
    }
    assert types == {
        ("api.example.com", "A"),
        ("api.example.com", "AAAA"),
        ("a-api.example.com", "TXT"),
        ("aaaa-api.example.com", "TXT"),
    }


def test_without_a_maximum_age_nobody_leaves_the_nlb_and_the_verdict_names_who_stayed(tmp_path: Path) -> None:
    done, summary = rehearse(tmp_path, f"{STORY}:without_connection_age")
    assert done.returncode == 1
    assert failed_expectations(tmp_path) == ["no connection is left on the NLB"]
    assert summary["requests"]["failed"] == summary["requests"]["unknown"] == 0
    told = " ".join(moment["text"] for moment in summary["moments"])
    assert re.search(r"The NLB may not go yet: \d+ connections are still open on it \(8 of grpcio", told)
    assert "grpcio and python-requests never look the name up while it lives" in told
    assert "8 of grpcio" in summary["reasons"][0]["text"]


def test_rollback_by_the_annotation_alone_stays_on_the_alb(tmp_path: Path) -> None:
    done, summary = rehearse(tmp_path, f"{STORY}:rollback_by_annotation_only")
    assert done.returncode == 1
    assert failed_expectations(tmp_path) == ["the A alias points to the NLB"]
    assert summary["requests"]["failed"] == summary["requests"]["unknown"] == 0


def test_rollback_with_the_ingress_first_loses_requests(tmp_path: Path) -> None:
    done, summary = rehearse(tmp_path, f"{STORY}:rollback_ingress_first")
    assert done.returncode == 1
    assert summary["verdict"] == "fail"
    assert summary["requests"]["failed"] > 0
    deleted = [
        change["ResourceRecordSet"]["Type"]
        for event in journal.read(tmp_path / "journal.ndjson")
        if isinstance(event, journal.DnsChange)
        for change in event.changes
        if change["Action"] == "DELETE"
    ]
    assert sorted(deleted) == ["A", "TXT"]


def test_a_full_disk_ends_the_run_in_one_line_and_leaves_a_readable_journal(tmp_path: Path) -> None:
    short = ["testbed/bench/scenarios", "--rate", "300", "--report", str(tmp_path)]
    full = subprocess.run(
        ["prlimit", "--fsize=250000", sys.executable, "-m", "testbed", "rehearse", *short],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE,
        check=False,
    )
    assert full.returncode == 3, full.stdout + full.stderr
    (line,) = full.stderr.splitlines()
    assert line.startswith(f"testbed: {tmp_path}/journal.ndjson cannot be written: File too large")
    read = run_testbed("report", str(tmp_path / "journal.ndjson"), "--report", str(tmp_path / "again"))
    assert read.returncode in (1, 4), read.stdout + read.stderr
    assert "Traceback" not in read.stderr


@pytest.mark.parametrize(
    "said",
    ["testbed", "step 1:", "start 100 requests", "step 4:", "step 8:", "step 11:"],
    ids=["start", "step-1", "traffic", "step-4", "step-8", "step-11"],
)
def test_ctrl_c_ends_with_130_a_readable_journal_and_no_process(tmp_path: Path, said: str) -> None:
    options = ["--rate", "100", "--speed", "60", "--report", str(tmp_path)]
    command = [sys.executable, "-m", "testbed", "rehearse", STORY, *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=None
    ) as run:
        assert run.stdout
        if said == "testbed":
            while not (tmp_path / "journal.ndjson").exists():
                pass
        else:
            for line in run.stdout:
                if said in line:
                    break
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=PATIENCE)
    assert run.returncode == 130
    assert "Traceback" not in errors
    assert errors.startswith("testbed: interrupted")
    if said != "testbed":
        read = run_testbed("report", str(tmp_path / "journal.ndjson"), "--report", str(tmp_path / "again"))
        assert read.returncode == 4, read.stdout + read.stderr
