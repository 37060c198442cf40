"""moto's server with the services that a cutover needs, mended where it does what AWS does not.

`python -m testbed.aws.moto_server ADDRESS PORT`. Each mended function names what AWS does instead; rules that
refuse a call stand in the endpoint in front, because they hold for any backend.
"""

from __future__ import annotations

import sys
from typing import Any

from moto.elbv2.exceptions import (
    DuplicatePriorityError,
    PriorityInUseError,
    RuleNotFoundError,
    TargetGroupNotFoundError,
)
from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.route53.models import Route53Backend
from werkzeug.serving import make_server

from testbed.aws.names import balancer_dns_name, canonical_zone


def mend() -> None:
    """Put the mended functions in the place of moto's."""
    create = ELBv2Backend.create_load_balancer

    def create_load_balancer(backend: ELBv2Backend, *args: Any, **kwargs: Any) -> FakeLoadBalancer:
        """AWS names NLBs and ALBs differently, in ARN, DNS name and hosted zone."""
        made = create(backend, *args, **kwargs)
        if made.type == "network":
            del backend.load_balancers[made.arn]
            tags = backend.tagging_service.list_tags_for_resource(made.arn)["Tags"]
            made.arn = made.arn.replace(":loadbalancer/app/", ":loadbalancer/net/")
            backend.load_balancers[made.arn] = made
            backend.tagging_service.tag_resource(made.arn, tags)
        made.dns_name = balancer_dns_name(made.arn, made.scheme)
        made.canonical_hosted_zone_id = canonical_zone(made.dns_name) or ""
        return made

    modify = ELBv2Backend.modify_target_group

    def modify_target_group(backend: ELBv2Backend, arn: str, *args: Any, **kwargs: Any) -> Any:
        """AWS takes GrpcCode too; moto checks and stores HttpCode only."""
        group = backend.target_groups.get(arn)
        if group is not None and group.protocol_version == "GRPC":
            kwargs.pop("http_codes", None)
        return modify(backend, arn, *args, **kwargs)

    describe_groups = ELBv2Backend.describe_target_groups

    def describe_target_groups(backend: ELBv2Backend, load_balancer_arn: str | None, *args: Any) -> Any:
        """A balancer without target groups has none; moto says that they were not found."""
        try:
            return describe_groups(backend, load_balancer_arn, *args)
        except TargetGroupNotFoundError:
            if load_balancer_arn and not any(args):
                return []
            raise

    for owner, function in (
        (ELBv2Backend, describe_target_groups),
        (ELBv2Backend, create_load_balancer),
        (ELBv2Backend, modify_target_group),
        (ELBv2Backend, set_rule_priorities),
        (Route53Backend, change_resource_record_sets),
    ):
        setattr(owner, function.__name__, function)


def set_rule_priorities(backend: ELBv2Backend, rule_priorities: list[dict[str, Any]]) -> list[Any]:
    """All at once, so that rules may trade places; moto looks at them one by one."""
    wanted = {one["RuleArn"]: one["Priority"] for one in rule_priorities}
    rules = backend.describe_rules(listener_arn=None, rule_arns=list(wanted))
    if len(rules) != len(wanted):
        raise RuleNotFoundError
    listener = backend.describe_listeners(None, [rules[0].listener_arn])[0]
    kept = {rule.priority for rule in listener.rules.values() if rule.arn not in wanted}
    priorities = list(wanted.values())
    for priority in priorities:
        if priorities.count(priority) > 1:
            raise DuplicatePriorityError(priority)
        if priority in kept:
            raise PriorityInUseError
    for rule in rules:
        rule.priority = wanted[rule.arn]
    return list(rules)


def change_resource_record_sets(
    backend: Route53Backend, zoneid: str, change_list: list[dict[str, Any]]
) -> None:
    """Delete exactly the record set that is named; moto deletes by set identifier in the whole zone.

    The endpoint in front has checked the batch.
    """
    zone = backend.get_hosted_zone(zoneid)
    for change in change_list:
        record = change["ResourceRecordSet"]
        record["Name"] = record["Name"].rstrip(".").lower() + "."
        if "ResourceRecords" in record:
            record["ResourceRecords"] = [value["Value"] for value in record["ResourceRecords"]]
        key = (record["Name"], record["Type"], record.get("SetIdentifier"))
        zone.rrsets = [one for one in zone.rrsets if (one.name, one.type, one.set_identifier) != key]
        if change["Action"] != "DELETE":
            zone.add_rrset(record)


def main() -> None:
    """Serve until killed; says `ready` when it listens."""
    address, port = sys.argv[1], int(sys.argv[2])
    mend()
    server = make_server(address, port, DomainDispatcherApplication(create_backend_app), threaded=True)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
