from __future__ import annotations

from testbed.check.manifest_reading import Reading
from testbed.check.planned_group import PlannedGroup
from tests.lb_controller.offline.manifests_of_groups import (
    CERTIFICATE,
    GRPC,
    ingress,
    parsed,
    with_default_backend,
)


def group(*documents: str) -> PlannedGroup:
    [found] = Reading.of(parsed(*documents)).groups
    return found


def test_titles_name_the_objects_and_the_lines_that_they_are_written_in() -> None:
    planned = group(ingress("grpc", "/pkg.Service/*", CERTIFICATE, GRPC))
    [rule] = planned.stack.rules
    [target_group] = planned.target_groups_of(rule.actions)

    assert planned.rule_title(rule) == (
        "rule 443:1 (host api.example.com and path /pkg.Service/*, Ingress default/grpc, app.yaml:24)"
    )
    assert planned.target_group_title(target_group) == (
        f"GRPC target group {target_group.name} (Service default/web port 80)"
    )


def test_the_member_of_a_target_group_is_the_ingress_that_leads_to_it() -> None:
    planned = group(ingress("a", "/a", CERTIFICATE), with_default_backend("b", CERTIFICATE))

    members = [planned.member_of(one).ingress["metadata"]["name"] for one in planned.stack.target_groups]

    assert sorted(members) == ["a", "b"]


def test_the_line_of_an_annotation_that_is_not_there_is_that_of_the_nearest_field_above() -> None:
    planned = group(ingress("a", "/a", CERTIFICATE))
    [member] = planned.group.members

    present, absent = (planned.annotation_line(member, suffix) for suffix in ("certificate-arn", "tags"))

    assert present.line == 17
    assert absent.line == 13
