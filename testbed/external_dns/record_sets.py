"""Endpoints to Route 53 record sets and back.

Source: external-dns, provider/aws/aws.go. An alias is a CNAME endpoint before v0.14 and an A endpoint with
the property `alias` since; both become an A record whose target is the load balancer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.external_dns import canonical_zones, routing
from testbed.external_dns.endpoint import DUALSTACK, Endpoint
from testbed.external_dns.log import Say
from testbed.external_dns.plan import EVALUATE
from testbed.external_dns.profile import Profile

DEFAULT_TTL = 300
ALIAS = "alias"
SAME_ZONE = "same-zone"
_ESCAPE = re.compile(r"\\(\d{3})")
_OLD_TYPES = ("A", "CNAME", "SRV", "TXT")


@dataclass(frozen=True, slots=True)
class RecordSets:
    """How one version, with its flags, reads and writes record sets.

    Attributes:
        at_balancers: v0.7.x: names that the latest listing has at load balancers.
    """

    profile: Profile
    say: Say
    evaluate_target_health: bool = True
    prefer_cname: bool = False
    at_balancers: set[str] = field(default_factory=set)

    def endpoint(self, record: Mapping[str, Any]) -> Endpoint | None:
        """A record set as Route 53 lists it; None if this version does not read its type."""
        kind, typed = record["Type"], self.profile.typed
        if not typed and kind not in _OLD_TYPES:
            return None  # AAAA aliases were invisible then
        properties: dict[str, str] = {}
        if "SetIdentifier" in record:
            properties |= routing.properties(record, typed=typed)
        if "HealthCheckId" in record and self._has_health_checks:
            properties["aws/health-check-id"] = record["HealthCheckId"]
        alias = record.get("AliasTarget")
        if alias:
            properties[EVALUATE] = str(bool(alias["EvaluateTargetHealth"])).lower()
            target = alias["DNSName"].rstrip(".")
            targets: tuple[str, ...] = (_unescaped(target) if typed else target,)
            ttl = DEFAULT_TTL
            if typed:
                properties[ALIAS] = "true"
            else:
                kind = "CNAME"
        else:
            targets = tuple(value["Value"].rstrip(".") for value in record.get("ResourceRecords", ()))
            ttl = record.get("TTL", 0)
            if typed and kind == "CNAME":
                properties[ALIAS] = "false"
        name = record["Name"].rstrip(".")
        name = _unescaped(name) if typed else name.replace("\\052", "*")
        if not typed and targets and self.canonical_zone(targets[0]):
            self.at_balancers.add(name)
        return Endpoint(name, kind, targets, ttl, record.get("SetIdentifier", ""), properties=properties)

    def adjusted(self, endpoints: Iterable[Endpoint]) -> list[Endpoint]:
        """v0.14 and later: load balancer CNAMEs become A and AAAA aliases before the plan."""
        if not self.profile.typed:
            return list(endpoints)
        found = []
        for given in endpoints:
            endpoint = given.with_properties(routing.adjusted(given.properties))
            is_cname = endpoint.type == "CNAME"
            only = endpoint.properties.get(ALIAS, "") if is_cname else ""
            is_alias = self.is_alias(endpoint) if is_cname else endpoint.properties.get(ALIAS) == "true"
            if is_cname and not only:
                word = "true" if is_alias else "false"
                self.say("debug", "Modifying endpoint: %s, setting alias=%s", endpoint, word)
            if only in ("A", "AAAA"):  # the CRD source asks for one of the two aliases
                found.append(self._as_alias(endpoint)._replace(type=only))
            elif not is_alias:
                plain = _without(endpoint, ALIAS, EVALUATE)
                more = {ALIAS: "false"} if is_cname else {}
                found.append(plain.with_properties({**plain.properties, **more}))
            else:
                alias = self._as_alias(endpoint)
                properties = {**alias.properties, ALIAS: "true"}
                found += [
                    alias._replace(type=kind, properties=properties)
                    for kind in (("A", "AAAA") if is_cname else (alias.type,))
                ]
        return found

    def _as_alias(self, endpoint: Endpoint) -> Endpoint:
        """With the TTL that Route 53's aliases are read with, and with the health flag said in full."""
        given = endpoint.properties.get(EVALUATE)
        value = given == "true" if given else self.evaluate_target_health
        if endpoint.ttl:
            self.say("debug", f"Modifying endpoint: {endpoint}, setting ttl={DEFAULT_TTL}")
        return endpoint._replace(
            ttl=DEFAULT_TTL if endpoint.ttl else 0,
            properties={**endpoint.properties, EVALUATE: str(value).lower()},
        )

    def is_alias(self, endpoint: Endpoint) -> bool:
        """Whether a CNAME endpoint becomes an alias.

        The annotation `alias` decides since v0.8; v0.7.x heeds it only where the target is a record that is
        itself at a load balancer.
        """
        given = endpoint.properties.get(ALIAS)
        if not self.profile.typed:
            return self._is_at_balancer(endpoint) or (
                given == "true" and endpoint.targets[0] in self.at_balancers
            )
        return self._is_at_balancer(endpoint) if given is None else given == "true"

    def _is_at_balancer(self, endpoint: Endpoint) -> bool:
        return not self.prefer_cname and self.canonical_zone(endpoint.targets[0]) is not None

    def alias_zone(self, endpoint: Endpoint) -> str | None:
        """v0.14 and later: the hosted zone of an alias's target, `same-zone`, or None if it is no alias."""
        if endpoint.type in ("A", "AAAA") and endpoint.properties.get(ALIAS) == "true" and endpoint.targets:
            return self._target_zone(endpoint)
        return None

    def _target_zone(self, endpoint: Endpoint) -> str:
        given = endpoint.properties.get("aws/target-hosted-zone") if self.profile.typed else None
        return given or self.canonical_zone(endpoint.targets[0]) or SAME_ZONE

    def canonical_zone(self, name: str) -> str | None:
        """The hosted zone of a load balancer's name, if the version knows it; v0.13 and later warn."""
        found = canonical_zones.canonical_zone(name, self.profile)
        if found is None and self.profile.typed and name.endswith(canonical_zones.AWS):
            self.say(
                "warning",
                f"Could not find canonical hosted zone for domain {name}. "
                "This may be because your region is not supported yet.",
            )
        return found

    @property
    def _has_health_checks(self) -> bool:
        return self.profile.release >= (0, 7, 5)

    def changes(self, action: str, endpoint: Endpoint) -> list[dict[str, Any]]:
        """The API changes that an endpoint needs; v0.7.x adds an AAAA for the label dualstack."""
        record: dict[str, Any] = {"Name": endpoint.name, "Type": endpoint.type}
        is_alias = (
            endpoint.type in ("A", "AAAA") and endpoint.properties.get(ALIAS) == "true"
            if self.profile.typed
            else endpoint.type == "CNAME" and self.is_alias(endpoint)
        )
        if is_alias:
            target = endpoint.targets[0]
            given = endpoint.properties.get(EVALUATE)
            record["Type"] = endpoint.type if self.profile.typed else "A"
            record["AliasTarget"] = {
                "DNSName": target,
                "HostedZoneId": self._target_zone(endpoint),
                "EvaluateTargetHealth": given == "true" if given else self.evaluate_target_health,
            }
        else:
            record["TTL"] = endpoint.ttl or DEFAULT_TTL
            record["ResourceRecords"] = [{"Value": target} for target in endpoint.targets]
        if endpoint.set_identifier:
            record["SetIdentifier"] = endpoint.set_identifier
            record |= routing.fields(endpoint.properties, self._warn, typed=self.profile.typed)
        if "aws/health-check-id" in endpoint.properties and self._has_health_checks:
            record["HealthCheckId"] = endpoint.properties["aws/health-check-id"]
        changes = [{"Action": action, "ResourceRecordSet": record}]
        if is_alias and not self.profile.typed and endpoint.labels.get(DUALSTACK) == "true":
            changes.append({"Action": action, "ResourceRecordSet": {**record, "Type": "AAAA"}})
        return changes

    def _warn(self, text: str) -> None:
        self.say("error", text)

    def changes_kind(self, old: Endpoint, new: Endpoint) -> bool:
        """Whether an UPSERT would leave the old record beside the new one."""
        if old.type != new.type or old.set_identifier != new.set_identifier:
            return True
        if self.profile.typed:
            is_other_alias = old.type == "A" and old.properties.get(ALIAS) != new.properties.get(ALIAS)
            return is_other_alias or routing.policies(old.properties) != routing.policies(new.properties)
        return old.type == "CNAME" and self._is_at_balancer(old) != self._is_at_balancer(new)


def _unescaped(name: str) -> str:
    """A name without Route 53's octal escapes, such as `\\052` for `*`."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), name) if "\\" in name else name


def _without(endpoint: Endpoint, *names: str) -> Endpoint:
    return endpoint.with_properties(
        {name: value for name, value in endpoint.properties.items() if name not in names}
    )
