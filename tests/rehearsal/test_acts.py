"""An operator's acts: what each does, and what it leaves in the journal."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from moto import settings

from testbed import journal
from testbed.balancer_identity import BalancerIdentity
from testbed.errors import BadInput, Missing
from testbed.faults import KILL
from testbed.rehearsal.acts import Acts
from testbed.rehearsal.step_recorder import StepFailed
from testbed.settings import REGION
from tests.rehearsal.still_topology import StillTopology


def load_balancer(topology: StillTopology, name: str, kind: str) -> dict[str, Any]:
    ec2 = boto3.client("ec2", region_name=REGION)
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    made = topology.clients.elbv2.create_load_balancer(Name=name, Type=kind, Subnets=[subnet])
    found: dict[str, Any] = made["LoadBalancers"][0]
    return found


def actions(topology: StillTopology) -> list[str]:
    return [event.text for event in topology.events(journal.Action)]


def test_a_cutover_acts() -> None:
    assert {"apply", "delete", "annotate", "change_alias", "run", "fault"} <= set(dir(Acts))


def test_starting_and_stopping_the_traffic_are_events_with_the_rate(still_topology: StillTopology) -> None:
    cutover = still_topology.cutover()
    with cutover.step("s", why="w"):
        cutover.start_traffic()
        cutover.stop_traffic()
    (started,) = still_topology.events(journal.TrafficStarted)
    (stopped,) = still_topology.events(journal.TrafficStopRequested)
    assert (started.step, started.rate, stopped.step) == (1, 40.0, 1)
    assert still_topology.calls == ["start 40", "stop"]
    assert actions(still_topology) == ["start 40 requests per second", "stop the traffic"]


def test_traffic_that_was_stopped_cannot_start_again(still_topology: StillTopology) -> None:
    cutover = still_topology.cutover()
    cutover.start_traffic()
    cutover.stop_traffic()
    with pytest.raises(BadInput, match="the traffic has stopped and cannot start again"):
        cutover.start_traffic()
    assert still_topology.calls == ["start 40", "stop"]


def test_external_dns_is_upgraded_with_the_flags_of_the_scenario_or_with_others(
    still_topology: StillTopology,
) -> None:
    cutover = still_topology.cutover(external_dns=("--source=service",))
    cutover.upgrade_external_dns("0.22.0-debian-12-r3")
    cutover.upgrade_external_dns("v0.7.4", flags=["--source=ingress"])
    new, old = still_topology.calls
    assert new.endswith(" --source=service")
    assert old == "v0.7.4 --source=ingress"
    assert actions(still_topology)[1] == "upgrade ExternalDNS to v0.7.4"


@pytest.mark.parametrize(
    ("flags", "release", "words"),
    [
        ((), "v0.22.0", "the scenario has no ExternalDNS"),
        (("--source=service",), "v0.13.3", "cutover.upgrade_external_dns: there is no ExternalDNS v0.13.3"),
    ],
)
def test_what_cannot_be_upgraded_is_bad_input_and_no_act(
    still_topology: StillTopology, flags: tuple[str, ...], release: str, words: str
) -> None:
    cutover = still_topology.cutover(external_dns=flags)
    with pytest.raises(BadInput, match=words):
        cutover.upgrade_external_dns(release)
    assert (still_topology.calls, actions(still_topology)) == ([], [])


def test_the_alias_is_changed_to_the_one_balancer_of_a_type(still_topology: StillTopology) -> None:
    cutover = still_topology.cutover()
    still_topology.clients.route53.create_hosted_zone(Name="example.com", CallerReference="1")
    nlb = load_balancer(still_topology, "envoy", "network")
    cutover.change_alias("nlb", action="CREATE")
    target = cutover.alias()
    assert target is not None
    assert target.dns_name == nlb["DNSName"]
    assert actions(still_topology) == [
        "route53 change-resource-record-sets: CREATE api.example.com A, alias of the NLB"
    ]


@pytest.mark.parametrize("count", [0, 2])
def test_an_alias_of_no_balancer_or_of_several_cannot_be_written(
    still_topology: StillTopology, count: int
) -> None:
    for number in range(count):
        load_balancer(still_topology, f"envoy-{number}", "network")
    with pytest.raises(BadInput, match=f"there are {count} NLBs, so the alias of one cannot be written"):
        still_topology.cutover().change_alias("nlb")
    assert actions(still_topology) == []


@pytest.fixture
def validated(still_topology: StillTopology, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zone for validation records, and a moto that issues at once."""
    monkeypatch.setattr(settings, "ACM_VALIDATION_WAIT", 0)
    still_topology.clients.route53.create_hosted_zone(Name="example.com", CallerReference="zone")


