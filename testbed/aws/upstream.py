"""The backend behind the endpoint: moto, or LocalStack, at a URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
import xmltodict

from testbed.aws import api_calls
from testbed.aws.answers import Answer
from testbed.aws.api_calls import Call
from testbed.settings import PATIENCE

# Headers of one connection, and those that the HTTP client sets itself.
_NOT_PASSED_ON = frozenset(
    {"host", "connection", "keep-alive", "transfer-encoding", "accept-encoding", "content-length", "expect"}
)
_VERSIONS = {"elbv2": "2015-12-01", "ec2": "2016-11-15"}
_MOST_KEPT = 1_000
"""Answers that are kept, at most: a caller may ask for ever other things and change nothing."""
_FORM = "application/x-www-form-urlencoded; charset=utf-8"


class Unavailable(Exception):
    """The backend does not answer; the text is the reason."""


class Upstream:
    """Forwards calls to the backend. Create and close it in the servers' loop.

    What a read of ELBv2 answered is kept until the next call that may change something, of whatever service:
    whoever waits for a condition asks the same many times a second, and all changes pass here. Route 53's
    front keeps its records itself, and the account of EC2 is made behind this endpoint.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._kept: dict[tuple[str, str, bytes], Answer] = {}
        self._keeps = True
        self._changes = 0
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=PATIENCE.api_call),
            auto_decompress=False,
            # Not kept alive: if the backend closed a connection at that moment, the call would be lost, and a
            # call that changes something must not be sent twice.
            # And no limit: by default the 101st call would wait for a free connection.
            connector=aiohttp.TCPConnector(force_close=True, limit=0),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def forward(self, call: Call, body: bytes | None = None) -> Answer:
        """Return the backend's answer to a call; `body` replaces the body of the call.

        Raises:
            Unavailable: the backend does not answer.
        """
        body = call.body if body is None else body
        if call.mutates:
            return await self._changed(call.method, call.path, call.headers, body)
        return await self._read(call.service, call.method, call.path, call.headers, body)

    async def get(self, call: Call, path: str) -> Answer:
        """Return the backend's answer to GET of a path, sent to the service of a call.

        Raises:
            Unavailable: the backend does not answer.
        """
        return await self._send("GET", path, call.headers, b"")

    async def query(self, call: Call, action: str, parameters: Mapping[str, str]) -> dict[str, Any] | None:
        """Return the result of an action of the query protocol; None if the backend refuses it.

        Raises:
            Unavailable: the backend does not answer.
        """
        answer = await self.raw_query(call, action, parameters)
        if not answer.is_ok:
            return None
        document = xmltodict.parse(answer.body, force_list=("member",))
        result: dict[str, Any] = document[f"{action}Response"][f"{action}Result"] or {}
        return result

    async def raw_query(self, call: Call, action: str, parameters: Mapping[str, str]) -> Answer:
        """Return the answer to an action of the query protocol, as it is.

        Raises:
            Unavailable: the backend does not answer.
        """
        form = {"Action": action, "Version": _VERSIONS.get(call.service, ""), **parameters}
        headers = {key: value for key, value in call.headers.items() if key.lower() != "content-type"}
        headers["Content-Type"] = _FORM
        body = urlencode(form).encode()
        if api_calls.only_reads(action):
            return await self._read(call.service, "POST", "/", headers, body)
        return await self._changed("POST", "/", headers, body)

    async def _read(
        self, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        if service != "elbv2" or not self._keeps:
            return await self._send(method, path, headers, body)
        key = api_calls.region_of(headers), path, body
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        changes = self._changes
        answer = await self._send(method, path, headers, body)
        # Not if something has changed meanwhile: the answer may be older than that.
        if answer.is_ok and self._keeps and changes == self._changes and len(self._kept) < _MOST_KEPT:
            self._kept[key] = answer
        return answer

    async def _changed(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            return await self._send(method, path, headers, body)
        except BaseException:
            # The backend may still do it, at a time that nobody learns.
            self._keeps = False
            raise
        finally:
            self._changes += 1
            self._kept.clear()

    async def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        passed = {key: value for key, value in headers.items() if key.lower() not in _NOT_PASSED_ON}
        try:
            async with self._session.request(
                method, self._url + path, data=body or None, headers=passed
            ) as answer:
                kind = answer.headers.get("Content-Type", "text/xml")
                return Answer(answer.status, await answer.read(), kind)
        except (aiohttp.ClientError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            raise Unavailable(f"the backend at {self._url} does not answer: {reason}") from None


def members(listed: Mapping[str, Any] | None) -> list[Any]:
    """Return the items of a list in the query protocol's XML, where an empty list has no element."""
    return list((listed or {}).get("member", ()))
