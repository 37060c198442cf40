"""LocalStack, the backend for Route 53 on Docker Compose: wait until it answers, and empty a zone in it.

Its clients and its endpoint come from localstack-client, LocalStack's own Python package.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from testbed.aws.boto3_clients import local_config
from testbed.errors import Missing
from testbed.settings import PATIENCE, REGION

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client
    from mypy_boto3_route53.type_defs import ChangeTypeDef

LAST_FREE = "localstack/localstack:4.14.0"
NO_TOKEN = 55
"""The exit code of newer images that find no licence (`LOCALSTACK_AUTH_TOKEN`)."""
DO = (
    f"look at `docker compose logs localstack`; if it exited with code {NO_TOKEN}, its image needs a token: "
    f"set LOCALSTACK_IMAGE={LAST_FREE}, the last image that needs none"
)
_READY = frozenset({"available", "running"})


def endpoint(host: str) -> str:
    """The URL of Route 53 in the LocalStack that runs at a host, e.g. `http://10.91.64.10:4566`.

    Raises:
        Missing: an environment variable sends localstack-client to another endpoint.
    """
    from localstack_client import config  # imports boto3, which only this service of Compose needs

    url = str(config.get_service_endpoint("route53", localstack_host=host))
    if urlsplit(url).hostname != host.partition(":")[0]:
        # `fresh_zone` deletes a zone: it must never reach what AWS_ENDPOINT_URL names.
        raise Missing(f"localstack-client would call {url} instead of {host}", do="unset AWS_ENDPOINT_URL")
    return url


def wait_until_ready(
    url: str, *, seconds: float = PATIENCE.localstack_start, gone: float = PATIENCE.localstack_gone
) -> None:
    """Wait until LocalStack's Route 53 answers.

    Args:
        url: the URL that `endpoint` returns.
        seconds: wall seconds that it may take.
        gone: wall seconds that its address may be unreachable; a container that has ended has no address.

    Raises:
        Missing: it does not answer in time, or its container is not there.
    """
    pause = threading.Event()
    begun = seen = time.monotonic()
    problem = ""
    while time.monotonic() < begun + seconds:
        try:
            if _route53_state(url) in _READY:
                return
            problem = "it has no Route 53"
        except (ConnectionError, ValueError, http.client.HTTPException) as error:
            problem = str(error)  # it does not listen yet, or its answer is not a health page
        except OSError as error:  # unreachable, or silent
            problem = str(error)
            if not _has_address(url):
                if time.monotonic() > seen + gone:
                    raise Missing(f"LocalStack at {url} is not running ({problem})", do=DO) from None
                continue
        seen = time.monotonic()
        pause.wait(PATIENCE.look)
    raise Missing(f"LocalStack at {url} is not ready within {seconds:g} s ({problem})", do=DO)


def fresh_zone(url: str, name: str) -> None:
    """Create a hosted zone, and delete those of the same name that earlier runs left.

    Args:
        url: the URL that `endpoint` returns.
        name: name of the zone.
    """
    from localstack_client.session import Session

    session = Session(region_name=REGION, localstack_host=urlsplit(url).netloc)
    route53: Route53Client = session.client("route53", config=local_config())
    for page in route53.get_paginator("list_hosted_zones").paginate():
        for zone in page["HostedZones"]:
            if zone["Name"].rstrip(".") == name.rstrip("."):
                _delete(route53, zone["Id"])
    route53.create_hosted_zone(Name=name, CallerReference="testbed")


def _delete(route53: Route53Client, zone: str) -> None:
    # Route 53 deletes a zone only once no record sets but its own NS and SOA are left.
    for page in route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone):
        changes: list[ChangeTypeDef] = [
            {"Action": "DELETE", "ResourceRecordSet": record}
            for record in page["ResourceRecordSets"]
            if record["Type"] not in ("NS", "SOA")
        ]
        if changes:
            route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    route53.delete_hosted_zone(Id=zone)


def _route53_state(url: str) -> str:
    """Return the state of Route 53 on LocalStack's health page."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, PATIENCE.localstack_look)
    try:
        connection.request("GET", "/_localstack/health")
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return str(answer.get("services", {}).get("route53", ""))


def _has_address(url: str) -> bool:
    """True if a container has the address, whether it listens or not; one that has ended has none."""
    place = urlsplit(url)
    try:
        socket.create_connection((place.hostname, place.port), PATIENCE.localstack_look).close()
    except ConnectionError:  # refused: the container runs and does not listen yet
        return True
    except OSError:
        return False
    return True
