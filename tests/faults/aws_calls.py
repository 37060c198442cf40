"""Calls of a controller, each with the code of AWS's error; "" if it succeeds. Nothing is retried."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from testbed.settings import REGION
from tests.aws.conftest import Account

RECORD: Any = {"Name": "a", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "10.0.0.1"}]}


def client(account: Account, service: str) -> Any:
    """A client of the controllers' account without retries."""
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=account.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def listing(account: Account, zone: str) -> str:
    """List record sets."""
    try:
        client(account, "route53").list_resource_record_sets(HostedZoneId=zone)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def change(account: Account, zone: str) -> str:
    """Write a record."""
    record = {**RECORD, "Name": f"a.{account.zone_name(zone)}"}
    changes = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    try:
        client(account, "route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def balancers(account: Account, _: str = "") -> str:
    """Describe load balancers."""
    try:
        client(account, "elbv2").describe_load_balancers()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""
