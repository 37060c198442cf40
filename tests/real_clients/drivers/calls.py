"""Calls a URL at an interval with one library, one call after another; prints each call as a line of JSON.

`calls.py LIBRARY URL EVERY COUNT`; it needs that library and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable

TIMEOUT = 5.0
WARM_UP = "http://127.0.0.2:8080/"
"""Called once before, so that the first call of the name does not include the library's own start."""


def with_requests(url: str) -> Callable[[], object]:
    import requests

    session = requests.Session()
    session.trust_env = False
    session.get(WARM_UP, timeout=TIMEOUT)
    return lambda: session.get(url, timeout=TIMEOUT).content


def with_urllib3(url: str) -> Callable[[], object]:
    import urllib3

    pool = urllib3.PoolManager(retries=False, timeout=TIMEOUT)
    pool.request("GET", WARM_UP)
    return lambda: pool.request("GET", url).data


def with_httpx(url: str) -> Callable[[], object]:
    import httpx

    client = httpx.Client(trust_env=False, timeout=TIMEOUT)
    client.get(WARM_UP)
    return lambda: client.get(url).content


def with_boto3(url: str) -> Callable[[], object]:
    import boto3

    client = boto3.client(
        "dynamodb",
        region_name="eu-west-1",
        endpoint_url=url,
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    return client.list_tables


def with_pycurl(url: str) -> Callable[[], object]:
    import pycurl

    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, url)
    handle.setopt(pycurl.TIMEOUT, int(TIMEOUT))
    handle.setopt(pycurl.WRITEFUNCTION, lambda _: None)
    return handle.perform


def report(at: float, problem: str) -> None:
    sys.stdout.write(json.dumps({"at": at, "ended": time.monotonic(), "problem": problem}) + "\n")
    sys.stdout.flush()


def call_each(call: Callable[[], object], every: float, count: int) -> None:
    began = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, began + number * every - time.monotonic()))
        at, problem = time.monotonic(), ""
        try:
            call()
        except Exception as error:  # noqa: BLE001  # whatever the library raises is a failed call
            problem = f"{type(error).__name__}: {error}"
        report(at, problem)


async def call_each_with_aiohttp(url: str, every: float, count: int) -> None:
    import aiohttp

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(TIMEOUT)) as session:
        async with session.get(WARM_UP) as response:
            await response.read()
        began = time.monotonic()
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number * every - time.monotonic()))
            at, problem = time.monotonic(), ""
            try:
                async with session.get(url) as response:
                    await response.read()
            except Exception as error:  # noqa: BLE001  # as above
                problem = f"{type(error).__name__}: {error}"
            report(at, problem)


def main(library: str, url: str, every: str, count: str) -> None:
    if library == "aiohttp":
        asyncio.run(call_each_with_aiohttp(url, float(every), int(count)))
    else:
        call_each(globals()[f"with_{library}"](url), float(every), int(count))


if __name__ == "__main__":
    main(*sys.argv[1:])
