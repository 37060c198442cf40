"""The backend behind the endpoint: moto, or LocalStack, at a URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
import xmltodict

from testbed.aws.answers import Answer
from testbed.aws.calls import Call
from testbed.settings import PATIENCE

_NOT_PASSED_ON = frozenset(
    {"host", "connection", "keep-alive", "transfer-encoding", "accept-encoding", "content-length", "expect"}
)
_FORM = "application/x-www-form-urlencoded; charset=utf-8"


class Unavailable(Exception):
    """The backend does not answer; the text says why."""


class Upstream:
    """Sends calls on. Make and close it inside the servers' loop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=PATIENCE.api_call),
            auto_decompress=False,
            # A kept connection that the backend closes at that moment would lose a call that must not be
            # sent twice.
            connector=aiohttp.TCPConnector(force_close=True, limit=0),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def forward(self, call: Call, body: bytes | None = None) -> Answer:
        """The backend's answer to a call, with another body if given.

        Raises:
            Unavailable: it does not answer.
        """
        return await self._send(call.method, call.path, call.headers, call.body if body is None else body)

    async def get(self, call: Call, path: str) -> Answer:
        """The backend's answer to GET of a path of the service that the call asks.

        Raises:
            Unavailable: it does not answer.
        """
        return await self._send("GET", path, call.headers, b"")

    async def query(self, call: Call, action: str, parameters: Mapping[str, str]) -> dict[str, Any] | None:
        """The result of an action of the query protocol, or None if the backend refuses it.

        Raises:
            Unavailable: it does not answer.
        """
        form = {"Action": action, "Version": call.form.get("Version", ""), **parameters}
        headers = {key: value for key, value in call.headers.items() if key.lower() != "content-type"}
        headers["Content-Type"] = _FORM
        answer = await self._send("POST", "/", headers, urlencode(form).encode())
        if not answer.is_ok:
            return None
        document = xmltodict.parse(answer.body, force_list=("member",))
        result: dict[str, Any] = document[f"{action}Response"][f"{action}Result"] or {}
        return result

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
    """The items of a list in the query protocol's XML; an empty list has no element."""
    return list((listed or {}).get("member", ()))
