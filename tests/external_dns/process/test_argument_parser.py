"""A command line and an environment are read as ExternalDNS's own parser reads them."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.errors import BadInput
from testbed.external_dns.core.go_duration import seconds
from testbed.external_dns.process.argument_parser import Flag, number, one_of, read, switch

FLAGS = (
    Flag("dry-run", switch, "false"),
    Flag("health", switch, "true"),
    Flag("policy", one_of("sync", "upsert-only"), None),
    Flag("source", one_of("service", "ingress"), None, many=True),
    Flag("size", number, "1000"),
    Flag("interval", seconds, "1m"),
)


def _read(*arguments: str, **variables: str) -> dict[str, Any]:
    environment = {f"EXTERNAL_DNS_{name}": value for name, value in variables.items()}
    return read(FLAGS, arguments, environment, lambda name: name == "fqdn-template")


def test_nothing_given_gives_the_defaults() -> None:
    assert _read() == {
        "dry-run": False,
        "health": True,
        "policy": None,
        "source": (),
        "size": 1000,
        "interval": 60.0,
    }


@pytest.mark.parametrize("text", ["false", "0", "f", "F", "FALSE", "False"])
def test_a_switch_that_a_variable_sets_to_false_is_off(text: str) -> None:
    found = _read(DRY_RUN=text, HEALTH=text)
    assert (found["dry-run"], found["health"]) == (False, False)


@pytest.mark.parametrize("text", ["true", "1", "t", "T", "TRUE", "True"])
def test_a_switch_that_a_variable_sets_to_true_is_on(text: str) -> None:
    found = _read(DRY_RUN=text, HEALTH=text)
    assert (found["dry-run"], found["health"]) == (True, True)


def test_an_argument_hides_the_variable() -> None:
    assert _read("--no-health", HEALTH="true")["health"] is False
    assert _read("--source=service", SOURCE="ingress")["source"] == ("service",)


def test_an_empty_variable_is_none() -> None:
    assert _read(POLICY="", SOURCE="")["policy"] is None


def test_a_list_in_a_variable_has_an_entry_a_line() -> None:
    assert _read(SOURCE="service\r\ningress\n")["source"] == ("service", "ingress")
    with pytest.raises(BadInput, match="'service,ingress' is not one of service, ingress"):
        _read(SOURCE="service,ingress")


def test_a_value_may_follow_its_flag() -> None:
    assert _read("--policy", "sync", "--size", "7")["size"] == 7


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--policy=all"], "--policy: 'all' is not one of sync, upsert-only"),
        (["--policy=sync", "--policy=sync"], "flag 'policy' cannot be repeated"),
        (["--dry-run", "--no-dry-run"], "flag 'dry-run' cannot be repeated"),
        (["--dry-run=false"], "unexpected false after --dry-run"),
        (["--no-policy"], "unknown long flag '--no-policy'"),
        (["--polic=sync"], "unknown long flag '--polic'"),
        (["--policy"], "expected argument for flag '--policy'"),
        (["--policy", "--dry-run"], "expected argument for flag '--policy'"),
        (["service"], "unexpected service"),
        (["--size=many"], "--size: 'many' is not a whole number"),
        (["--interval=soon"], "--interval: 'soon' is not a duration"),
        (["--fqdn-template={{.Name}}"], "the testbed does not emulate --fqdn-template"),
    ],
)
def test_a_wrong_argument_is_told_in_one_line(arguments: list[str], told: str) -> None:
    with pytest.raises(BadInput) as error:
        _read(*arguments)
    assert told in str(error.value)


def test_a_wrong_variable_is_named() -> None:
    with pytest.raises(BadInput, match="EXTERNAL_DNS_POLICY: 'all' is not one of"):
        _read(POLICY="all")
    with pytest.raises(BadInput, match="EXTERNAL_DNS_DRY_RUN: 'maybe' is neither true nor false"):
        _read(DRY_RUN="maybe")
    with pytest.raises(BadInput, match="--fqdn-template, which EXTERNAL_DNS_FQDN_TEMPLATE sets"):
        _read(FQDN_TEMPLATE="{{.Name}}")


def test_a_variable_of_no_flag_is_left_alone() -> None:
    """Kubernetes sets EXTERNAL_DNS_PORT and its like in every pod beside a Service of that name."""
    assert _read(PORT="tcp://10.0.0.1:7979") == _read()
