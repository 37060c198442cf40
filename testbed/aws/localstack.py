"""LocalStack, which stands behind the endpoint for Route 53: waiting for it, and a fresh zone in it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from testbed.aws.clients import Clients
from testbed.errors import Missing
from testbed.settings import PATIENCE

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client
    from mypy_boto3_route53.type_defs import ChangeTypeDef

LAST_FREE = "localstack/localstack:4.14.0"
NO_TOKEN = 55
"""The exit code of newer images that find no licence (`LOCALSTACK_AUTH_TOKEN`)."""
DO = (
    f"look at `docker compose logs localstack`; if it exited with code {NO_TOKEN}, its image wants a token: "
    f"set LOCALSTACK_IMAGE={LAST_FREE}, the last that needs none"
)
_UP = frozenset({"available", "running"})


def wait_until_ready(
    url: str, *, seconds: float = PATIENCE.localstack_start, gone: float = PATIENCE.localstack_gone
) -> None:
    """Wait until LocalStack's Route 53 answers.

    Args:
        url: where it listens.
        seconds: how long it may take.
        gone: how long nobody may have its address; a container that has ended has none.

    Raises:
        Missing: it does not answer in time, or its container is not there.
    """
    pause = threading.Event()
    begun = seen = time.monotonic()
    problem = ""
    while time.monotonic() < begun + seconds:
        try:
            if _route53(url) in _UP:
                return
            problem = "it has no Route 53"
        except (ConnectionError, ValueError, http.client.HTTPException) as error:  # not yet listening, or odd
            problem = str(error)
        except OSError as error:  # nobody there, or nobody who answers
            problem = str(error)
            if not _is_there(url):
                if time.monotonic() > seen + gone:
                    raise Missing(f"LocalStack at {url} is not running ({problem})", do=DO) from None
                continue
        seen = time.monotonic()
        pause.wait(PATIENCE.look)
    raise Missing(f"LocalStack at {url} is not ready within {seconds:g} s ({problem})", do=DO)


def fresh_zone(url: str, name: str) -> None:
    """Make a hosted zone of this name, without those that earlier runs left."""
    route53 = Clients(url).route53
    for page in route53.get_paginator("list_hosted_zones").paginate():
        for zone in page["HostedZones"]:
            if zone["Name"].rstrip(".") == name.rstrip("."):
                _delete(route53, zone["Id"])
    route53.create_hosted_zone(Name=name, CallerReference="testbed")


def _delete(route53: Route53Client, zone: str) -> None:
    for page in route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone):
        changes: list[ChangeTypeDef] = [
            {"Action": "DELETE", "ResourceRecordSet": record}
            for record in page["ResourceRecordSets"]
            if record["Type"] not in ("NS", "SOA")
        ]
        if changes:
            route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    route53.delete_hosted_zone(Id=zone)


def _route53(url: str) -> str:
    """The state of the service, as LocalStack's health page has it."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, PATIENCE.localstack_look)
    try:
        connection.request("GET", "/_localstack/health")
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return str(answer.get("services", {}).get("route53", ""))


def _is_there(url: str) -> bool:
    """Whether somebody has the address, listening or not: a container that has ended has none."""
    place = urlsplit(url)
    try:
        socket.create_connection((place.hostname, place.port), PATIENCE.localstack_look).close()
    except ConnectionError:  # refused: the container runs and does not listen yet
        return True
    except OSError:
        return False
    return True
