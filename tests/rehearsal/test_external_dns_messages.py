"""Whether the absence of a message says something."""

from __future__ import annotations

import pytest

from testbed.rehearsal.external_dns_messages import BEGINNINGS, doubt

LOG = [
    "Endpoints generated from ingress: shop/web: [api.example.com 0 IN CNAME  a.elb.amazonaws.com []]",
    "Desired change: UPSERT api.example.com A [Id: /hostedzone/Z1]",
]
NAMES = ("api.example.com", "example.com", "shop/web", "shop/envoy")


@pytest.mark.parametrize(
    "text",
    [
        *BEGINNINGS,
        "Desired change: DELETE api.example.com A",
        "Endpoints generated from service: shop/envoy",
        "Endpoints generated from ingress: shop/we",
        "a.elb.amazonaws.com",
        "InvalidChangeBatch",
        "Desired change: UPSERT example.com",
        "Desired change: UPSERT api.example.com AAAA",
        "DELETE api.example.com TXT [Id: /hostedzone/Z1]",
        "Failure in zone example.com.",
    ],
)
def test_a_message_that_external_dns_logs_leaves_no_doubt(text: str) -> None:
    assert doubt(text, LOG, NAMES) == ""


@pytest.mark.parametrize(
    "text",
    [
        "typo",
        "Desired chnage: DELETE",
        "Desired change: REMOVE",
        "Failure in zoen",
        "Desired change: DELETE a.b",
        "Desired change: DELETED",
        "Desired change: DELETE  api.example.com",
        "Desired change: DELETE api.example.com a",
        "Desired change: DELETE api.example.com B",
        "Desired change: DELETE api.exampl A",
        "Desired change: DELETE api A",
        "Desired change: DELETE shop/web",
        "UPSERT api.example.com a",
        "Failure in zones",
        "Failure in zone  example.com",
        "Failure in zone example.co .",
        "Endpoints generated from ingres: shop/web",
    ],
)
def test_a_slip_of_the_pen_does(text: str) -> None:
    assert doubt(text, LOG, NAMES)


def test_a_message_of_another_release_is_known_by_its_beginning_in_this_run() -> None:
    assert doubt("Reconciling shard nine", ["Reconciling shard eight"], ()) == ""
    assert doubt("Reconciling shrad nine", ["Reconciling shard eight"], ())
