from __future__ import annotations

from typing import Any

from testbed.dated_releases import EXTERNAL_DNS_RELEASES
from testbed.external_dns.offline.hosted_zones_in_memory import InitialZone
from testbed.external_dns.offline.reached_sync import ORDERS, Outcome, State, outcome, reached
from testbed.external_dns.process import flags

NEW = EXTERNAL_DNS_RELEASES["v0.21.0"]
FLAGS = flags.parse(["--source=service", "--policy=sync", "--registry=noop"], NEW, {})
ZONE = InitialZone("example.com", "/hostedzone/Z1")


def service(name: str, target: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": "default",
            "annotations": {"external-dns.alpha.kubernetes.io/hostname": "api.example.com"},
        },
        "spec": {"type": "LoadBalancer"},
        "status": {"loadBalancer": {"ingress": [{"hostname": target}]}},
    }


def create(target: str, **more: Any) -> dict[str, Any]:
    record = {
        "Name": "api.example.com",
        "Type": "CNAME",
        "TTL": 300,
        "ResourceRecords": [{"Value": target}],
        **more,
    }
    return {"Action": "CREATE", "ResourceRecordSet": record}


def sent(*changes: dict[str, Any], refused: bool = False, failed: bool = False) -> Outcome:
    return outcome([(changes, refused)], failed=failed)


def test_what_every_order_does_is_reached_at_once() -> None:
    state = State((service("one", "a.example.net"),), (ZONE,))
    wanted = sent(create("a.example.net"))
    assert reached(state, FLAGS, NEW, wanted) == (wanted,)


def test_where_the_order_plays_no_role_there_is_one_outcome() -> None:
    state = State((service("one", "a.example.net"), service("two", "b.example.net")), (ZONE,))
    # The smaller target wins where two Services claim a name, so the order plays no role here.
    first, second = sent(create("a.example.net")), sent(create("b.example.net"))
    assert reached(state, FLAGS, NEW, first) == (first,)
    assert second not in reached(state, FLAGS, NEW, second)


def test_the_order_decides_which_resource_a_txt_names() -> None:
    own = flags.parse(["--source=ingress", "--policy=sync", "--txt-owner-id=me"], NEW, {})
    objects = [
        {
            **service(name, "a.example.net"),
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "spec": {},
        }
        for name in ("one", "two")
    ]
    state = State(tuple(objects), (ZONE,))
    anything = outcome([], failed=True)
    both = reached(state, own, NEW, anything)
    assert len(both) == 2
    assert all(reached(state, own, NEW, one)[-1] == one for one in both)


def test_what_no_order_does_is_not_reached() -> None:
    state = State((service("one", "a.example.net"),), (ZONE,))
    for wanted in (
        sent(create("b.example.net")),
        sent(create("a.example.net"), refused=True),
        sent(create("a.example.net"), failed=True),
        sent(create("a.example.net", SetIdentifier="x", Weight=1)),
        outcome([], failed=False),
    ):
        assert wanted not in reached(state, FLAGS, NEW, wanted)


def test_calls_are_equal_whatever_their_spelling_and_order() -> None:
    one, other = create("a.example.net"), create("b.example.net", Name="WEB.example.com.")
    spelt = create("b.example.net", Name="web.example.com", TTL="300")
    assert outcome([((one, other), False)], failed=False) == outcome([((spelt, one), False)], failed=False)
    assert outcome([((one,), False), ((other,), False)], failed=False) != outcome(
        [((one, other), False)], failed=False
    )


def test_an_empty_cluster_sends_nothing_in_any_order() -> None:
    state = State((), (ZONE,))
    nothing = outcome([], failed=False)
    assert reached(state, FLAGS, NEW, nothing) == (nothing,)
    assert ORDERS > 1
