from __future__ import annotations

from collections import Counter


def test_every_kind_of_request_is_served_and_accounted_for(world, balancers, traffic):
    (balancer,) = balancers(1)
    world.names.addresses = [balancer.address]
    running = traffic(rate=200.0)
    running.wait_for_more(300)
    stopped = running.stop()

    requests = running.requests()
    assert Counter(request.outcome for request in requests) == {"ok": stopped.scheduled}, [
        r for r in requests if r.outcome != "ok"
    ][:3]
    assert stopped.sent == stopped.finished == stopped.scheduled == len(requests)
    assert {request.shape for request in requests} == {"unary", "server_stream", "client_stream", "bidi"}
    assert {request.peer for request in requests} == {balancer.address}
