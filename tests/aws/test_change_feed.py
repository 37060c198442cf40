from __future__ import annotations

import asyncio
import threading

from testbed.aws.change_feed import ChangeFeed
from testbed.settings import PATIENCE


def test_a_service_has_a_revision_of_its_own() -> None:
    feed = ChangeFeed()
    feed.bump("route53")
    assert (feed.revision("route53"), feed.revision("elbv2")) == (1, 0)


def test_a_waiter_wakes_when_its_service_changes() -> None:
    feed = ChangeFeed()
    seen: list[int] = []
    waiter = threading.Thread(target=lambda: seen.append(feed.wait("elbv2", 0, PATIENCE.api_call)))
    waiter.start()
    feed.bump("route53")
    feed.bump("elbv2")
    waiter.join(PATIENCE.api_call)
    assert seen == [1]


def test_a_waiter_gives_up_in_time() -> None:
    assert ChangeFeed().wait("elbv2", 0, 0.0) == 0


async def test_a_coroutine_wakes_by_a_change_of_another_thread() -> None:
    feed = ChangeFeed()
    waiting = asyncio.create_task(feed.changed("elbv2", 0, PATIENCE.api_call))
    await asyncio.sleep(0)
    await asyncio.to_thread(feed.bump, "route53")
    await asyncio.to_thread(feed.bump, "elbv2")
    assert await waiting == 1


async def test_a_coroutine_gives_up_in_time() -> None:
    assert await ChangeFeed().changed("elbv2", 0, 0.0) == 0


async def test_a_change_in_the_past_needs_no_waiting() -> None:
    feed = ChangeFeed()
    feed.bump("acm")
    assert await feed.changed("acm", 0, 0.0) == 1
