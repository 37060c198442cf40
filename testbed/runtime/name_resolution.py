"""`dig` and `curl` that ask the DNS of the testbed, for a folder at the head of PATH.

```
DIR/dig   dig api.example.com                 ──►  dig @127.80.0.53 -p 5353 api.example.com
DIR/curl  curl https://api.example.com/       ──►  curl --connect-to api.example.com:443:127.80.10.1:8443 ...
```
A command of a runbook is typed as in production, where the resolver of the machine knows the name. Here that
resolver would answer for the real host, and the command would pass without the testbed.
"""

from __future__ import annotations

import ipaddress
import itertools
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from testbed.network import UNPRIVILEGED_FROM

ADDRESS, PORT, OFFSET = "TESTBED_DNS_ADDRESS", "TESTBED_DNS_PORT", "TESTBED_PORT_OFFSET"
NOT_RESOLVED = 6
"""curl's exit code."""
NO_REPLY = 9
"""dig's exit code."""
_URL = re.compile(
    r"(?:([a-z]+)://)?(?:[^/@\s]*@)?(\[[0-9a-f:.]+\]|[a-z0-9][a-z0-9.-]*)(?::(\d+))?(?:[/?#].*)?",
    re.IGNORECASE,
)
_DEFAULT_PORTS = {"https": 443, "http": 80, "": 80}
_DISCARD = 9

Resolve = Callable[[str], str | None]


def write(folder: Path) -> None:
    """Write those of the two that this machine has into a folder, which is made.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in ("dig", "curl"):
        if real := shutil.which(name):
            words = [sys.executable, "-m", "testbed.runtime.name_resolution", name, real]
            program = folder / name
            program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
            program.chmod(0o700)


def dig(words: Sequence[str], variables: Mapping[str, str]) -> list[str] | int:
    """Return the arguments of a dig that asks the testbed, or dig's exit code if they name another server."""
    own = f"@{variables[ADDRESS]}"
    if any(word.startswith("@") and word != own for word in words):
        return NO_REPLY
    return [own, "-p", variables[PORT], *words]


def curl(words: Sequence[str], variables: Mapping[str, str], resolve: Resolve) -> list[str] | int:
    """Return the arguments of a curl that connects to the testbed, or curl's exit code.

    Args:
        words: its arguments.
        variables: the environment; `OFFSET` is what a port below 1024 is moved by, as `network.port` does.
        resolve: returns the address of a name, or None.
    """
    routes: list[str] = []
    unresolved: list[str] = []
    given = set(_given(words))
    for scheme, host, port in _hosts(words):
        if host.lower() in given:
            continue
        address = host if _is_loopback(host) else resolve(host)
        if address is None:
            unresolved += [host] if scheme else []
            continue
        bound = port + int(variables[OFFSET]) if port < UNPRIVILEGED_FROM else port
        routes += ["--connect-to", f"{host}:{port}:{address}:{bound}"]
    if unresolved and not (routes or given):
        return NOT_RESOLVED
    # The first that fits counts. What is left, such as the host of a redirect, leads nowhere.
    return [*words, *routes, "--connect-to", f"::127.0.0.1:{_DISCARD}"]


def _given(words: Sequence[str]) -> Iterator[str]:
    """Yield the hosts that the arguments lead to this machine, as `--connect-to api:443:127.0.0.1:8443`."""
    for option, value in itertools.pairwise(words):
        parts = value.split(":")
        if option in {"--connect-to", "--resolve"} and len(parts) > 2 and _is_loopback(parts[2]):
            yield parts[0].lower()


def _hosts(words: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """Yield scheme, host and port of each word that may be a URL."""
    for word in words:
        found = None if word.startswith("-") else _URL.fullmatch(word)
        scheme = (found[1] or "").lower() if found else ""
        if found and scheme in _DEFAULT_PORTS and (scheme or "." in found[2]):
            yield scheme, found[2], int(found[3] or _DEFAULT_PORTS[scheme])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _resolved(variables: Mapping[str, str]) -> Resolve:
    # Imported here: dig needs no resolver of ours.
    import dns.exception
    import dns.resolver

    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [variables[ADDRESS]], int(variables[PORT])

    def resolve(host: str) -> str | None:
        try:
            return str(resolver.resolve(host, "A")[0])
        except dns.exception.DNSException:
            return None

    return resolve


def main(arguments: Sequence[str]) -> None:
    """Become dig or curl: NAME PATH ARGUMENT..."""
    name, program, *words = arguments
    variables = os.environ
    found = dig(words, variables) if name == "dig" else curl(words, variables, _resolved(variables))
    if not isinstance(found, int):
        os.execv(program, [name, *found])  # noqa: S606 the program that the user typed
    if name == "dig":
        sys.stderr.write(f"dig: in the testbed's environment only @{variables[ADDRESS]} is asked\n")
    else:
        host = next(host for scheme, host, _ in _hosts(words) if scheme)
        sys.stderr.write(f"curl: ({found}) Could not resolve host: {host} (asked the DNS of the testbed)\n")
    sys.exit(found)


if __name__ == "__main__":
    main(sys.argv[1:])
