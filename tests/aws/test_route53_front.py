from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from testbed import journal
from testbed.aws import route53_front
from testbed.aws.api_calls import OBSERVER
from testbed.aws.aws_endpoint import AwsEndpoint
from testbed.aws.boto3_clients import Clients
from testbed.aws.certificate_store import CertificateStore
from testbed.aws.change_feed import ChangeFeed
from testbed.clock import Clock
from testbed.network import AWS_PORT, lease
from testbed.runtime.loop_thread import LoopThread
from testbed.settings import Production
from tests.aws.conftest import Account

NLB_ZONE = "Z31USIVHYNEOWT"


def send(account: Account, zone: str, *changes: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    listed: Any = [{"Action": action, "ResourceRecordSet": content} for action, content in changes]
    answer = account.clients.route53.change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Comment": "a test & more", "Changes": listed}
    )
    return dict(answer["ChangeInfo"])


def record(zone_name: str, value: str = "192.0.2.1", **more: Any) -> dict[str, Any]:
    content = {"Name": f"api.{zone_name}", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": value}]}
    return {**content, **more}


def stored(account: Account, zone: str) -> list[dict[str, Any]]:
    listed = account.clients.route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return [dict(one) for one in listed if one["Type"] not in ("NS", "SOA")]


@pytest.fixture
def zone(account: Account) -> str:
    return account.zone()


def test_a_batch_is_kept(account: Account, zone: str) -> None:
    name = account.zone_name(zone)
    text = {"Name": name, "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": '"a, <b> & c"'}]}
    send(account, zone, ("CREATE", record(name)), ("UPSERT", text))
    assert [(one["Name"], one["Type"]) for one in stored(account, zone)] == [
        (f"{name}.", "TXT"),
        (f"api.{name}.", "A"),
    ]
    assert stored(account, zone)[0]["ResourceRecords"] == [{"Value": '"a, <b> & c"'}]


def test_a_refused_batch_changes_nothing_and_says_why(account: Account, zone: str) -> None:
    name = account.zone_name(zone)
    send(account, zone, ("CREATE", record(name)))
    before = account.changes.revision("route53")
    with pytest.raises(account.clients.route53.exceptions.InvalidChangeBatch) as refused:
        send(account, zone, ("UPSERT", record(name, "192.0.2.9")), ("CREATE", record(f"www.{name}")),
             ("DELETE", record(f"gone.{name}")))  # fmt: skip
    assert refused.value.response["Error"]["Message"] == (
        f"[Tried to delete resource record set [name='api.gone.{name}.', type='A'] but it was not found]"
    )
    assert [one["ResourceRecords"] for one in stored(account, zone)] == [[{"Value": "192.0.2.1"}]]
    assert account.changes.revision("route53") == before


def test_the_journal_has_each_batch_accepted_or_refused(account: Account, zone: str) -> None:
    name = account.zone_name(zone)
    send(account, zone, ("CREATE", record(name)))
    with pytest.raises(ClientError):
        send(account, zone, ("CREATE", record(name)))
    taken, refused = [one for one in account.events(journal.DnsChange) if one.zone == f"{name}."]
    assert (taken.refused, taken.changes[0]["ResourceRecordSet"]["Name"]) == ("", f"api.{name}")
    assert "already exists" in refused.refused
    calls = [one for one in account.events(journal.ApiCall) if f"{name}." in one.summary]
    assert [(one.operation, one.status) for one in calls] == [
        ("ChangeResourceRecordSets", 200),
        ("ChangeResourceRecordSets", 400),
    ]


def test_each_change_of_the_zone_is_fed_on(account: Account, zone: str) -> None:
    before = account.changes.revision("route53")
    send(account, zone, ("CREATE", record(account.zone_name(zone))))
    assert account.changes.revision("route53") == before + 1


def test_alias_names_are_stored_in_lower_case_with_a_dot(account: Account, zone: str) -> None:
    target = "LB-1.elb.ap-northeast-1.amazonaws.com"
    alias = {"DNSName": target, "HostedZoneId": NLB_ZONE, "EvaluateTargetHealth": True}
    content = {"Name": f"API.{account.zone_name(zone)}", "Type": "A", "AliasTarget": alias}
    send(account, zone, ("CREATE", content))
    found = stored(account, zone)[0]
    assert found["AliasTarget"]["DNSName"] == "lb-1.elb.ap-northeast-1.amazonaws.com."
    assert found["Name"] == f"api.{account.zone_name(zone)}."
    send(account, zone, ("DELETE", content))
    assert not stored(account, zone)


def test_a_wildcard_is_stored_in_octal_and_deleted_as_it_was_written(account: Account, zone: str) -> None:
    content = record(account.zone_name(zone)) | {"Name": f"*.{account.zone_name(zone)}"}
    send(account, zone, ("CREATE", content))
    assert stored(account, zone)[0]["Name"] == f"\\052.{account.zone_name(zone)}."
    send(account, zone, ("DELETE", content))
    assert not stored(account, zone)