@pytest.mark.usefixtures("validated")
def test_a_certificate_is_found_again_by_its_name(still_topology: StillTopology) -> None:
    cutover = still_topology.cutover()
    arn = cutover.request_certificate("api.example.com", "www.example.com")
    assert cutover.certificate_arn("api.example.com") == arn
    with pytest.raises(BadInput, match=r"ACM has no certificate for www\.example\.com"):
        cutover.certificate_arn("www.example.com")


def test_a_command_returns_its_output_and_is_in_the_journal(still_topology: StillTopology) -> None:
    done = still_topology.cutover().run("echo done")
    assert (done.status, done.stdout) == (0, "done\n")
    (command,) = still_topology.events(journal.Command)
    assert (command.command, command.status, command.stdout) == ("echo done", 0, "done\n")


def test_a_command_that_fails_is_a_failed_expectation_with_its_last_line(
    still_topology: StillTopology,
) -> None:
    cutover = still_topology.cutover()
    with pytest.raises(StepFailed):
        cutover.run("echo no such record >&2; exit 3", shell="sh")
    (failed,) = still_topology.events(journal.Expectation)
    assert (failed.passed, failed.detail) == (False, "status 3: no such record")
    assert cutover.has_failed


def test_a_program_that_is_not_there_is_missing(still_topology: StillTopology) -> None:
    with pytest.raises(Missing, match="no-such-program is not on this machine"):
        still_topology.cutover().run("no-such-program --flag")


@pytest.mark.usefixtures("validated")
def test_a_sync_that_began_before_the_action_does_not_count_as_its_sync(
    still_topology: StillTopology,
) -> None:
    cutover = still_topology.cutover()
    still_topology.syncs = (3, 2)
    cutover.request_certificate("api.example.com")
    still_topology.syncs = (3, 3)
    assert cutover.syncs_since_action() == 0
    still_topology.syncs = (4, 4)
    assert cutover.syncs_since_action() == 1


def test_a_fault_has_its_begin_and_its_end_in_the_journal(still_topology: StillTopology) -> None:
    with still_topology.cutover().fault(KILL, "envoy-0"):
        assert actions(still_topology) == ["kill envoy-0"]
    assert actions(still_topology) == ["kill envoy-0", "end of kill envoy-0"]
    assert still_topology.calls == ["kill envoy-0 begins", "kill envoy-0 ends"]


@pytest.mark.parametrize("name", ["envoy", "deployment/envoy", ""])
def test_an_object_that_is_not_named_by_kind_and_name_is_bad_input(
    still_topology: StillTopology, name: str
) -> None:
    with pytest.raises(BadInput, match="names no object; write KIND/NAME"):
        still_topology.cutover().delete(name)


SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations: {mine: "1"}
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{port: 443, targetPort: 8443}]
"""


def stored_service(topology: StillTopology) -> dict[str, Any]:
    found = topology.store.get("Service", "default", "web")
    assert found
    return found


def test_applying_again_keeps_what_was_patched_as_kubectl_does(still_topology: StillTopology) -> None:
    (still_topology.folder / "service.yaml").write_text(SERVICE)
    cutover = still_topology.cutover()
    cutover.apply("service.yaml")
    spec = {"externalTrafficPolicy": "Local", "loadBalancerSourceRanges": ["10.0.0.0/8"]}
    still_topology.store.patch("Service", "default", "web", {"spec": spec})
    patched = stored_service(still_topology)
    cutover.apply("service.yaml")
    assert stored_service(still_topology) == patched
    assert spec.items() <= patched["spec"].items()


def test_an_object_is_annotated_and_deleted(still_topology: StillTopology) -> None:
    (still_topology.folder / "service.yaml").write_text(SERVICE)
    cutover = still_topology.cutover()
    cutover.apply("service.yaml")
    cutover.annotate("service/web", {"mine": None, "theirs": "2"})
    annotations = stored_service(still_topology)["metadata"]["annotations"]
    assert "mine" not in annotations
    assert annotations["theirs"] == "2"
    cutover.delete("svc/web")
    assert still_topology.store.list("Service") == []
    assert actions(still_topology) == [
        *("apply service.yaml", "annotate service/web mine- theirs=2", "delete svc/web"),
    ]


def test_the_report_names_an_annotation_that_is_removed_and_was_not_there(
    still_topology: StillTopology,
) -> None:
    (still_topology.folder / "service.yaml").write_text(SERVICE)
    cutover = still_topology.cutover()
    cutover.apply("service.yaml")
    before = stored_service(still_topology)
    cutover.annotate("service/web", {"misspelt": None})
    assert stored_service(still_topology) == before
    assert actions(still_topology)[-1] == "annotate service/web misspelt- (it has no misspelt)"


def test_one_text_is_no_list_of_objects(still_topology: StillTopology) -> None:
    with pytest.raises(
        BadInput, match=r"only='service/web' is one text, not a list; write only=\['service/web'\]"
    ):
        still_topology.cutover().apply("service.yaml", only="service/web")


def test_a_refusal_of_the_api_names_the_line_of_the_manifest(still_topology: StillTopology) -> None:
    (still_topology.folder / "service.yaml").write_text(SERVICE)
    still_topology.cutover().apply("service.yaml")
    changed = SERVICE.replace("spec:\n", "spec:\n  clusterIP: 10.100.0.9\n")
    (still_topology.folder / "service.yaml").write_text(f"# a comment\n---\n{changed}")
    with pytest.raises(BadInput, match=r"service\.yaml:3: .*clusterIP"):
        still_topology.cutover().apply("service.yaml")


def test_a_namespace_that_the_cluster_lacks_is_created_and_the_report_says_so(
    still_topology: StillTopology,
) -> None:
    text = SERVICE.replace("name: web", "name: web\n  namespace: shop", 1)
    assert text != SERVICE
    (still_topology.folder / "service.yaml").write_text(text)
    cutover = still_topology.cutover()
    cutover.apply("service.yaml")
    cutover.apply("service.yaml")
    assert [one["metadata"]["name"] for one in still_topology.store.list("Service", "shop")] == ["web"]
    acts = [event.text for event in still_topology.events(journal.Action)]
    assert acts == ["apply service.yaml (creates the namespace shop)", "apply service.yaml"]


def test_an_object_that_is_not_there_is_refused_in_the_apis_words(still_topology: StillTopology) -> None:
    for act in (
        lambda: still_topology.cutover().annotate("service/web", {"a": "1"}),
        lambda: still_topology.cutover().delete("service/web"),
    ):
        with pytest.raises(BadInput, match=r'^services "web" not found$'):
            act()


def test_a_name_that_is_given_means_the_one_balancer_that_there_is(still_topology: StillTopology) -> None:
    cutover = still_topology.cutover()
    still_topology.had = [BalancerIdentity("a.elb.example.com", "nlb", owner="service/shop/envoy")]
    cutover.balancer("old", "service/shop/envoy")
    still_topology.had.append(BalancerIdentity("b.elb.example.com", "nlb", owner="service/shop/envoy"))
    assert [one.dns_name for one in cutover.names.resolve("old")] == ["a.elb.example.com"]
    (named,) = still_topology.events(journal.BalancerNamed)
    assert (named.name, named.balancer) == ("old", "a.elb.example.com")
    with pytest.raises(BadInput, match="service/shop/envoy has made 2 load balancers; write old or"):
        cutover.balancer("new", "service/shop/envoy")


def test_a_name_that_is_given_early_means_the_first_that_comes(still_topology: StillTopology) -> None:
    cutover = still_topology.cutover()
    cutover.balancer("new", "ingress/shop/web")
    assert cutover.names.resolve("new") == ()
    still_topology.had = [BalancerIdentity("a.elb.example.com", "alb", owner="ingress/shop/web")]
    assert list(cutover.names.by_name) == ["new"]
    cutover.balancer("new", "ingress/shop/web")  # again, e.g. by a function that two steps call
    assert list(cutover.names.by_name) == ["new"]
