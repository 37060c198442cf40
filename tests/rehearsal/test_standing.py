"""What stands before the first step, on a topology that does nothing by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from testbed import journal
from testbed.balancer_identity import BalancerIdentity
from testbed.clock import Clock
from testbed.errors import BadInput
from testbed.lb_controller.core.helm_chart import INGRESS_CLASS
from testbed.rehearsal import standing
from testbed.rehearsal.scenario import StandingBalancer
from tests.rehearsal.still_topology import StillTopology

SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: envoy
  annotations: {service.beta.kubernetes.io/aws-load-balancer-type: nlb}
spec: {type: LoadBalancer, selector: {app: envoy}, ports: [{port: 443, targetPort: 8443}]}
"""
FOREIGN = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {ingressClassName: nginx, defaultBackend: {service: {name: envoy, port: {number: 443}}}}
"""
MADE = BalancerIdentity("one.elb.ap-northeast-1.amazonaws.com", "nlb", owner="service/default/envoy")


@pytest.fixture
def quick(still_topology: StillTopology, monkeypatch: pytest.MonkeyPatch) -> StillTopology:
    """A topology on which nobody waits long for what never comes."""
    monkeypatch.setattr(standing, "PATIENCE", replace(standing.PATIENCE, api_call=0.0))
    still_topology.clock = Clock(100_000.0)
    (still_topology.folder / "nlb.yaml").write_text(SERVICE + "---\n" + FOREIGN)
    return still_topology


def test_what_a_scenarios_manifests_hold_is_applied_before_the_first_step(quick: StillTopology) -> None:
    quick.had.append(MADE)
    standing.let_stand(quick.cutover(manifests=("nlb.yaml",)))
    assert quick.cluster.objects.get("Service", "default", "envoy")
    (act,) = quick.events(journal.Action)
    assert (act.step, act.text) == (0, "apply nlb.yaml")


def test_a_scenario_without_manifests_begins_with_nothing(quick: StillTopology) -> None:
    standing.let_stand(quick.cutover())
    assert not quick.events(journal.Action)
    assert quick.calls == ["the story begins"]


def test_the_story_begins_only_when_the_balancers_of_before_are_made(quick: StillTopology) -> None:
    quick.clock = Clock(500.0)
    looks: list[int] = []

    def balancers() -> list[BalancerIdentity]:
        looks.append(len(quick.calls))
        return [MADE] if len(looks) > 2 else []

    quick.balancers = balancers  # type: ignore[method-assign]
    standing.make(quick.cutover(manifests=("nlb.yaml",)))
    assert looks == [0, 0, 0]
    assert quick.calls == ["the story begins"]


def test_the_story_begins_at_last_though_a_balancer_never_comes(quick: StillTopology) -> None:
    standing.let_stand(quick.cutover(manifests=("nlb.yaml",)))
    assert quick.calls == ["the story begins"]


def test_a_person_who_starts_the_controller_has_all_the_time_and_is_told(quick: StillTopology) -> None:
    looks: list[int] = []

    def balancers() -> list[BalancerIdentity]:
        looks.append(1)
        return [MADE] if len(looks) > 4 else []

    quick.balancers = balancers  # type: ignore[method-assign]
    told: list[str] = []
    standing.make(quick.cutover(manifests=("nlb.yaml",), lb_controller="none"), told.append)
    wait = "wait for your AWS Load Balancer Controller to make that of service/default/envoy"
    assert told == [wait]
    looks.clear()
    standing.make(quick.cutover(manifests=("nlb.yaml",), lb_controller="none"))
    assert wait in [event.text for event in quick.events(journal.Action)]


def test_nobody_waits_for_the_balancer_of_another_controller(quick: StillTopology) -> None:
    scenario = quick.cutover(manifests=("nlb.yaml",)).scenario
    assert standing.owners_before(scenario, "v3") == {"service/default/envoy"}


def test_manifests_that_lack_a_value_are_refused_in_their_own_line(quick: StillTopology) -> None:
    (quick.folder / "nlb.yaml").write_text(SERVICE.replace("nlb}", "'${KIND}'}"))
    with pytest.raises(BadInput, match=r"nlb.yaml:5: no value for 'KIND'"):
        standing.make(quick.cutover(manifests=("nlb.yaml",)))


@pytest.mark.parametrize(
    ("owners", "balancers", "made"),
    [
        ((), (), True),
        (("service/default/envoy",), (), False),
        (("service/default/envoy",), (MADE,), True),
        (("service/default/envoy", "ingress-group/web"), (MADE,), False),
    ],
)
def test_balancers_are_made_when_each_owner_has_one(owners: Any, balancers: Any, made: bool) -> None:
    assert standing.are_made(owners, balancers) is made


def test_a_balancer_of_another_controller_stands_before_the_first_step(
    quick: StillTopology, monkeypatch: pytest.MonkeyPatch
) -> None:
    cutover = quick.cutover(manifests=("nlb.yaml",))
    address = "web-0123456789abcdef.elb.eu-west-1.amazonaws.com"
    standing_one = StandingBalancer("ingress/web", target_port=8443, address=address)
    cutover.scenario = replace(cutover.scenario, balancers=(standing_one,))
    made: list[tuple[str, object]] = []
    monkeypatch.setattr(
        cutover, "foreign_balancer", lambda name, **given: made.append((name, given["target_port"]))
    )
    assert standing.owners_before(cutover.scenario, "v3") == {"service/default/envoy", "ingress/default/web"}
    standing.make(cutover)
    assert made == [("ingress/web", 8443)]


def test_a_class_of_the_users_cluster_takes_the_place_of_the_helm_charts(quick: StillTopology) -> None:
    own = (
        "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: alb}\n"
        "spec: {controller: eks.amazonaws.com/alb}\n"
    )
    (quick.folder / "nlb.yaml").write_text(own)
    quick.store.create(dict(INGRESS_CLASS))
    quick.cutover(manifests=("nlb.yaml",)).apply_standing()
    standing_one = quick.cluster.objects.get("IngressClass", "", "alb")
    assert standing_one["spec"]["controller"] == "eks.amazonaws.com/alb"
