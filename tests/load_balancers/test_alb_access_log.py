from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import orjson
import pytest

from testbed.clock import Clock
from testbed.load_balancers.alb_access_log import line, write

FIELDS: dict[str, Any] = {
    "action": "forward",
    "at_target": 48_000,
    "certificate": "arn:aws:acm:us-east-2:123456789012:certificate/12345678",
    "cipher": "ECDHE-RSA-AES128-GCM-SHA256",
    "client": "10.0.1.252:48160",
    "content_type": None,
    "details": "via_upstream",
    "duration": 134,
    "elb": "app/my-loadbalancer/50dc6c495c0c9188",
    "flags": "-",
    "from_target": 0,
    "group": "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067",
    "host": "www.example.com:443",
    "location": None,
    "method": "GET",
    "path": "/",
    "port": "443",
    "priority": "1",
    "protocol": "HTTP/2",
    "received": 0,
    "scheme": "https",
    "sent": 257,
    "sni": "www.example.com",
    "start": "1530570143.052000",
    "status": 200,
    "target": "10.0.0.66:9000",
    "tls": "TLSv1.2",
    "to_target": 86_000,
    "trace": "Root=1-58337327-72bd00b0343d75b906739c42",
    "upgrade": None,
    "user_agent": "curl/7.46.0",
}
CLOCK = Clock(speed=1, epoch=0, monotonic=0)


def fields_of(**changed: Any) -> list[str]:
    return shlex.split(line({**FIELDS, **changed}, CLOCK))


def test_a_line_has_every_field_in_the_order_of_the_guide() -> None:
    assert line(FIELDS, CLOCK) == (
        "h2 2018-07-02T22:22:23.186000Z app/my-loadbalancer/50dc6c495c0c9188 10.0.1.252:48160 10.0.0.66:9000 "
        '0.086 0.048 0.000 200 200 0 257 "GET https://www.example.com:443/ HTTP/2.0" "curl/7.46.0" '
        "ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 "
        "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 "
        '"Root=1-58337327-72bd00b0343d75b906739c42" "www.example.com" '
        '"arn:aws:acm:us-east-2:123456789012:certificate/12345678" 1 2018-07-02T22:22:23.052000Z "forward" '
        '"-" "-" "10.0.0.66:9000" "200" "-" "-" -'
    )


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"content_type": "application/grpc+proto"}, "grpcs"),
        ({"protocol": "HTTP/1.1"}, "https"),
        ({"protocol": "HTTP/1.1", "scheme": "http"}, "http"),
        ({"protocol": "HTTP/1.1", "upgrade": "websocket"}, "wss"),
    ],
)
def test_the_type_names_protocol_and_tls(changed: dict[str, Any], kind: str) -> None:
    assert fields_of(**changed)[0] == kind


def test_an_answer_of_the_balancers_own_has_no_target_status() -> None:
    own = {
        "from_target": None,
        "details": "direct_response",
        "status": 464,
        "target": None,
        "to_target": None,
        "group": None,
    }
    fields = fields_of(**own)
    assert fields[4:10] == ["-", "-1", "-1", "-1", "464", "-"]


def test_a_client_that_left_before_the_answer_is_460() -> None:
    gone = {"details": "downstream_remote_disconnect", "flags": "DC", "status": 0}
    assert fields_of(**gone)[5:10] == ["0.086", "-1", "-1", "460", "-"]


def test_a_client_that_left_in_the_middle_of_a_response_has_seen_its_status() -> None:
    gone = {"details": "downstream_remote_disconnect", "flags": "DC", "status": 200}
    assert fields_of(**gone)[8:10] == ["200", "200"]
    assert fields_of(**gone, from_target=None)[8:10] == ["460", "-"]


def test_quotes_in_a_user_agent_cannot_break_out_of_their_field() -> None:
    assert fields_of(user_agent='a" "b')[13] == r"a\x22 \x22b"


def test_control_characters_and_backslashes_are_escaped_and_other_characters_stay() -> None:
    assert fields_of(user_agent="\x00\t\n\x1f\\ é\x7f")[13] == "\\x00\\x09\\x0A\\x1F\\x5C é\x7f"


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    source, made = tmp_path / "alb-access.json", tmp_path / "alb-access.log"
    source.write_bytes(orjson.dumps(FIELDS) + b"\n" + orjson.dumps(FIELDS)[:40])
    assert write(source, made, CLOCK) == 1
    assert made.read_text() == line(FIELDS, CLOCK) + "\n"
