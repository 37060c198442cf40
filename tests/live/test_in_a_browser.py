"""The page in headless Chromium: a run clicked through to its verdict, and the slider of a finished one.

`SCREENSHOTS=docs/images` keeps the pictures for the docs.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from testbed import journal
from testbed.report.writing import write_report

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.stories,
    pytest.mark.timeout(180),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "scenarios" / "zozomat" / "manifests"
SHORT_STORY = """
from testbed import Cutover, scenario
from testbed.conditions import alias_at, answers_by_its_own_name, served_by

HOSTNAME = "external-dns.alpha.kubernetes.io/hostname"


@scenario(
    "The alias moves",
    host="api.example.com", manifests=["manifests/1-nlb.yaml"], external_dns_release="v0.7.4",
    lb_controller="v2.1.0", service_webhook=False, clients={"grpcio": 0.8, "python-requests": 0.2},
    external_dns_by_version={"v0.22": ["--annotation-prefix=external-dns.alpha.kubernetes.io/"]},
)
def moves(cutover: Cutover) -> None:
    with cutover.step("The NLB serves", why="So it stands today."):
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=120)
        cutover.hold(90)
    with cutover.step("Both claim the name", why="The TXT names the Service, so nothing moves yet."):
        arn = cutover.request_certificate("api.example.com")
        cutover.apply("manifests/2-alb.yaml", CERTIFICATE_ARN=arn)
        cutover.apply("manifests/3-host.yaml", CERTIFICATE_ARN=arn)
        cutover.wait_until(answers_by_its_own_name("alb"), within=600)
    with cutover.step("The annotation leaves the Service", why="Now only the Ingresses claim the name."):
        cutover.annotate("service/envoy", {HOSTNAME: None})
        cutover.wait_until(alias_at("alb"), within=180)
        cutover.wait_until(served_by("alb"), within=600)
"""
ADDRESS = re.compile(r"live page: (\S+)")
SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "still": {"viewport": {"width": 800, "height": 700}, "reduced_motion": "reduce"},
}


class Browser:
    """Opens pages, and collects what goes wrong in any of them."""

    def __init__(self, chromium: Any) -> None:
        self._chromium = chromium
        self.wrong: list[str] = []

    def open(self, url: str, screen: str = "desktop") -> Any:
        page = self._chromium.new_context(**SCREENS[screen]).new_page()
        page.on("console", lambda said: self.wrong.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.goto(url)
        return page


@pytest.fixture
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as started:
        # Without its sandbox: a container's root cannot have one, and the only page is the testbed's own.
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        browser = Browser(chromium)
        yield browser
        chromium.close()
    assert browser.wrong == []


@pytest.fixture
def keep(tmp_path: Path) -> Callable[[Any, str], None]:
    """Takes a screenshot: for the docs, where `SCREENSHOTS` says so."""
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))

    def keep(page: Any, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png", clip={"x": 0, "y": 0, **page.viewport_size})

    return keep


def barriers(page: Any, within: str = "html") -> list[str]:
    """What keeps people out, as axe-core finds it."""
    found = axe.Axe().run(page, context=within).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


# --- a finished run ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report(made: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("report")
    write_report(made.write(folder / "journal.ndjson", made.Story(rate=60.0).events()), folder)
    return folder


def drag(page: Any, index: int) -> None:
    page.eval_on_selector(
        "#moment", "(slider, at) => { slider.value = at; slider.dispatchEvent(new Event('input')); }", index
    )


def figure(page: Any, name: str) -> int:
    return int(page.inner_text(f".figures [data-of={name}]").replace(",", ""))


def test_the_sliders_numbers_are_the_ledgers_at_five_moments(browser: Browser, report: Path) -> None:
    events = list(journal.read(report / "journal.ndjson"))
    begin = next(event.time for event in events if isinstance(event, journal.Run))
    nodes = [event for event in events if isinstance(event, journal.Balancer)]
    name_at = {address: event.type.upper() for event in nodes for address in event.addresses}
    page = browser.open((report / "report.html").as_uri())
    page.click("summary:has-text('As a table')")
    last = int(page.get_attribute("#moment", "max"))
    for share in (0.1, 0.3, 0.5, 0.8, 1.0):
        drag(page, round(last * share))
        wall = float(page.get_attribute("#stage", "data-wall"))
        ended = [one for one in events if isinstance(one, journal.Request) and one.time - begin <= wall]
        outcomes = Counter(one.outcome for one in ended)
        assert {name: figure(page, name) for name in ("ok", "failed", "unknown")} == {
            name: outcomes[name] for name in ("ok", "failed", "unknown")
        }
        served = Counter((journal.client_model(one.client), name_at[one.peer]) for one in ended if one.peer)
        rows = page.eval_on_selector_all(
            "#edges tbody tr", "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
        )
        shown = {(row[0], row[1]): int(row[4].replace(",", "")) for row in rows if row[1] in ("NLB", "ALB")}
        assert shown == served


def test_the_slider_goes_by_keyboard_and_by_steps(browser: Browser, report: Path) -> None:
    page = browser.open((report / "report.html").as_uri())
    assert page.inner_text("#standing [data-of=standing]").lower() == "pass"
    page.focus("#moment")
    page.keyboard.press("Home")
    assert page.inner_text("#standing [data-of=standing]").lower() == "open"
    assert "before the first step" in page.get_attribute("#moment", "aria-valuetext")
    page.keyboard.press("ArrowRight")
    assert page.input_value("#moment") == "1"
    page.focus("[data-do=forth]")
    page.keyboard.press("Enter")
    assert "step" in page.get_attribute("#moment", "aria-valuetext")
    page.focus("[data-do=play]")
    page.keyboard.press("Space")
    playwright.expect(page.locator("#moment")).not_to_have_value(page.input_value("#moment"))
    page.keyboard.press("Space")
    assert page.inner_text("[data-do=play]") == "Play"


def test_nobody_is_kept_out_of_a_report(
    browser: Browser, report: Path, keep: Callable[[Any, str], None]
) -> None:
    for screen in SCREENS:
        page = browser.open((report / "report.html").as_uri(), screen)
        drag(page, int(page.get_attribute("#moment", "max")) * 3 // 4)
        # The whole page in light and dark; on the other screens what is laid out anew.
        assert barriers(page, "html" if screen in ("desktop", "dark") else "#stage") == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.eval_on_selector("#stage", "stage => stage.scrollIntoView()")
        keep(page, f"slider-{screen}")
    moving = "[...document.querySelectorAll('.flow')].map(one => getComputedStyle(one).animationName)"
    assert set(page.evaluate(moving)) == {"none"}  # the last screen asks for reduced motion


# --- a run that goes on --------------------------------------------------------------------------------


@contextmanager
def walked(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A walk of the short story on its page; yields the process and the page's address."""
    shutil.copytree(MANIFESTS, folder / "story" / "manifests")
    (folder / "story" / "cutover.py").write_text(SHORT_STORY)
    command = [sys.executable, "-m", "testbed", "walk", str(folder / "story"), "--live", "--speed", "60"]
    command += ["--rate", "100", "--report", str(folder / "report"), "--environment", str(folder / "tools")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    ) as walk:
        try:
            assert walk.stdout
            printed = iter(walk.stdout)
            yield walk, next(found[1] for found in map(ADDRESS.match, printed) if found)
            for _ in printed:
                pass  # until it ends
        except BaseException:
            walk.send_signal(signal.SIGINT)
            raise


