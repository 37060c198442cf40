"""boto3 clients of the run's endpoint, isolated from the user's own AWS configuration.

They are the objects that `boto3.client` returns. botocore makes them here, as it does in boto3, because the
import of boto3 includes S3's transfers and takes a tenth of a second of every start.
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
"""Neither the endpoint nor moto checks keys; a real account refuses this one."""
RETRIES = 3
"""The SDKs' default."""
_NOWHERE = "/dev/null"
_ISOLATED = {
    # configuration name: (key in the file, in the environment, default, conversion), as botocore expects it
    "profile": (None, None, None, None),
    "config_file": (None, None, _NOWHERE, None),
    "credentials_file": (None, None, _NOWHERE, None),
    "ca_bundle": (None, None, None, None),
    "ignore_configured_endpoint_urls": (None, None, True, None),
}


class Clients:
    """Clients by service, created on first use. Threads may share them.

    Args:
        endpoint_url: the run's endpoint.
        access_key: the endpoint limits API calls for each access key as AWS does for each account.
            `api_calls.OBSERVER` has no limit: it is for parts that only watch.

    Attributes:
        region: the region of all clients.
    """

    def __init__(self, endpoint_url: str, region: str = REGION, *, access_key: str = ACCESS_KEY) -> None:
        self._session = Session(session_vars=_ISOLATED)
        self._session.register_component("data_loader", service_models.loader())
        self._endpoint_url, self.region, self._access_key = endpoint_url, region, access_key

    @functools.cached_property
    def route53(self) -> Route53Client:
        """Route 53."""
        return self._client("route53")  # type: ignore[no-any-return]

    @functools.cached_property
    def elbv2(self) -> ElasticLoadBalancingv2Client:
        """Elastic Load Balancing v2."""
        # The controller's Go SDK sends a value out of range, and AWS refuses it; botocore would not send it.
        return self._client("elbv2", parameter_validation=False)  # type: ignore[no-any-return]

    @functools.cached_property
    def acm(self) -> ACMClient:
        """Certificate Manager."""
        return self._client("acm")  # type: ignore[no-any-return]

    @functools.cached_property
    def ec2(self) -> EC2Client:
        """EC2."""
        return self._client("ec2")  # type: ignore[no-any-return]

    @property
    def session(self) -> Session:
        """botocore's session, for hooks on all clients; register them before the first client is made."""
        return self._session

    def route53_with(self, retries: int) -> Route53Client:
        """Return a client of Route 53 with another number of retries (ExternalDNS's `--aws-api-retries`)."""
        if retries == RETRIES:
            return self.route53
        return self._client("route53", retries)  # type: ignore[no-any-return]

    def _client(self, service: str, retries: int = RETRIES, **settings: Any) -> Any:
        return self._session.create_client(
            service,
            region_name=self.region,
            aws_access_key_id=self._access_key,
            aws_secret_access_key=ACCESS_KEY,
            endpoint_url=self._endpoint_url,
            config=local_config(retries).merge(Config(**settings)),
        )


def local_config(retries: int = RETRIES) -> Config:
    """Timeouts and retries of a client whose endpoint is on this machine."""
    return Config(
        connect_timeout=PATIENCE.api_call,
        read_timeout=PATIENCE.api_call,
        retries={"mode": "standard", "total_max_attempts": 1 + retries},  # the first attempt counts, too
        max_pool_connections=20,  # threads share a client, and botocore's default is 10
        proxies={},  # the endpoint is on this machine, whatever HTTP_PROXY says
    )
