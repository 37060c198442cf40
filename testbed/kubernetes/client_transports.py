"""The ways to the Kubernetes API: inside the process that serves it, and over HTTPS."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode, urlsplit

from testbed.errors import Missing
from testbed.kubernetes.api.dispatch import Answer, Call, Dispatch
from testbed.settings import PATIENCE

if TYPE_CHECKING:
    from testbed.clock import Clock
    from testbed.kubernetes.object_store import ObjectStore

_HTTPS_PORT = 443


class Transport(Protocol):
    """Brings a call to an API and its answer back."""

    def send(self, call: Call) -> Answer:
        """Return the answer, also if it is a refusal.

        Raises:
            Missing: the API does not answer.
        """


class InProcess:
    """The API on a store of this process: the same as `api_server`, without a network in between."""

    def __init__(self, store: ObjectStore, clock: Clock, *, seed: int = 0) -> None:
        self._dispatch = Dispatch(store, clock, seed=seed)

    def send(self, call: Call) -> Answer:
        """Return the answer, also if it is a refusal."""
        return self._dispatch.answer(call)


class Https:
    """An API that listens at an address, or at a Unix socket where no network leads to it.

    Args:
        kubeconfig: server, authority and token, in the form that `api.kubeconfig` writes.
        socket: where to connect instead of the server's address; the certificate is checked all the same.
    """

    def __init__(self, kubeconfig: Mapping[str, Any], socket: Path | None = None) -> None:
        cluster = kubeconfig["clusters"][0]["cluster"]
        self._server, self._socket = cluster["server"], socket
        self._token = kubeconfig["users"][0]["user"]["token"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._tls = ssl.create_default_context(cadata=authority)

    def send(self, call: Call) -> Answer:
        """Return the answer, also if it is a refusal.

        Raises:
            Missing: the API does not answer.
        """
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": call.content_type,
            "Accept": call.accept,
            "User-Agent": call.agent,
        }
        target = f"{call.path}?{urlencode(call.query)}" if call.query else call.path
        try:
            # One connection a call: a kept one may have been closed by a server that was restarted.
            with closing(_Connection(self._server, self._tls, self._socket)) as connection:
                connection.request(
                    call.method,
                    target,
                    call.body,
                    {name: value for name, value in headers.items() if value},
                )
                answer = connection.getresponse()
                body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise Missing(f"the Kubernetes API does not answer at {self._server}: {reason}") from None
        return Answer(answer.status, body, answer.headers.get("Content-Type", ""))


class _Connection(http.client.HTTPConnection):
    """HTTPS to the host of a URL, whose certificate it checks wherever it connects.

    Not httpx: at a Unix socket that refuses it leaks a socket each time (httpcore's `connect_unix_socket`).
    """

    def __init__(self, url: str, tls: ssl.SSLContext, path: Path | None) -> None:
        server = urlsplit(url)
        super().__init__(server.hostname or "", server.port or _HTTPS_PORT, timeout=PATIENCE.api_call)
        self._tls, self._path = tls, path

    def connect(self) -> None:
        """Connect, and agree on TLS."""
        if self._path is None:
            super().connect()
        else:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(self.timeout)
            self.sock.connect(str(self._path))
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)
