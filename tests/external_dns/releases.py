"""The releases that tests play where one of each kind will do: those whose code was read from end to end."""

from __future__ import annotations

from testbed.dated_releases import EXTERNAL_DNS_RELEASES

READ = ("v0.7.4", "v0.7.5", "v0.22.0")
OLDEST, NEWEST = EXTERNAL_DNS_RELEASES.oldest, EXTERNAL_DNS_RELEASES.newest
