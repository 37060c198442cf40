from __future__ import annotations

from testbed.kubernetes.event_objects import event_about
from tests.kubernetes.manifests_of_the_story import service

NOW = "2021-02-10T12:00:00Z"
ITEM = {**service(), "metadata": {"name": "envoy", "namespace": "prod", "uid": "u-1"}}


def test_an_event_points_to_its_object_and_its_reporter() -> None:
    event = event_about(ITEM, "Warning", "FailedBuildModel", "no subnets", "service", NOW)
    assert event["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "Service",
        "name": "envoy",
        "namespace": "prod",
        "uid": "u-1",
    }
    assert (event["type"], event["reason"], event["source"]) == (
        "Warning",
        "FailedBuildModel",
        {"component": "service"},
    )
    assert (event["count"], event["firstTimestamp"], event["lastTimestamp"]) == (1, NOW, NOW)
    assert event["metadata"]["namespace"] == "prod"


def test_only_equal_events_have_the_same_name() -> None:
    def name(*words: str, now: str = NOW) -> str:
        return str(event_about(ITEM, *words, now)["metadata"]["name"])

    first = name("Normal", "Ready", "it is ready", "service")
    assert first.startswith("envoy.")
    assert name("Normal", "Ready", "it is ready", "service", now="later") == first
    assert name("Warning", "Ready", "it is ready", "service") != first
    assert name("Normal", "Ready", "it is not ready", "service") != first
    assert name("Normal", "Ready", "it is ready", "ingress") != first


def test_an_event_about_a_cluster_wide_object_is_kept_in_the_default_namespace() -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-0"}}
    event = event_about(node, "Normal", "Ready", "", "kubelet", NOW)
    assert event["metadata"]["namespace"] == "default"
    assert event["involvedObject"]["namespace"] == ""
