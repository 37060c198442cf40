"""Clients of the run's endpoint. Nothing of the user's own AWS configuration reaches them.

They are what `boto3.client` returns; made by botocore, as boto3 does, because importing boto3 brings S3's
transfers with it and takes a tenth of a second of every start.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.session import Session

from testbed.aws import service_models
from testbed.settings import PATIENCE, REGION

if TYPE_CHECKING:
    from mypy_boto3_acm import ACMClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_route53 import Route53Client

ACCESS_KEY = "testing"
"""Neither endpoint nor moto checks keys; a real account refuses this one."""

RETRIES = 3
"""The SDKs' default."""
_NOWHERE = "/dev/null"
_ISOLATED = {
    # configuration name: (in the file, in the environment, default, conversion), as botocore wants it
    "profile": (None, None, None, None),
    "config_file": (None, None, _NOWHERE, None),
    "credentials_file": (None, None, _NOWHERE, None),
    "ca_bundle": (None, None, None, None),
    "ignore_configured_endpoint_urls": (None, None, True, None),
}


class Clients:
    """Clients by service, made when they are first used. May be shared between threads.

    Args:
        endpoint_url: the run's endpoint.
        access_key: the endpoint counts API calls for each access key as AWS does for each account.
            `calls.OBSERVER` is not counted: for those who only watch.
    """

    def __init__(self, endpoint_url: str, region: str = REGION, *, access_key: str = ACCESS_KEY) -> None:
        self._session = Session(session_vars=_ISOLATED)
        self._session.register_component("data_loader", service_models.loader())
        self._endpoint_url, self._region, self._access_key = endpoint_url, region, access_key

    @functools.cached_property
    def route53(self) -> Route53Client:
        """Route 53."""
        return self._client("route53")  # type: ignore[no-any-return]

    @functools.cached_property
    def elbv2(self) -> ElasticLoadBalancingv2Client:
        """Elastic Load Balancing v2."""
        return self._client("elbv2")  # type: ignore[no-any-return]

    @functools.cached_property
    def acm(self) -> ACMClient:
        """Certificate Manager."""
        return self._client("acm")  # type: ignore[no-any-return]

    @functools.cached_property
    def ec2(self) -> EC2Client:
        """EC2, for the subnets."""
        return self._client("ec2")  # type: ignore[no-any-return]

    def route53_with(self, retries: int) -> Route53Client:
        """Route 53, tried again so often when it throttles (ExternalDNS's `--aws-api-retries`)."""
        if retries == RETRIES:
            return self.route53
        return self._client("route53", retries)  # type: ignore[no-any-return]

    def _client(self, service: str, retries: int = RETRIES) -> Any:
        config = Config(
            connect_timeout=PATIENCE.api_call,
            read_timeout=PATIENCE.api_call,
            retries={"mode": "standard", "total_max_attempts": 1 + retries},
            max_pool_connections=20,
            proxies={},  # the endpoint is on this machine, whatever HTTP_PROXY says
        )
        return self._session.create_client(
            service,
            region_name=self._region,
            aws_access_key_id=self._access_key,
            aws_secret_access_key=ACCESS_KEY,
            endpoint_url=self._endpoint_url,
            config=config,
        )
