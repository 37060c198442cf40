"""The account that `control` sees: certificates and notices of changes, over HTTP."""

from __future__ import annotations

import threading

import pytest

from testbed.aws.change_feed import ChangeFeed
from testbed.rehearsal.certificates import issued
from testbed.runtime.compose.remote_account import RemoteCertificates, follow_changes
from testbed.runtime.compose.service_client import Service
from tests.made_setups import PLAIN
from tests.runtime.compose.conftest import Begin, Services, until


def test_a_certificate_is_fetched_once(services: Services, begin: Begin) -> None:
    arn = issued(begin(PLAIN), ["api.example.com"])
    certificates = RemoteCertificates(services.aws)
    chain, key = certificates.get(arn)
    assert b"BEGIN CERTIFICATE" in chain
    assert b"PRIVATE KEY" in key
    certificates._aws = Service("gone", "http://127.0.0.1:9")
    assert certificates.get(arn) == (chain, key)


def test_a_certificate_that_does_not_exist_is_a_key_error(services: Services, begin: Begin) -> None:
    begin(PLAIN)
    with pytest.raises(KeyError):
        RemoteCertificates(services.aws).get("arn:aws:acm:nowhere")


def test_a_change_of_the_account_reaches_the_feed(services: Services, begin: Begin) -> None:
    clients = begin(PLAIN).clients
    feed, stop = ChangeFeed(), threading.Event()
    following = threading.Thread(target=follow_changes, args=[services.aws, feed, stop], daemon=True)
    following.start()
    clients.route53.create_hosted_zone(Name="example.net", CallerReference="feed")
    assert until(lambda: feed.revision("route53") > 0)
    before = feed.revision("acm")
    clients.acm.request_certificate(DomainName="api.example.com")
    assert until(lambda: feed.revision("acm") > before)
    stop.set()
    clients.acm.request_certificate(DomainName="b.example.com")  # wakes the last question
    following.join(10)
    assert not following.is_alive()
