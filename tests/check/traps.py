"""Cases of traps: manifests that have one, the version that reads them, and the line that is named."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

from testbed.check import rule_registry
from tests.check.conftest import Look
from tests.check.manifests_of_traps import EXTERNAL_DNS, INGRESS, PLAIN, SERVICE, annotated

ALB = "alb.ingress.kubernetes.io/"
XDNS = "external-dns.alpha.kubernetes.io/"
NLB = "service.beta.kubernetes.io/aws-load-balancer-"
NEW = "v0.22"
GOOD = (SERVICE, PLAIN, INGRESS)
WEIGHTS = (f"{XDNS}set-identifier: {{}}", f'{XDNS}aws-weight: "50"')


@dataclass(frozen=True)
class Case:
    """`where` is file and line: manifest number 1 is `1.yaml`."""

    manifests: tuple[str, ...]
    where: str
    version: str = "v0.7.4"


def weighted(manifest: str, identifier: str) -> str:
    return annotated(manifest, *(line.format(identifier) for line in WEIGHTS))


def flags(*lines: str, without: str = "") -> str:
    kept = "".join(
        line for line in EXTERNAL_DNS.splitlines(keepends=True) if not without or without not in line
    )
    return kept + "".join(f"            - {line}\n" for line in lines)


def rules_of(module: ModuleType) -> set[str]:
    """The ids of the rules that a module of rules holds."""
    return {rule.id for rule in rule_registry.all_rules() if rule.look.__module__ == module.__name__}


def check_case(look: Look, rule: str, case: Case) -> None:
    """The trap is named with its line, and the manifests without it are not accused of it."""
    found = look(*case.manifests, rule=rule, version=case.version)
    assert found, f"{rule} was not found"
    assert f"{found[0].where.path.name}:{found[0].where.line}" == case.where
    assert found[0].what
    assert found[0].do
    if (case.manifests, case.version) != (GOOD, "v0.7.4"):
        assert look(*GOOD, rule=rule) == []
