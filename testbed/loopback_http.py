"""Requests to a part of this run, past every proxy of the user."""

from __future__ import annotations

import urllib.request

from testbed.settings import PATIENCE

# urllib reads http_proxy from the environment; a proxy knows nothing of this machine's loopback.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(url: str) -> bytes:
    """Return the body of an answer to a POST without a body.

    Raises:
        OSError: the part does not answer, or answers with a status from 400 on.
    """
    with _DIRECT.open(url, data=b"", timeout=PATIENCE.api_call) as answer:
        body: bytes = answer.read()
        return body


def get(url: str) -> bytes:
    """Return the body of an answer with a status below 400.

    Raises:
        OSError: the part does not answer, or answers with another status.
    """
    with _DIRECT.open(url, timeout=PATIENCE.api_call) as answer:
        body: bytes = answer.read()
        return body