def test_a_story_is_clicked_through_from_its_start_to_its_verdict(
    browser: Browser, tmp_path: Path, keep: Callable[[Any, str], None]
) -> None:
    with walked(tmp_path) as (walk, url):
        page = browser.open(url)
        phone, dark = browser.open(url, "phone"), browser.open(url, "dark")
        says, next_step = page.locator("#gate-says"), page.locator("[data-act=next]")
        for number, alias in enumerate(("nlb", "nlb", "alb"), start=1):
            playwright.expect(says).to_contain_text(f"Step {number}:", timeout=60_000)
            if number == 2:
                page.click("summary:has-text('fault')")
                page.fill("[name=fault]", "no-such-fault")
                page.press("[name=fault]", "Enter")
                playwright.expect(page.locator("#told")).to_contain_text("there is no fault")
            if number == 3:
                page.fill("[name=fault]", "dns-stale")
                page.fill("[name=for]", "20")
                page.press("[name=for]", "Enter")
                playwright.expect(page.locator("#told")).to_contain_text("dns-stale strikes for 20 s")
                for one, name in ((page, "desktop"), (phone, "phone"), (dark, "dark")):
                    assert barriers(one) == []
                    keep(one, f"live-{name}")
            page.select_option("[name=alias]", alias)
            page.select_option("[name=lost]", "n")
            next_step.focus()
            page.keyboard.press("Enter")
        standing = page.locator("#standing [data-of=standing]")
        playwright.expect(standing).to_have_text(re.compile("pass|fail|inconclusive"), timeout=60_000)
        playwright.expect(page.locator("#connection")).to_have_text("the run is over")
        playwright.expect(phone.locator("#steps li.passed")).to_have_count(3)
        shown = standing.inner_text().lower()
    # 4: on a machine that is busy with a browser, requests may start late.
    assert {0: "pass", 4: "inconclusive"}.get(walk.returncode) == shown
    events = list(journal.read(tmp_path / "report" / "journal.ndjson"))
    assert [event.text for event in events if isinstance(event, journal.PageAct)] == [
        "next step; prediction: alias nlb, lost n",
        "next step; prediction: alias nlb, lost n",
        "fault dns-stale, for 20 s of production time",
        "next step; prediction: alias alb, lost n",
    ]
    assert [event.text for event in events if isinstance(event, journal.FaultStarted)] == ["dns-stale"]
