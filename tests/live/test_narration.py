"""The lines of the log."""

from __future__ import annotations

import pytest

from testbed import journal
from testbed.live.narration import entry

DNS = "n-1.elb.ap-northeast-1.amazonaws.com"
ALIAS = {"Name": "api.example.com.", "Type": "A", "AliasTarget": {"DNSName": DNS}, "Weight": 3}


@pytest.mark.parametrize(
    ("event", "kind", "text", "level"),
    [
        (journal.StepStarted(time=1.0, number=2, title="Move", why=""), "step", "Step 2: Move", "info"),
        (journal.StepFinished(time=1.0, number=2, outcome="failed"), "step", "Step 2 failed", "error"),
        (
            journal.Action(time=1.0, step=1, text="delete service/envoy"),
            "action",
            "delete service/envoy",
            "info",
        ),
        (
            journal.Expectation(time=1.0, step=1, text="it moves", passed=False, detail="no"),
            "expectation",
            "it moves (no)",
            "error",
        ),
        (journal.PageAct(time=1.0, text="next step"), "page", "next step", "info"),
        (
            journal.FaultStarted(time=1.0, number=1, name="dns-silent", text="dns-silent"),
            "fault",
            "dns-silent begins",
            "warning",
        ),
        (
            journal.DnsChange(
                time=1.0, zone="z", changes=({"Action": "UPSERT", "ResourceRecordSet": ALIAS},)
            ),
            "dns",
            "UPSERT api.example.com A → NLB weight 3",
            "info",
        ),
        (
            journal.DnsChange(time=1.0, zone="z", changes=(), refused="no"),
            "dns",
            "refused a change: no",
            "error",
        ),
        (
            journal.Log(time=1.0, component="external-dns/blue", level="info", message="up to date", line=""),
            "log",
            "up to date",
            "info",
        ),
        (
            journal.ControllerEvent(
                time=1.0, object="service/a/b", type="Warning", reason="Failed", message="why"
            ),
            "log",
            "Failed: why",
            "warning",
        ),
        (
            journal.Command(time=1.0, step=1, command="false", status=1, stdout="", stderr="", seconds=0.1),
            "action",
            "false: status 1",
            "error",
        ),
    ],
)
def test_an_event_has_its_line(event: journal.Event, kind: str, text: str, level: str) -> None:
    line = entry(event, 60.0, 2, lambda _: "NLB")
    assert line
    assert (line.kind, line.text, line.level, line.at, line.step) == (kind, text, level, 60.0, 2)


@pytest.mark.parametrize(
    "event",
    [
        journal.Log(time=1.0, component="external-dns", level="debug", message="m", line=""),
        journal.Log(time=1.0, component="moto", level="info", message="m", line=""),
        journal.Threshold(time=1.0, text="p99 < 1s"),
    ],
)
def test_what_tells_a_viewer_nothing_has_no_line(event: journal.Event) -> None:
    assert entry(event, 0.0, 0, str) is None
