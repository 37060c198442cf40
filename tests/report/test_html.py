from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from testbed import journal
from testbed.journal import Event
from testbed.live.replay import replay
from testbed.report import html
from testbed.verdict.verdict import compute

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"' onmouseover='x' {{ 7*7 }} &amp;"

FREE = [
    *(
        "title",
        "why",
        "text",
        "detail",
        "message",
        "line",
        "summary",
        "operation",
        "scenario",
        "host",
        "machine",
    ),
    *("network", "testbed", "external_dns", "level", "method", "name", "rcode", "reason", "status"),
]
"""Fields of events that a run fills with text of its own."""


class Page(HTMLParser):
    """Collects elements and attributes, as a browser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def hostile(event: Event) -> Event:
    """The event with hostile text in every field that a run fills with text of its own."""
    if isinstance(event, journal.RunFinished | journal.Access):
        return event
    changes: dict[str, Any] = {
        field: HOSTILE for field in FREE if isinstance(getattr(event, field, None), str)
    }
    if isinstance(event, journal.Request):
        changes |= {"outcome": "failed", "client": HOSTILE, "shape": HOSTILE}
    return dataclasses.replace(event, **changes)


@pytest.fixture(scope="module")
def page(made: ModuleType) -> str:
    return html.render(compute(made.Story(rate=20.0).events())).decode()


def test_nothing_is_loaded_from_elsewhere(page: str) -> None:
    for tag, attributes in Page(page).elements:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert not {"src", "href", "srcset", "action"} & set(attributes)
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def with_slider(events: list[Event], folder: Path, made: ModuleType) -> str:
    path = made.write(folder / "journal.ndjson", events)
    return html.render(compute(events), replay(path)).decode()


def test_with_a_replay_the_page_has_the_slider_and_still_loads_nothing(
    made: ModuleType, tmp_path: Path
) -> None:
    text = with_slider(made.Story(rate=20.0).events(), tmp_path, made)
    found = Page(text)
    assert ("range", "moment") in [(one.get("type"), one.get("id")) for _, one in found.elements]
    for tag, attributes in found.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert not {"src", "href", "srcset", "action"} & set(attributes)
    assert len(text) < 400_000


def test_what_the_run_says_ends_no_script_of_the_slider(made: ModuleType, tmp_path: Path) -> None:
    found = Page(with_slider([hostile(event) for event in made.Story(rate=20.0).events()], tmp_path, made))
    assert [tag for tag, _ in found.elements].count("script") == 4
    assert "img" not in [tag for tag, _ in found.elements]


def test_the_acts_of_a_person_on_the_live_page_are_told(made: ModuleType) -> None:
    act = journal.PageAct(time=made.EPOCH + 2, text="fault dns-stale, for 20 s of production time")
    text = html.render(compute([*made.Story(rate=20.0).events(), act])).decode()
    assert "1, so it does not repeat itself: fault dns-stale, for 20 s of production time" in text


def test_what_the_run_says_is_only_ever_text(made: ModuleType) -> None:
    events = [hostile(event) for event in made.Story(rate=20.0).events()]
    found = Page(html.render(compute(events)).decode())
    assert [tag for tag, _ in found.elements].count("script") == 2
    assert "img" not in [tag for tag, _ in found.elements]
    assert not [name for _, attributes in found.elements for name in attributes if name.startswith("on")]
    assert any("alert(1)" in text for text in found.texts)
    assert not any("49 &amp;" in text for text in found.texts)


def test_every_step_and_both_balancers_are_there(page: str, made: ModuleType) -> None:
    text = " ".join(Page(page).texts)
    for title, why in made.STEPS:
        assert title in text
        assert why in text
    assert "pass" in text
    assert "Forward again: gRPC leaves the NLB" in text
    assert "The NLB may go" in text
    assert "Removing duplicate endpoint" in text


def test_a_page_stays_small(page: str) -> None:
    assert len(page) < 150_000


def test_no_coordinate_is_out_of_the_picture(page: str) -> None:
    for position in re.findall(r"(?:left|width|top):(-?[\d.]+)%", page):
        assert 0 <= float(position) <= 100
    assert "nan" not in re.findall(r' d="([^"]*)"', page)


def test_a_journal_without_anything_renders() -> None:
    assert b"inconclusive" in html.render(compute([]))


def test_the_first_lost_requests_are_shown_and_the_rest_counted(made: ModuleType) -> None:
    events = [
        dataclasses.replace(event, outcome="failed", status="503")
        if isinstance(event, journal.Request)
        else event
        for event in made.Story(rate=20.0).events()
    ]
    text = " ".join(Page(html.render(compute(events)).decode()).texts)
    assert "the table below lists the first 200" in text


def test_a_log_line_that_every_sync_repeats_is_shown_once(made: ModuleType) -> None:
    story = made.Story(rate=20.0)
    message = "All records are already up to date, says the test"
    again = [
        journal.Log(
            time=story.start(2) + number / 10,
            component="external-dns",
            level="info",
            message=message,
            line="",
        )
        for number in range(7)
    ]
    text = html.render(compute([*again, *story.events()])).decode()
    assert text.count(message) == 1
    assert "(7 times)" in text


def test_three_balancers_have_each_a_lane_a_colour_and_their_type(made: ModuleType) -> None:
    story = made.Story(rate=20.0, balancers=made.THREE, moves=made.THREE_MOVES)
    text = html.render(compute(story.events())).decode()
    found = Page(text)
    lanes = [attributes for tag, attributes in found.elements if attributes.get("class") == "lane balancer"]
    assert len(lanes) == 3
    for index in range(3):
        assert f'class="area balancer{index}"' in text
        assert f'class="tag balancer{index}"' in text
        assert f".balancer{index} " in text
    words = " ".join(" ".join(found.texts).split())
    assert "service/shop/envoy-internal NLB, internal" in words
    assert "NLB, internal, made by service/shop/envoy-internal, k8s-shop-envoylb-" in words
    assert "First ALB request" not in words


def test_names_that_objects_give_are_only_ever_text(made: ModuleType) -> None:
    evil = {key: dataclasses.replace(one, owner=HOSTILE + key) for key, one in made.THREE.items()}
    events = made.Story(rate=20.0, balancers=evil, moves=made.THREE_MOVES).events()
    found = Page(html.render(compute(events)).decode())
    assert "img" not in [tag for tag, _ in found.elements]
    assert not [name for _, attributes in found.elements for name in attributes if name.startswith("on")]
