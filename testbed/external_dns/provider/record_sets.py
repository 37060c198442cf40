"""Endpoints to Route 53 record sets and back.

Source: external-dns, provider/aws/aws.go. An alias is a CNAME endpoint before v0.14 and an A endpoint with
the property `alias` since; both become an A record whose target is the load balancer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from testbed.aws.route53_names import unescaped
from testbed.dated_releases import Release
from testbed.external_dns.core.endpoint import DUALSTACK, Endpoint
from testbed.external_dns.core.facts import Fact
from testbed.external_dns.core.log_lines import Say
from testbed.external_dns.core.plan import EVALUATE
from testbed.external_dns.provider import canonical_zones, routing_policies

DEFAULT_TTL = 300
ALIAS = "alias"
SAME_ZONE = "same-zone"
_OLD_TYPES = ("A", "CNAME", "SRV", "TXT")
_NO_LABELS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RecordSets:
    """Reads and writes record sets as one version with its flags does.

    Attributes:
        at_balancers: v0.7.x: names that point to load balancers in the latest listing.
    """

    release: Release
    say: Say
    evaluate_target_health: bool = True
    prefer_cname: bool = False
    at_balancers: set[str] = field(default_factory=set)

    def endpoint(self, record: Mapping[str, Any]) -> Endpoint | None:
        """Return the endpoint of a listed record set; None if this version does not read its type."""
        kind, has = record["Type"], self.release.has
        if kind not in _OLD_TYPES and not has(Fact.AAAA_READ):
            return None  # AAAA aliases were invisible then
        properties: dict[str, str] = {}
        identifier = record.get("SetIdentifier", "")
        if "SetIdentifier" in record:
            properties |= routing_policies.properties(record, self.release)
        if "HealthCheckId" in record and self._has_health_checks:
            properties["aws/health-check-id"] = record["HealthCheckId"]
        alias = record.get("AliasTarget")
        if alias:
            properties[EVALUATE] = "true" if alias["EvaluateTargetHealth"] else "false"
            target = alias["DNSName"].rstrip(".")
            targets: tuple[str, ...] = (unescaped(target) if has(Fact.OCTAL_TARGETS) else target,)
            ttl = DEFAULT_TTL  # an alias has no TTL in Route 53; the real one fills in its default
            if has(Fact.ALIAS_ADJUSTED):
                properties[ALIAS] = "true"
            if not has(Fact.ALIAS_OF_AAAA):
                # Whatever its type: an AAAA alias is read as another A (before v0.14, CNAME) of the name.
                kind = "A" if has(Fact.ALIAS_ENDPOINTS) else "CNAME"
        else:
            targets = tuple([value["Value"].rstrip(".") for value in record.get("ResourceRecords", ())])
            ttl = record.get("TTL", 0)
            if kind == "CNAME" and has(Fact.ALIAS_NORMALISED):
                properties[ALIAS] = "false"
        name = record["Name"].rstrip(".")
        name = unescaped(name) if has(Fact.OCTAL_NAMES) else name.replace("\\052", "*")
        if targets and not has(Fact.ALIAS_ADJUSTED) and self.canonical_zone(targets[0]):
            self.at_balancers.add(name)
        return Endpoint(name, kind, targets, ttl, identifier, _NO_LABELS, properties)

    def adjusted(self, endpoints: Iterable[Endpoint]) -> list[Endpoint]:
        """Make endpoints of sources comparable to those that are read, before the plan."""
        if not self.release.has(Fact.ALIAS_ADJUSTED):
            return list(endpoints)
        adjusted: list[Endpoint] = []
        for endpoint in endpoints:
            if endpoint.set_identifier and self.release.has(Fact.GEOPROXIMITY):
                endpoint = endpoint.with_properties(routing_policies.adjusted(endpoint.properties))
            if self.release.has(Fact.ALIAS_NORMALISED):
                adjusted += self._normalised(endpoint)
            else:
                adjusted.append(self._with_alias(endpoint))
        return adjusted

    def _with_alias(self, endpoint: Endpoint) -> Endpoint:
        """Return the endpoint with the properties that a record of it would have (v0.8 to v0.13.5)."""
        more: dict[str, str] = {}
        if ALIAS not in endpoint.properties and endpoint.type == "CNAME" and self.is_at_balancer(endpoint):
            self.say("debug", "Modifying endpoint: %s, setting alias=true", endpoint)
            more[ALIAS] = "true"
        is_alias = {**endpoint.properties, **more}.get(ALIAS) == "true"
        if is_alias and EVALUATE not in endpoint.properties:
            more[EVALUATE] = str(self.evaluate_target_health).lower()
        return endpoint.with_properties({**endpoint.properties, **more})

    def _normalised(self, endpoint: Endpoint) -> list[Endpoint]:
        """Return an endpoint, or the aliases of it, with the properties that are read of such records."""
        has, is_cname = self.release.has, endpoint.type == "CNAME"
        choice = endpoint.properties.get(ALIAS, "")
        if is_cname and not choice:
            is_alias = self.is_at_balancer(endpoint)
            word = "true" if is_alias else "false"
            self.say("debug", "Modifying endpoint: %s, setting alias=%s", endpoint, word)
        else:
            # Before v0.14 only a CNAME could be one.
            is_alias = choice == "true" and (is_cname or has(Fact.ALIAS_ENDPOINTS))
        if choice in ("A", "AAAA") and is_cname and has(Fact.ALIAS_OF_ONE_TYPE):
            return [self._as_alias(endpoint).with_type(choice)]  # what the CRD source may ask for
        if not is_alias:
            plain = _without(endpoint, ALIAS, EVALUATE)
            return [plain.with_properties({**plain.properties, ALIAS: "false"}) if is_cname else plain]
        alias = self._as_alias(endpoint, {ALIAS: "true"})
        if not has(Fact.ALIAS_ENDPOINTS):
            return [alias]
        if is_cname and has(Fact.AAAA_FOR_ALIASES):
            return [alias.with_type("A"), alias.with_type("AAAA")]
        if choice and endpoint.type not in self._annotated_types:
            alias = _without(alias, ALIAS)
        return [alias if has(Fact.ALIAS_OF_AAAA) else alias.with_type("A")]

    @property
    def _annotated_types(self) -> tuple[str, ...]:
        """The types whose endpoints keep the property of the annotation `alias`."""
        if self.release.has(Fact.ALIAS_OF_AAAA):
            return ("A", "AAAA", "CNAME")
        return ("A",) if self.release.has(Fact.ALIAS_ANNOTATION_LOST) else ("A", "CNAME")

    def _as_alias(self, endpoint: Endpoint, more: Mapping[str, str] = MappingProxyType({})) -> Endpoint:
        """Return the endpoint as an alias is read, with its TTL and its health flag and more properties."""
        setting = endpoint.properties.get(EVALUATE)
        value = setting == "true" if setting else self.evaluate_target_health
        if endpoint.ttl:
            self.say("debug", f"Modifying endpoint: {endpoint}, setting ttl={DEFAULT_TTL}")
        properties = {**endpoint.properties, EVALUATE: "true" if value else "false", **more}
        ttl = DEFAULT_TTL if endpoint.ttl else endpoint.ttl
        name, kind, targets, _, identifier, labels, _ = endpoint
        return Endpoint(name, kind, targets, ttl, identifier, labels, properties)

    def is_alias(self, endpoint: Endpoint) -> bool:
        """True if an endpoint is sent as an alias.

        Since v0.8 its property `alias` decides; v0.7.x obeys that only where the target is a record that
        itself points to a load balancer.
        """
        choice, has = endpoint.properties.get(ALIAS), self.release.has
        if not has(Fact.ALIAS_ADJUSTED):
            return endpoint.type == "CNAME" and (
                self.is_at_balancer(endpoint)
                or (choice == "true" and endpoint.targets[0] in self.at_balancers)
            )
        if choice != "true" or not endpoint.targets:
            return False
        if not has(Fact.ALIAS_ENDPOINTS):
            return endpoint.type == "CNAME"
        return endpoint.type == "A" or (endpoint.type == "AAAA" and has(Fact.ALIAS_OF_AAAA))

    def is_at_balancer(self, endpoint: Endpoint) -> bool:
        """True if the target of a CNAME is a known balancer, and no flag prefers a CNAME."""
        return not self.prefer_cname and self.canonical_zone(endpoint.targets[0]) is not None

    def alias_zone(self, endpoint: Endpoint) -> str | None:
        """Return the zone of an alias's target, `same-zone`, or None for no alias (v0.14 and later)."""
        if endpoint.type in ("A", "AAAA") and endpoint.properties.get(ALIAS) == "true" and endpoint.targets:
            return self._target_zone(endpoint)
        return None

    def _target_zone(self, endpoint: Endpoint) -> str:
        has_annotation = self.release.has(Fact.TARGET_HOSTED_ZONE)
        annotated = endpoint.properties.get("aws/target-hosted-zone") if has_annotation else None
        return annotated or self.canonical_zone(endpoint.targets[0]) or SAME_ZONE

    def canonical_zone(self, name: str) -> str | None:
        """Return the hosted zone of a load balancer's name, if the version knows it; v0.13 and later warn."""
        zone = canonical_zones.canonical_zone(name, self.release)
        if (
            zone is None
            and name.endswith(canonical_zones.AWS)
            and self.release.has(Fact.UNKNOWN_REGION_WARNED)
        ):
            self.say(
                "warning",
                f"Could not find canonical hosted zone for domain {name}. "
                "This may be because your region is not supported yet.",
            )
        return zone

    @property
    def _has_health_checks(self) -> bool:
        return self.release.has(Fact.HEALTH_CHECKS)

    def changes(self, action: str, endpoint: Endpoint) -> list[dict[str, Any]]:
        """Return the API changes that an endpoint needs; v0.7.x adds an AAAA for the label dualstack."""
        record: dict[str, Any] = {"Name": endpoint.name, "Type": endpoint.type}
        is_alias = self.is_alias(endpoint)
        if is_alias:
            target = endpoint.targets[0]
            setting = endpoint.properties.get(EVALUATE)
            record["Type"] = endpoint.type if self.release.has(Fact.ALIAS_OF_AAAA) else "A"
            record["AliasTarget"] = {
                "DNSName": target,
                "HostedZoneId": self._target_zone(endpoint),
                "EvaluateTargetHealth": setting == "true" if setting else self.evaluate_target_health,
            }
        else:
            record["TTL"] = endpoint.ttl or DEFAULT_TTL
            record["ResourceRecords"] = [{"Value": target} for target in endpoint.targets]
        if endpoint.set_identifier:
            record["SetIdentifier"] = endpoint.set_identifier
        if endpoint.set_identifier or (
            routing_policies.is_any_in(endpoint.properties)
            and self.release.has(Fact.ROUTING_WITHOUT_IDENTIFIER)
        ):
            record |= routing_policies.fields(endpoint.properties, self._warn, self.release)
        if "aws/health-check-id" in endpoint.properties and self._has_health_checks:
            record["HealthCheckId"] = endpoint.properties["aws/health-check-id"]
        changes = [{"Action": action, "ResourceRecordSet": record}]
        if is_alias and endpoint.labels.get(DUALSTACK) == "true" and self.release.has(Fact.DUALSTACK_LABEL):
            changes.append({"Action": action, "ResourceRecordSet": {**record, "Type": "AAAA"}})
        return changes

    def _warn(self, text: str) -> None:
        self.say("error", text)

    def changes_kind(self, old: Endpoint, new: Endpoint) -> bool:
        """True if an UPSERT would leave the old record next to the new one."""
        has = self.release.has
        if old.type != new.type:
            return True
        if has(Fact.ALIAS_NORMALISED):
            types = "A" if has(Fact.ALIAS_ENDPOINTS) else "CNAME"
            is_other_alias = old.type == types and old.properties.get(ALIAS) != new.properties.get(ALIAS)
        else:
            is_other_alias = old.type == "CNAME" and self.is_at_balancer(old) != self.is_at_balancer(new)
        if is_other_alias or not has(Fact.REPLACED_ON_POLICY_CHANGE):
            return is_other_alias
        old_policies, new_policies = (routing_policies.policies(one.properties) for one in (old, new))
        return old.set_identifier != new.set_identifier or old_policies != new_policies


def _without(endpoint: Endpoint, *names: str) -> Endpoint:
    return endpoint.with_properties(
        {name: value for name, value in endpoint.properties.items() if name not in names}
    )
