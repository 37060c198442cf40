"""Envoy's HTTP fault filter in the targets: runtime keys that the admin interface sets.

Every target has the filter; without keys it lets all pass.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from testbed import loopback_http


@contextmanager
def set_in(admins: Sequence[str], keys: Mapping[str, int]) -> Iterator[None]:
    """Set runtime keys of some Envoys while the block lasts.

    Args:
        admins: URLs of their admin interfaces.
        keys: the keys with their values.
    """
    try:
        _modify(admins, keys)
        yield
    finally:
        # An Envoy that does not answer is dead, and one that starts anew has no keys.
        with suppress(OSError):
            _modify(admins, dict.fromkeys(keys, 0))


def _modify(admins: Sequence[str], keys: Mapping[str, int]) -> None:
    query = urllib.parse.urlencode(keys)
    for admin in admins:
        loopback_http.post(f"{admin}/runtime_modify?{query}")
