"""A client of one service of the composed topology, over TCP or a Unix socket; it waits for each answer."""

from __future__ import annotations

import http.client
import socket
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson

from testbed.errors import Missing
from testbed.runtime.compose import run_messages
from testbed.settings import PATIENCE

RUN = "x-testbed-run"
"""The header with the id of the run that asks."""
REFUSED = 409
"""The status of an answer that carries a `TestbedError`."""


class Service:
    """A service at `http://address:port` or `unix:/path`.

    Args:
        name: of the service in docker-compose.yml, for error messages.
        url: the address at which it listens.
        run: the id of the run that asks; the service may have gone on to another one.
    """

    def __init__(self, name: str, url: str, run: str = "") -> None:
        self._name, self._url = name, url
        self._headers = {RUN: run} if run else {}

    def get(self, path: str, **parameters: str | int) -> Any:
        """Return the JSON that a path answers with.

        Raises:
            TestbedError: the error that the service answers with; `Missing` if it does not answer.
        """
        return orjson.loads(self.raw(path, **parameters))

    def raw(self, path: str, **parameters: str | int) -> bytes:
        """Return the bytes that a path answers with; raises as `get` does."""
        return self._ask("GET", f"{quote(path)}?{urlencode(parameters)}" if parameters else path)

    def send(self, method: str, path: str, document: Any = None, seconds: float = PATIENCE.api_call) -> Any:
        """Send a JSON document and return the JSON answer; raises as `get` does."""
        return orjson.loads(self._ask(method, path, orjson.dumps(document), seconds))

    def _ask(
        self, method: str, path: str, body: bytes | None = None, seconds: float = PATIENCE.api_call
    ) -> bytes:
        connection = self._connection(seconds)
        try:
            connection.request(method, path, body, self._headers)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise Missing(
                f"the service `{self._name}` does not answer at {self._url}: {reason}",
                do=f"start it with `docker compose up`, or look at `docker compose logs {self._name}`",
            ) from None
        finally:
            connection.close()
        if answer.status == REFUSED:
            raise run_messages.raised(orjson.loads(data))
        if answer.status != http.HTTPStatus.OK:
            raise Missing(f"the service `{self._name}` answers {method} {path} with {answer.status}")
        return data

    def _connection(self, seconds: float) -> http.client.HTTPConnection:
        place = urlsplit(self._url)
        if place.scheme == "unix":
            return _UnixConnection(place.path, seconds)
        return http.client.HTTPConnection(place.hostname or "", place.port, seconds)


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
