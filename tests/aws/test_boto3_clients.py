from __future__ import annotations

from pathlib import Path

import pytest

from testbed.aws.boto3_clients import Clients
from tests.aws.conftest import Account


def test_nothing_of_the_users_configuration_reaches_the_clients(
    account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nendpoint_url = http://127.0.0.1:9\nregion = eu-west-1\n")
    for name, value in {
        "AWS_CONFIG_FILE": str(config),
        "AWS_PROFILE": "no-such-profile",
        "AWS_DEFAULT_PROFILE": "no-such-profile",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_ROUTE_53": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "real",
        "AWS_CA_BUNDLE": "/nowhere",
        "AWS_REGION": "eu-west-1",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    clients = Clients(account.url)
    assert clients.elbv2.meta.region_name == "ap-northeast-1"
    assert clients.route53.list_hosted_zones()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_client_is_made_once(account: Account) -> None:
    assert account.clients.elbv2 is account.clients.elbv2


def test_a_client_makes_as_many_attempts_as_configured(account: Account) -> None:
    clients = account.clients
    attempts = [
        client.meta.config.retries["total_max_attempts"]
        for client in (clients.route53, clients.route53_with(0))
    ]
    assert attempts == [4, 1]
