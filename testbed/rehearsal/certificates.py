"""Requests a certificate of ACM and validates it by DNS, as a person does."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from testbed.errors import BadInput, Missing
from testbed.rehearsal.topology import Topology
from testbed.settings import PATIENCE, PRODUCTION

if TYPE_CHECKING:
    from mypy_boto3_acm.type_defs import ResourceRecordTypeDef


def issued(topology: Topology, names: Sequence[str]) -> str:
    """Request a certificate, write its validation records, wait until it is issued, and return its ARN.

    Raises:
        BadInput: a name is in no hosted zone of the run, so nobody can write its record.
        Missing: it was not issued.
    """
    zones = _zones(topology)
    homes = {name: _zone_of(name, zones) for name in names}  # before anything is requested
    acm = topology.clients.acm
    arn = acm.request_certificate(
        DomainName=names[0], SubjectAlternativeNames=list(names), ValidationMethod="DNS"
    )["CertificateArn"]
    for option in acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]:
        _write(topology, homes[option["DomainName"]], option["ResourceRecord"])
    pause, clock = threading.Event(), topology.clock
    deadline = clock.wall() + clock.scaled(PRODUCTION.certificate_validation) + PATIENCE.condition
    while (status := acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"]) != "ISSUED":
        topology.check()
        if clock.wall() > deadline:
            raise Missing(f"the certificate of {', '.join(names)} is not issued: it is {status}")
        pause.wait(PATIENCE.look)
    return arn


def _write(topology: Topology, zone: str, record: ResourceRecordTypeDef) -> None:
    topology.clients.route53.change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={
            "Changes": [
                {
                    # Not CREATE: a further certificate of the same name has the same record.
                    "Action": "UPSERT",
                    "ResourceRecordSet": {
                        "Name": record["Name"],
                        "Type": "CNAME",
                        "TTL": 300,
                        "ResourceRecords": [{"Value": record["Value"]}],
                    },
                }
            ]
        },
    )


def _zones(topology: Topology) -> dict[str, str]:
    pages = topology.clients.route53.get_paginator("list_hosted_zones").paginate()
    return {zone["Id"]: zone["Name"].rstrip(".") for page in pages for zone in page["HostedZones"]}


def _zone_of(name: str, zones: Mapping[str, str]) -> str:
    domain = name.removeprefix("*.").rstrip(".").lower()
    found = [zone for zone, its_name in zones.items() if f".{domain}".endswith(f".{its_name}")]
    if not found:
        raise BadInput(
            f"no hosted zone holds {name}, so its certificate cannot be validated",
            do=f"ask for names of {', '.join(zones.values())} only",
        )
    return max(found, key=lambda zone: len(zones[zone]))