def test_one_of_two_weighted_sets_is_deleted_alone(account: Account, zone: str) -> None:
    name = account.zone_name(zone)
    one, two = (record(name, SetIdentifier=which, Weight=1) for which in ("nlb", "alb"))
    other = record(name, SetIdentifier="nlb", Weight=1) | {"Name": f"www.{name}"}
    send(account, zone, ("CREATE", one), ("CREATE", two), ("CREATE", other))
    send(account, zone, ("DELETE", one))
    assert [(left["Name"], left["SetIdentifier"]) for left in stored(account, zone)] == [
        (f"api.{name}.", "alb"),
        (f"www.{name}.", "nlb"),
    ]


def test_batches_that_come_at_once_are_taken_one_after_the_other(account: Account, zone: str) -> None:
    name, outcomes = account.zone_name(zone), []

    def create() -> None:
        try:
            send(account, zone, ("CREATE", record(name)))
            outcomes.append("created")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["InvalidChangeBatch"] * 5 + ["created"]


def test_what_was_written_before_the_endpoint_started_counts(account: Account) -> None:
    zone = account.zone()
    name = account.zone_name(zone)
    account.behind.route53.change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record(name)}]},  # type: ignore[typeddict-item]
    )
    with pytest.raises(account.clients.route53.exceptions.InvalidChangeBatch, match="already exists"):
        send(account, zone, ("CREATE", record(name)))
    send(account, zone, ("DELETE", record(name)))


def test_a_deleted_zone_is_forgotten(account: Account) -> None:
    zone = account.zone()
    name = account.zone_name(zone)
    send(account, zone, ("CREATE", record(name)))
    with pytest.raises(account.clients.route53.exceptions.HostedZoneNotEmpty):
        account.clients.route53.delete_hosted_zone(Id=zone)
    send(account, zone, ("DELETE", record(name)))
    account.clients.route53.delete_hosted_zone(Id=zone)
    with pytest.raises(account.clients.route53.exceptions.NoSuchHostedZone):
        send(account, zone, ("CREATE", record(name)))


def test_a_zone_that_is_not_there_has_no_records_to_change(account: Account) -> None:
    with pytest.raises(account.clients.route53.exceptions.NoSuchHostedZone):
        send(account, "ZNOTTHERE", ("CREATE", record("example.com")))


def test_a_change_is_pending_when_it_is_answered_and_in_sync_later(account: Account, zone: str) -> None:
    info = send(account, zone, ("CREATE", record(account.zone_name(zone))))
    assert (info["Status"], info["Comment"]) == ("PENDING", "a test & more")
    later = account.clients.route53.get_change(Id=info["Id"])["ChangeInfo"]
    assert (later["Status"], later["SubmittedAt"]) == ("INSYNC", info["SubmittedAt"])
    account.clients.route53.get_waiter("resource_record_sets_changed").wait(Id=info["Id"])


def test_a_change_stays_pending_while_it_spreads(
    account: Account, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route53_front, "PRODUCTION", Production(route53_propagation=1e9))
    info = send(account, zone, ("CREATE", record(account.zone_name(zone))))
    assert account.clients.route53.get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "PENDING"


@pytest.fixture
def slow(moto: str, servers: LoopThread, tmp_path: Path) -> Iterator[str]:
    """An endpoint at production speed."""
    with lease() as network, journal.Journal(tmp_path / "journal.ndjson") as run_journal:
        endpoint = AwsEndpoint(
            network.control,
            AWS_PORT,
            moto,
            changes=ChangeFeed(),
            certificates=CertificateStore(tmp_path / "tls"),
            run_journal=run_journal,
            clock=Clock(0.001),  # so slow that no token comes back during the test
        )
        servers.run(endpoint.start())
        yield network.aws_endpoint
        servers.run(endpoint.stop())


def test_the_sixth_call_of_a_second_meets_throttling_and_another_account_does_not(slow: str) -> None:
    once = Config(retries={"total_max_attempts": 1})  # the SDK would hide the refusal behind three more
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "a", "region_name": "us-east-1"}
    route53 = boto3.client("route53", endpoint_url=slow, config=once, **keys)
    for _ in range(5):
        route53.list_hosted_zones()
    with pytest.raises(ClientError) as refused:
        route53.list_hosted_zones()
    assert refused.value.response["Error"]["Code"] == "Throttling"
    assert refused.value.response["Error"]["Message"] == "Rate exceeded"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    Clients(slow, access_key="others").route53.list_hosted_zones()
    watcher = Clients(slow, access_key=OBSERVER)
    for _ in range(6):
        watcher.route53.list_hosted_zones()
    Clients(slow, access_key="a").elbv2.describe_load_balancers()
