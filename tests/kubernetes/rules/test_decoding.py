# ruff: noqa: E501 the cases read best one a line
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.kubernetes.rules.decoding import decoded, problems, without
from testbed.kubernetes.rules.problems import Reason
from testbed.kubernetes.rules.shapes import custom_shape, shape_of

SERVICE = shape_of("Service", "v1")
INGRESS = shape_of("Ingress", "networking.k8s.io/v1")


def service(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "envoy"}, "spec": spec}


# The words of encoding/json's UnmarshalTypeError, as sigs.k8s.io/json raises it.
@pytest.mark.parametrize(
    ("item", "words", "advice"),
    [
        (
            service(ports=[{"port": "443"}]),
            "cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32",
            "spec.ports[0].port must be a number, not a string (443)",
        ),
        (
            service(ports=[{"port": 1.5}]),
            "cannot unmarshal number 1.5 into Go struct field ServicePort.spec.ports.port of type int32",
            "spec.ports[0].port must be a number, not a fraction (1.5)",
        ),
        (
            service(ports=[{"port": 2**31}]),
            "cannot unmarshal number 2147483648 into Go struct field ServicePort.spec.ports.port of type int32",
            None,
        ),
        (
            service(type=True),
            "cannot unmarshal bool into Go struct field ServiceSpec.spec.type of type string",
            "spec.type must be a string, not a boolean (true); put it in quotes",
        ),
        (
            service(selector={"app": 1}),
            "cannot unmarshal number into Go struct field ServiceSpec.spec.selector of type string",
            "spec.selector.app must be a string, not a number (1); put it in quotes",
        ),
        (
            service(ports={}),
            "cannot unmarshal object into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort",
            "spec.ports must be a list, not a mapping",
        ),
        (
            {**service(), "spec": []},
            "cannot unmarshal array into Go struct field Service.spec of type v1.ServiceSpec",
            "spec must be a mapping, not a list",
        ),
        (
            service(publishNotReadyAddresses="yes"),
            "cannot unmarshal string into Go struct field ServiceSpec.spec.publishNotReadyAddresses of type bool",
            "spec.publishNotReadyAddresses must be true or false, not a string (yes)",
        ),
        (
            service(externalIPs=["10.0.0.1", 5]),
            "cannot unmarshal number into Go struct field ServiceSpec.spec.externalIPs of type string",
            "spec.externalIPs[1] must be a string, not a number (5); put it in quotes",
        ),
    ],
)
def test_a_wrong_type_is_named_as_gos_decoder_names_it(
    item: dict[str, Any], words: str, advice: str | None
) -> None:
    (problem,) = problems(item, SERVICE)
    assert str(problem) == f"json: {words}"
    assert problem.reason is Reason.WRONG_TYPE
    if advice:
        assert problem.advice == advice


@pytest.mark.parametrize(
    ("item", "words", "advice"),
    [
        (service(port=[]), 'unknown field "spec.port"', "did you mean ports?"),
        (service(ports=[{"port": 1, "xyz": 2}]), 'unknown field "spec.ports[0].xyz"', None),
        ({**service(), "spce": {}}, 'unknown field "spce"', "did you mean spec?"),
    ],
)
def test_an_unknown_field_is_named_with_the_one_that_was_probably_meant(
    item: dict[str, Any], words: str, advice: str | None
) -> None:
    (problem,) = problems(item, SERVICE)
    assert (str(problem), problem.advice) == (words, advice)


def test_a_field_of_another_version_is_named_with_its_successor() -> None:
    item = {"spec": {"rules": [{"http": {"paths": [{"backend": {"serviceName": "a"}}]}}]}}
    (problem,) = problems(item, INGRESS)
    assert problem.path == ("spec", "rules", 0, "http", "paths", 0, "backend", "serviceName")
    assert problem.advice
    assert problem.advice.startswith("networking.k8s.io/v1 has `service:")


def test_wrong_types_come_before_unknown_fields() -> None:
    found = problems(service(porst=[], ports=[{"port": "1"}]), SERVICE)
    assert [problem.reason for problem in found] == [Reason.WRONG_TYPE, Reason.UNKNOWN_FIELD]


def test_a_custom_resource_is_open_below_its_metadata() -> None:
    item = {"metadata": {"name": "a", "labels": []}, "spec": {"any": 1}, "other": 2}
    assert [problem.path for problem in problems(item, custom_shape("Widget"))] == [("metadata", "labels")]


def test_nulls_are_absent_fields_and_empty_values_of_lists_and_maps() -> None:
    item = service(
        type=None, ports=[None, {"port": 1, "name": None}], externalIPs=[None], selector={"a": None}
    )
    assert problems(item, SERVICE) == []
    assert decoded(item, SERVICE)["spec"] == {
        "ports": [{}, {"port": 1}],
        "externalIPs": [""],
        "selector": {"a": ""},
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["spec", "ports", "port", "metadata", "labels"]), inner, max_size=3)
    ),
)


@given(st.dictionaries(st.sampled_from(["spec", "metadata", "other"]), JSON))
def test_an_object_without_its_unknown_fields_has_none(item: dict[str, Any]) -> None:
    left: Any = item
    for problem in problems(item, SERVICE):
        if problem.reason is Reason.UNKNOWN_FIELD:
            left = without(left, problem.path)
    assert all(problem.reason is Reason.WRONG_TYPE for problem in problems(left, SERVICE))


@given(st.dictionaries(st.sampled_from(["spec", "metadata", "other"]), JSON))
def test_decoding_twice_is_decoding_once(item: dict[str, Any]) -> None:
    once = decoded(item, SERVICE)
    assert decoded(once, SERVICE) == once


def test_a_field_is_left_out_of_a_list_too() -> None:
    assert without({"a": [{"b": 1, "c": 2}, 3]}, ("a", 0, "b")) == {"a": [{"c": 2}, 3]}
    assert without({"a": 1}, ()) == {"a": 1}
