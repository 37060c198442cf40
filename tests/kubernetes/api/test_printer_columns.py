"""The cells of `kubectl get`."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.kubernetes.api.printer_columns import DEFAULT, NAME, PRINTERS, labels

NOW = 1_000_000.0
METADATA = {"name": "x", "creationTimestamp": "1970-01-12T13:45:40Z"}  # a minute before NOW
HOSTS = [{"host": f"{letter}.example.com"} for letter in "abcde"]
BALANCED = {"loadBalancer": {"ingress": [{"hostname": "b.example.com"}, {"ip": "10.0.0.1"}]}}
WAITING = {"state": {"waiting": {"reason": "ImagePullBackOff"}}, "restartCount": 2}


@pytest.mark.parametrize(
    ("kind", "item", "cells"),
    [
        (
            "Service",
            {"spec": {"type": "LoadBalancer", "clusterIP": "10.100.0.1"}, "status": BALANCED},
            ["LoadBalancer", "10.100.0.1", "10.0.0.1,b.example.com", "<none>", "60s", "<none>"],
        ),
        (
            "Service",
            {"spec": {"type": "LoadBalancer", "ports": [{"port": 443, "nodePort": 30443}]}},
            ["LoadBalancer", "<none>", "<pending>", "443:30443/TCP", "60s", "<none>"],
        ),
        (
            "Service",
            {"spec": {"type": "ExternalName", "externalName": "a.example.com"}},
            ["ExternalName", "<none>", "a.example.com", "<none>", "60s", "<none>"],
        ),
        (
            "Service",
            {
                "spec": {
                    "externalIPs": ["1.2.3.4"],
                    "ports": [{"port": 53, "protocol": "UDP"}],
                    "selector": {"a": "1"},
                }
            },
            ["ClusterIP", "<none>", "1.2.3.4", "53/UDP", "60s", "a=1"],
        ),
        ("Ingress", {"spec": {"defaultBackend": {}}}, ["<none>", "*", "", "80", "60s"]),
        (
            "Ingress",
            {"spec": {"ingressClassName": "alb", "rules": HOSTS, "tls": [{}]}, "status": BALANCED},
            [
                *("alb", "a.example.com,b.example.com,c.example.com + 2 more..."),
                *("10.0.0.1,b.example.com", "80, 443", "60s"),
            ],
        ),
        (
            "IngressClass",
            {"spec": {"controller": "a/b", "parameters": {"apiGroup": "g", "kind": "K", "name": "n"}}},
            ["a/b", "K.g/n", "60s"],
        ),
        (
            "Endpoints",
            {"subsets": [{"addresses": [{"ip": f"10.0.0.{n}"} for n in range(4)], "ports": [{"port": 80}]}]},
            ["10.0.0.0:80,10.0.0.1:80,10.0.0.2:80 + 1 more...", "60s"],
        ),
        ("EndpointSlice", {"addressType": "IPv4"}, ["IPv4", "<unset>", "<unset>", "60s"]),
        (
            "Pod",
            {
                "spec": {"containers": [{}, {}], "nodeName": "n", "readinessGates": [{"conditionType": "a"}]},
                "status": {
                    "phase": "Running",
                    "podIP": "10.0.0.1",
                    "containerStatuses": [{"ready": True}, WAITING],
                    "conditions": [{"type": "a", "status": "True"}],
                },
            },
            ["1/2", "ImagePullBackOff", "2", "60s", "10.0.0.1", "n", "<none>", "1/1"],
        ),
        (
            "Pod",
            {"metadata": {**METADATA, "deletionTimestamp": "now"}, "status": {"phase": "Running"}},
            ["0/0", "Terminating", "0", "60s", "<none>", "<none>", "<none>", "<none>"],
        ),
        (
            "Node",
            {
                "metadata": {**METADATA, "labels": {"node-role.kubernetes.io/worker": ""}},
                "spec": {"unschedulable": True},
                "status": {
                    "conditions": [{"type": "Ready", "status": "False"}],
                    "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
                    "nodeInfo": {"kubeletVersion": "v1.33"},
                },
            },
            [
                *("NotReady,SchedulingDisabled", "worker", "60s", "v1.33", "10.0.0.1", "<none>"),
                *("<unknown>", "<unknown>", "<unknown>"),
            ],
        ),
        ("Namespace", {"status": {"phase": "Terminating"}}, ["Terminating", "60s"]),
        (
            "Event",
            {
                "type": "Warning",
                "reason": "Failed",
                "message": " no \n",
                "count": 3,
                "involvedObject": {"kind": "Service", "name": "web"},
                "source": {"component": "me", "host": "h"},
                "lastTimestamp": "1970-01-12T13:46:30Z",
                "firstTimestamp": "1970-01-12T13:45:40Z",
            },
            ["10s", "Warning", "Failed", "service/web", "", "me, h", "no", "60s", 3, "x"],
        ),
        ("ConfigMap", {"data": {"a": "1"}, "binaryData": {"b": "2"}}, [2, "60s"]),
        ("Secret", {"type": "Opaque", "data": {"a": "1"}}, ["Opaque", 1, "60s"]),
        ("Lease", {"spec": {"holderIdentity": "me"}}, ["me", "60s"]),
        (
            "Deployment",
            {
                "spec": {
                    "replicas": 3,
                    "selector": {"matchLabels": {"app": "web"}},
                    "template": {"spec": {"containers": [{"name": "web", "image": "web:1"}]}},
                },
                "status": {"readyReplicas": 1, "updatedReplicas": 2},
            },
            ["1/3", 2, 0, "60s", "web", "web:1", "app=web"],
        ),
        ("CustomResourceDefinition", {}, ["1970-01-12T13:45:40Z"]),
        (
            "TargetGroupBinding",
            {
                "spec": {
                    "serviceRef": {"name": "web", "port": 80},
                    "targetType": "ip",
                    "targetGroupARN": "arn",
                }
            },
            ["web", 80, "ip", "arn", "60s"],
        ),
    ],
)
def test_cells_are_those_of_a_real_cluster(kind: str, item: dict[str, Any], cells: list[Any]) -> None:
    assert list(PRINTERS[kind].cells({"metadata": METADATA, **item}, NOW)) == cells


@pytest.mark.parametrize("kind", PRINTERS)
def test_an_object_without_spec_and_status_has_a_cell_for_each_column(kind: str) -> None:
    printer = PRINTERS[kind]
    named = printer.columns[0] is NAME
    assert len(list(printer.cells({"metadata": METADATA}, NOW))) == len(printer.columns) - named


def test_other_kinds_have_a_name_and_an_age() -> None:
    assert [column.name for column in DEFAULT.columns] == ["Name", "Age"]
    assert list(DEFAULT.cells({"metadata": METADATA}, NOW)) == ["60s"]


def test_labels_are_sorted() -> None:
    assert labels({"b": "2", "a": "1"}) == "a=1,b=2"
    assert labels(None) == "<none>"
