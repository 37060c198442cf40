from __future__ import annotations

import pytest

from testbed.lb_controller.core.annotations import of_ingress
from testbed.lb_controller.core.build_inputs import BuildError
from testbed.lb_controller.core.stack import Condition, QueryPair
from testbed.lb_controller.ingress.rule_conditions import from_annotation, in_words, merged
from tests.lb_controller.examples import ingress


def read(text: str) -> tuple[Condition, ...]:
    return from_annotation(of_ingress(ingress("a", **{"conditions.web": text})), "web")


def test_header_method_query_and_source_come_before_host_and_path() -> None:
    extra = read(
        '[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/b"]}},'
        '{"field": "source-ip", "sourceIpConfig": {"values": ["10.0.0.0/8"]}},'
        '{"field": "host-header", "hostHeaderConfig": {"values": ["b.example.com"]}}]'
    )

    conditions = merged("a.example.com", (("/a",), ()), extra)

    assert [(item.field, item.values) for item in conditions] == [
        ("source-ip", ("10.0.0.0/8",)),
        ("host-header", ("a.example.com", "b.example.com")),
        ("path-pattern", ("/a", "/b")),
    ]


def test_a_rule_without_any_condition_matches_every_path() -> None:
    assert merged("", ((), ()), ()) == (Condition(field="path-pattern", values=("/*",)),)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('[{"field": "source-ip"}]', "missing sourceIPConfig"),
        (
            '[{"field": "http-request-method", "httpRequestMethodConfig": {"values": []}}]',
            "invalid httpRequestMethodConfig: values cannot be empty",
        ),
        (
            '[{"field": "query-string", "queryStringConfig": {"values": [{"key": "a"}]}}]',
            "invalid queryStringConfig: value cannot be empty",
        ),
    ],
)
def test_a_condition_without_values_is_refused(text: str, error: str) -> None:
    with pytest.raises(BuildError) as raised:
        read(text)
    assert str(raised.value) == error


def test_conditions_are_put_into_words() -> None:
    found = in_words(
        (
            Condition(field="http-header", header_name="X-Team", values=("a", "b")),
            Condition(field="query-string", query=(QueryPair(key="v", value="1"), QueryPair(value="2"))),
            Condition(field="path-pattern", regex_values=("^/a$",)),
        )
    )

    assert found == "X-Team a or b and query-string v=1 or 2 and path ~^/a$"
