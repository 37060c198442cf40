"""Everything of an ALB that can change is changed under load and under one long stream: nothing may fail."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import grpc

from testbed import Cutover, scenario
from testbed.backend import grpc_methods
from testbed.backend._generated.measurement.v1 import measurement_pb2 as pb
from testbed.conditions import Condition, Observation, active, alias_at, only_served_by, served_by

HOST = "api.example.com"
MINUTE = 60
BETWEEN_MESSAGES_MS = 100
"""At any speed of the test's far less than the ALB's idle timeout."""


@scenario(
    "Rules, targets, certificate and group change under load",
    host=HOST,
    clients={"grpcio": 0.8, "ttl-pool": 0.2},
    manifests=["manifests/service.yaml"],
)
def changes(cutover: Cutover) -> None:
    with cutover.step("The ALB serves", why="Two Ingresses of one group, one name."):
        arn = cutover.request_certificate(HOST)
        cutover.apply("manifests/service.yaml")
        cutover.apply("manifests/ingresses.yaml", CERTIFICATE_ARN=arn)
        cutover.wait_until(active("alb"), within=5 * MINUTE)
        cutover.wait_until(alias_at("alb"), within=3 * MINUTE)
        cutover.hold(MINUTE)  # who asks too early remembers that there is no such name
        cutover.start_traffic()
        cutover.wait_until(served_by("alb"), within=2 * MINUTE)
        stream = Stream(cutover)
    with cutover.step("A rule more and one changed", why="Rules are routes: no listener is touched."):
        cutover.apply("manifests/more-rules.yaml", CERTIFICATE_ARN=arn)
        cutover.wait_until(rules(4), within=MINUTE)
        cutover.apply("manifests/ingresses.yaml", CERTIFICATE_ARN=arn)
        cutover.wait_until(rules(3), within=MINUTE)
    with cutover.step("A third Ingress joins the group", why="It must not disturb its neighbours."):
        cutover.apply("manifests/joining.yaml", CERTIFICATE_ARN=arn)
        cutover.wait_until(rules(4), within=MINUTE)
    with cutover.step("The certificate is rotated", why="Open connections keep the old one."):
        new = cutover.request_certificate(HOST, f"rotated.{HOST}")
        cutover.apply("manifests/ingresses.yaml", "manifests/joining.yaml", CERTIFICATE_ARN=new)
        cutover.wait_until(certificate(new), within=MINUTE)
    with cutover.step("A target goes and comes back", why="It drains: what it has begun, it ends."):
        pod = cutover.topology.cluster.store.get("Pod", "default", "envoy-1")
        assert pod is not None
        cutover.delete("pod/envoy-1")
        cutover.wait_until(targets(1), within=MINUTE)
        cutover.hold(MINUTE)
        cutover.topology.cluster.store.restore(dict(pod))
        cutover.wait_until(targets(2), within=MINUTE)
    with cutover.step("Nothing was lost", why="Neither a request nor a message."):
        cutover.hold(MINUTE)
        cutover.expect(only_served_by("alb"))
        cutover.expect(stream.is_whole(least=MINUTE))


class Stream:
    """One server stream through the ALB, from its making until it is asked about."""

    def __init__(self, cutover: Cutover) -> None:
        self._clock = cutover.topology.clock
        topology: Any = cutover.topology
        address = cutover.addresses(cutover.balancers("alb")[0])[0]
        trusted = grpc.ssl_channel_credentials(topology.bundle.read_bytes())
        named = [("grpc.ssl_target_name_override", HOST)]
        where = f"{address}:{topology.network.port(443)}"
        self._channel = grpc.secure_channel(where, trusted, named)
        # longer than the test: it is ended by the one who opened it
        wanted = pb.WatchMeasurementsRequest(id="foot-0", count=100_000, interval_ms=BETWEEN_MESSAGES_MS)
        watch = self._channel.unary_stream(grpc_methods.WATCH_MEASUREMENTS, None, pb.Measurement.FromString)
        self._began = self._clock.now()
        self._call = watch(wanted.SerializeToString())
        self._sequence: list[int] = []
        self._error = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def is_whole(self, *, least: float) -> Condition:
        """It still flows after production seconds, and no message is missing."""

        def look(_: Cutover) -> Observation:
            lasted = self._clock.now() - self._began
            broken = self._error
            self._call.cancel()
            self._reader.join()
            self._channel.close()
            seen = f"{len(self._sequence)} messages in {lasted:.0f} s {broken}"
            first = self._sequence[0] if self._sequence else 0
            in_order = self._sequence == list(range(first, first + len(self._sequence)))
            return Observation(bool(self._sequence) and in_order and not broken and lasted >= least, seen)

        return Condition("the stream has all its messages", look)

    def _read(self) -> None:
        try:
            for message in self._call:
                self._sequence.append(message.sequence)
            self._error = "and then it ended"
        except grpc.RpcError as error:
            self._error = str(error)


def _elbv2(text: str, look: Callable[[Any, Cutover], Observation]) -> Condition:
    return Condition(text, lambda cutover: look(cutover.topology.clients.elbv2, cutover))


def _listener(elbv2: Any, cutover: Cutover) -> dict[str, Any]:
    balancer = cutover.balancers("alb")[0].arn
    found: dict[str, Any] = elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"][0]
    return found


def rules(count: int) -> Condition:
    """The listener has so many rules beside the default one."""

    def look(elbv2: Any, cutover: Cutover) -> Observation:
        listener = _listener(elbv2, cutover)["ListenerArn"]
        found = [one for one in elbv2.describe_rules(ListenerArn=listener)["Rules"] if not one["IsDefault"]]
        return Observation(len(found) == count, f"{len(found)}")

    return _elbv2(f"the listener has {count} rules", look)


def certificate(arn: str) -> Condition:
    """The listener's default certificate is this one."""

    def look(elbv2: Any, cutover: Cutover) -> Observation:
        found = _listener(elbv2, cutover)["Certificates"][0]["CertificateArn"]
        return Observation(found == arn, found)

    return _elbv2("the listener has the new certificate", look)


def targets(count: int) -> Condition:
    """Each of the groups has so many healthy targets."""

    def look(elbv2: Any, _: Cutover) -> Observation:
        seen = []
        for group in elbv2.describe_target_groups()["TargetGroups"]:
            health = elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
            states = [one["TargetHealth"]["State"] for one in health["TargetHealthDescriptions"]]
            seen.append(states.count("healthy"))
        return Observation(set(seen) == {count}, str(seen))

    return _elbv2(f"each group has {count} healthy targets", look)
