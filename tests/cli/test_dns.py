"""`testbed dns` as an operator uses it: manifests and a zone file in, batches and reasons out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from testbed.cli import _run
from testbed.cli.dns import dns

NLB = "a0123.elb.eu-west-1.amazonaws.com"
ALB = "k8s-web-0123.eu-west-1.elb.amazonaws.com"
SOA = {
    "Name": "example.com.",
    "Type": "SOA",
    "TTL": 900,
    "ResourceRecords": [{"Value": "a. b. 1 7200 900 1209600 86400"}],
}
HOST = "app.example.com"
ARGS = ("--source=service", "--source", "ingress", "--policy=sync", "--txt-owner-id=me")
ALPHA = "external-dns.alpha.kubernetes.io/hostname"


def owner_txt(name: str, owner: str, resource: str) -> dict[str, Any]:
    value = f'"heritage=external-dns,external-dns/owner={owner},external-dns/resource={resource}"'
    return {"Name": f"{name}.", "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": value}]}


def alias(target: str, name: str = HOST) -> dict[str, Any]:
    zone = "Z2IFOLAFXWLO4F" if ".elb.eu" in target else "Z32O12XQLNTSW2"
    return {
        "Name": f"{name}.",
        "Type": "A",
        "AliasTarget": {"HostedZoneId": zone, "DNSName": f"{target}.", "EvaluateTargetHealth": True},
    }


def service(hostname: str = NLB, key: str = ALPHA) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "annotations": {key: HOST}},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 443}]},
        "status": {"loadBalancer": {"ingress": [{"hostname": hostname}]} if hostname else {}},
    }


def ingress(name: str = "web", hostname: str = ALB) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name},
        "spec": {"rules": [{"host": HOST}]},
        "status": {"loadBalancer": {"ingress": [{"hostname": hostname}]} if hostname else {}},
    }


class Desk:
    """Files of an operator, and the command run on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, content: Any) -> Path:
        path = self.folder / name
        path.write_text(json.dumps(content, indent=2))
        return path

    def zone(self, *records: Any) -> Path:
        return self.write("zone.json", {"ResourceRecordSets": [SOA, *records]})

    def objects(self, *items: Any) -> Path:
        return self.write("objects.json", {"apiVersion": "v1", "kind": "List", "items": items})

    def run(self, *arguments: str, flags: tuple[str, ...] = ARGS) -> str:
        files = ("--manifests", str(self.folder / "objects.json"), "--zone", str(self.folder / "zone.json"))
        result = CliRunner().invoke(dns, [*arguments, *files, *flags], catch_exceptions=False)
        assert result.exit_code == 0
        return result.output

    def plan(self, version: str, *more: str) -> Any:
        return orjson.loads(self.run("plan", "--version", version, "-o", "json", *more))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_cutover_is_planned_as_one_batch_of_upserts_in_the_form_of_the_api(desk: Desk) -> None:
    desk.objects(ingress())
    desk.zone(alias(NLB), owner_txt(HOST, "me", "service/default/web"))
    found = desk.plan("v0.7.4")
    [batch] = found["batches"]
    assert batch["zone"] == "example.com"
    assert batch["refusal"] == ""
    assert [(one["Action"], one["ResourceRecordSet"]["Type"]) for one in batch["changes"]] == [
        ("UPSERT", "A"),
        ("UPSERT", "TXT"),
    ]
    assert batch["changes"][0]["ResourceRecordSet"]["AliasTarget"]["DNSName"] == ALB
    [decision] = found["decisions"]
    assert (decision["outcome"], decision["reason"]) == ("update", "only-claimant")
    assert decision["sentence"].startswith(f"{HOST} moves to ingress/default/web")


def test_a_name_that_both_claim_stays_and_the_text_says_why(desk: Desk) -> None:
    desk.objects(service(), ingress())
    desk.zone(alias(ALB), owner_txt(HOST, "me", "ingress/default/web"))
    text = desk.run("plan", "--version=v0.7.4")
    assert "ExternalDNS would send nothing." in text
    assert f"{HOST} stays with ingress/default/web, which its TXT names" in " ".join(text.split())
    assert "-> it moves when ingress/default/web gives up the name" in " ".join(text.split())


def test_every_line_fits_a_terminal_of_100_columns(desk: Desk) -> None:
    desk.objects(service(), ingress("web-a"), ingress("web-b"), ingress("bare", hostname=""))
    desk.zone(alias(ALB), owner_txt(HOST, "me", "ingress/default/web-a"))
    for version in ("v0.7.4", "v0.7.5", "v0.22"):
        text = desk.run("plan", f"--version={version}")
        assert max(len(line) for line in text.splitlines()[2:]) <= 100


def test_an_object_without_an_address_is_told_with_its_place_and_what_helps(desk: Desk) -> None:
    path = desk.objects(service(""), ingress())
    desk.zone()
    text = " ".join(desk.run("plan", "--version=v0.7.4").split())
    assert "Careful: without an address, and so without a claim: service/default/web." in text
    assert "`kubectl get service,ingress -A -o yaml`" in text
    assert f"({path}:5)" in text
    given = desk.plan("v0.7.4", "--status", f"service/web={NLB}")
    claimants = [claim["resource"] for claim in given["decisions"][0]["claimants"]]
    assert sorted(claimants) == ["ingress/default/web", "service/default/web"]


def test_an_annotation_with_the_old_prefix_is_not_read_by_the_newest_version(desk: Desk) -> None:
    desk.objects(service())
    desk.zone()
    [decision] = desk.plan("v0.22")["decisions"]
    assert decision["reason"] == "other-annotation-prefix"
    found = desk.plan("v0.22", "--annotation-prefix=external-dns.alpha.kubernetes.io/")
    assert [one["outcome"] for one in found["decisions"]] == ["create", "create"]


def test_what_depends_on_the_order_of_the_objects_is_told_with_the_other_outcomes(desk: Desk) -> None:
    desk.objects(service(), ingress("web-a"), ingress("web-b"))
    desk.zone(alias(ALB), owner_txt(HOST, "me", "ingress/default/web-a"))
    found = desk.plan("v0.7.4")
    batches = [found["batches"], *found["other_orders"]]
    assert sorted(len(one) for one in batches) == [0, 1]
    assert "This depends on chance" in desk.run("plan", "--version=v0.7.4")


def test_a_dry_run_deployment_is_planned_as_if_it_were_wet(desk: Desk) -> None:
    desk.objects(ingress())
    desk.zone()
    assert len(desk.plan("v0.22", "--dry-run")["batches"]) == 1


def test_the_zone_that_is_given_is_the_one_that_the_flags_choose(desk: Desk) -> None:
    desk.objects(ingress())
    desk.zone()
    found = desk.plan("v0.22", "--zone-id-filter=Z123", "--aws-zone-type=private", "--aws-zone-tags=a=b")
    assert len(found["batches"]) == 1


def test_a_node_port_service_is_planned_with_the_nodes_of_the_manifests(desk: Desk) -> None:
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "one"},
        "status": {"addresses": [{"type": "ExternalIP", "address": "192.0.2.9"}]},
    }
    item = {**service(""), "spec": {"type": "NodePort", "ports": [{"port": 443, "nodePort": 30443}]}}
    desk.objects(item, node)
    desk.zone()
    [batch] = desk.plan("v0.7.4")["batches"]
    values = [one["ResourceRecordSet"].get("ResourceRecords") for one in batch["changes"]]
    assert [{"Value": "192.0.2.9"}] in values


def test_what_route_53_would_refuse_is_told(desk: Desk) -> None:
    desk.objects(ingress())
    desk.zone(owner_txt(HOST, "me", "service/default/web"))
    text = " ".join(desk.run("plan", "--version=v0.7.4").split())
    assert "Route 53 refuses it: InvalidChangeBatch: [Tried to create resource record set" in text


def test_a_name_is_explained_with_its_claimants_and_the_way_back(desk: Desk) -> None:
    path = desk.objects(service(), ingress())
    desk.zone(alias(NLB), owner_txt(HOST, "me", "service/default/web"))
    text = desk.run("explain", HOST, "--version=v0.7.4")
    assert f"service/default/web ({path}:5)" in " ".join(text.split())
    assert "To move it back without a gap" in text
    found = orjson.loads(desk.run("explain", HOST, "--version=v0.7.4", "-o", "json"))
    assert found["labels"][0]["owner"] == "me"
    assert found["to_move"][0]["commands"] == [f"kubectl annotate -n default service/web {ALPHA}-"]


def test_an_explanation_says_that_route_53_refuses_the_batch(desk: Desk) -> None:
    desk.objects(ingress())
    desk.zone(owner_txt(HOST, "me", "service/default/web"))
    text = " ".join(desk.run("explain", HOST, "--version=v0.7.4").split())
    assert "But Route 53 refuses the batch, and nothing changes: InvalidChangeBatch" in text


def deployment(image: str, *args: str) -> dict[str, Any]:
    containers = [{"name": "a", "image": image, "args": list(args)}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "external-dns", "namespace": "dns"},
        "spec": {"template": {"spec": {"containers": containers}}},
    }


def test_two_deployments_are_planned_each_with_its_own_release_and_flags(desk: Desk) -> None:
    old = deployment("acme/external-dns:0.14.2", "--source=ingress", "--txt-owner-id=a")
    new = deployment("acme/external-dns:0.21.0", "--source=ingress", "--txt-owner-id=b")
    new["metadata"]["name"] = "external-dns-new"
    desk.objects(ingress(), old, new)
    desk.zone()
    text = desk.run("plan", flags=())
    assert "ExternalDNS v0.14.2 --source=ingress --txt-owner-id=a" in text
    assert "ExternalDNS v0.21.0 --source=ingress --txt-owner-id=b" in text
    found = orjson.loads(desk.run("plan", "-o", "json", flags=()))
    assert [one["release"]["release"] for one in found] == ["v0.14.2", "v0.21.0"]
    assert "dns/external-dns-new" in found[1]["release"]["by"]


def test_without_a_listing_the_plan_is_for_an_empty_zone_and_says_so(desk: Desk) -> None:
    path = desk.objects(ingress())
    result = CliRunner().invoke(dns, ["plan", "--manifests", str(path), *ARGS], catch_exceptions=False)
    assert "No --zone is given: planned against an empty hosted zone example.com." in result.output
    assert f"CREATE  {HOST} A alias {ALB}" in result.output


def test_annotations_under_a_prefix_that_is_not_read_are_told_with_what_they_would_do(desk: Desk) -> None:
    desk.objects(service())
    desk.zone()
    text = " ".join(desk.run("plan", "--external-dns", "v0.22.0").split())
    assert "ExternalDNS would send nothing." in text
    _, careful, rest = text.partition("With --annotation-prefix=external-dns.alpha.kubernetes.io/ it would")
    assert careful
    assert f"CREATE {HOST} A alias {NLB}" in rest


def test_an_upgrade_is_told_there_and_back(desk: Desk) -> None:
    desk.objects(service())
    desk.zone()
    text = desk.run("upgrade", "v0.21", "v0.22.0")
    flat = " ".join(text.split())
    assert "ExternalDNS v0.21.0 to v0.22.0, and back" in flat
    assert f"no longer read: {ALPHA} of service/default/web" in flat
    assert flat.count(f"CREATE {HOST} A alias {NLB}") == 2
    form = orjson.loads(desk.run("upgrade", "v0.21", "v0.22.0", "-o", "json"))
    assert (form["from"], form["to"], form["upgrade"]["syncs"][0]["batches"]) == ("v0.21.0", "v0.22.0", [])


def test_an_upgrade_warns_of_objects_without_an_address_before_it_deletes_their_records(desk: Desk) -> None:
    desk.objects(service(""))
    desk.zone(alias(NLB), owner_txt(HOST, "me", "service/default/web"))
    text = desk.run("upgrade", "v0.14.0", "v0.21")
    careful, _, rest = " ".join(text.split()).partition("Without an upgrade:")
    assert "Careful: without an address, and so without a claim: service/default/web." in careful
    assert "may be deleted for that reason alone." in careful
    assert f"DELETE {HOST} A" in rest
    assert max(map(len, text.partition("Careful")[2].splitlines())) <= 100
    given = desk.run("upgrade", "v0.14.0", "v0.21", "--status", f"service/web={NLB}")
    assert "Careful" not in given


def test_an_upgrade_says_that_its_zone_is_empty_and_where_its_flags_come_from(desk: Desk) -> None:
    def first_lines(*flags: str) -> str:
        command = ["upgrade", "v0.14.0", "v0.21", "--manifests", str(path), *flags]
        text = CliRunner().invoke(dns, command, catch_exceptions=False).output
        return " ".join(text.partition("Without an upgrade")[0].split())

    path = desk.objects(ingress())
    assert "No --zone is given: planned against an empty hosted zone example.com." in first_lines(*ARGS)
    assert "The flags are those of the command line." in first_lines(*ARGS)
    assert "The flags are assumed" in first_lines()
    path = desk.objects(
        ingress(), deployment("acme/external-dns:0.14.0", "--source=ingress", "--txt-owner-id=me")
    )
    assert f"The flags are those of Deployment dns/external-dns, {path}:" in first_lines()


def test_an_upgrade_to_a_release_that_never_was_is_refused(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(["dns", "upgrade", "v0.13.3", "v0.14.0", "--manifests", str(desk.objects(service()))]) == 2
    assert "dns upgrade: there is no ExternalDNS v0.13.3; use v0.13.2 and v0.13.4" in capsys.readouterr().err


@pytest.mark.parametrize("command", [("plan",), ("explain", HOST)], ids=["plan", "explain"])
def test_release_and_flags_are_those_of_the_deployment(desk: Desk, command: tuple[str, ...]) -> None:
    desk.objects(ingress(), deployment("acme/external-dns:0.7.5", "--source=ingress", "--txt-owner-id=you"))
    desk.zone(alias(NLB), owner_txt(HOST, "you", "ingress/default/web"))
    path = desk.folder / "objects.json"
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if '"image"' in text)
    first, second, *_ = desk.run(*command, flags=()).splitlines()
    assert first == "ExternalDNS v0.7.5 --source=ingress --txt-owner-id=you"
    assert second == f"The release is that of Deployment dns/external-dns, {desk.folder}/objects.json:{line}."


def test_flags_and_a_release_that_are_given_win_over_the_deployments(desk: Desk) -> None:
    desk.objects(ingress(), deployment("acme/external-dns:0.7.5", "--source=service", "--txt-owner-id=you"))
    desk.zone(alias(NLB), owner_txt(HOST, "me", "ingress/default/web"))
    assert desk.run("plan").startswith("ExternalDNS v0.7.5 --source=service --source ingress")
    lines = desk.run("plan", "--external-dns", "v0.7.4", flags=()).splitlines()
    assert lines[0] == "ExternalDNS v0.7.4 --source=service --txt-owner-id=you"
    assert not lines[1].startswith("The release")


def test_variables_of_the_environment_are_flags_that_are_given(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXTERNAL_DNS_SOURCE", "ingress")
    desk.objects(ingress(), deployment("acme/external-dns:0.7.5", "--source=service"))
    desk.zone()
    assert "source=service" not in desk.run("plan", flags=()).splitlines()[0]


def test_a_deployed_release_that_the_table_lacks_is_said(desk: Desk) -> None:
    desk.objects(ingress(), deployment("acme/external-dns:0.13.3", "--source=ingress"))
    desk.zone()
    text = desk.run("plan", flags=())
    assert "\nthere is no ExternalDNS v0.13.3; the testbed decides as v0.13.2 does.\n" in text


def test_a_flag_of_the_deployment_that_its_release_does_not_know_is_named_with_its_line(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    path = desk.objects(ingress(), deployment("acme/external-dns:0.7.4", "--source=ingress", "--nonsense"))
    assert _run(["dns", "plan", "--manifests", str(path), "--zone", str(desk.zone())]) == 2
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if "nonsense" in text)
    error = capsys.readouterr().err
    assert error.startswith(f"testbed: {path}:{line}: ExternalDNS flags: unknown long flag '--nonsense'")


def test_without_flags_both_sources_are_assumed(desk: Desk) -> None:
    desk.objects(ingress())
    desk.zone()
    assert "--source=service --source=ingress --policy=sync" in desk.run("plan", flags=())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--version=v0.13.3",), "there is no ExternalDNS v0.13.3"),
        (("--no-such-flag",), "unknown long flag '--no-such-flag'"),
        (("--policy=upsert-only",), "'policy' cannot be repeated"),
        (("--status=web",), "is not KIND/NAMESPACE/NAME=HOSTNAME"),
        (("--status=service/other/web=x.example.org",), "no such object in the manifests"),
    ],
)
def test_bad_input_ends_in_one_line_and_exit_code_2(
    desk: Desk, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    files = ("--manifests", str(desk.objects(ingress())), "--zone", str(desk.zone()))
    assert _run(["dns", "plan", *files, *ARGS, *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


HISTORY = {
    "schema": "external-dns-scenarios/1",
    "scenarios": [
        {
            "id": "one",
            "name": "a cutover",
            "config": {"policy": "sync", "owner_id": "me"},
            "steps": [
                {"label": "the Service", "do": [{"apply": service()}], "syncs": 2},
                {"label": "the Ingress", "do": [{"apply": ingress()}], "syncs": 1},
                {"label": "the Service lets go", "do": [{"apply": service(key="other")}], "syncs": 1},
            ],
        }
    ],
}


def replayed(desk: Desk, *arguments: str) -> str:
    path = desk.write("history.json", HISTORY)
    result = CliRunner().invoke(dns, ["replay", str(path), *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_a_history_is_played_sync_by_sync_into_the_same_list_of_scenarios(desk: Desk) -> None:
    found = orjson.loads(replayed(desk, "--version=v0.7.4", "-o", "json"))
    [scenario] = found["scenarios"]
    assert scenario["id"] == "one"
    assert [len(step["result"]["syncs"]) for step in scenario["steps"]] == [2, 1, 1]
    first, second = scenario["steps"][0]["result"]["syncs"]
    assert [one["action"] for one in first["batches"][0]["changes"]] == ["CREATE", "CREATE"]
    assert second == {"batches": [], "log": ["info: All records are already up to date"]}
    zone = scenario["steps"][-1]["result"]["hosted_zone"]
    assert [(one["type"], one.get("alias")) for one in zone] == [("A", ALB), ("TXT", None)]


def test_a_history_is_told_with_reasons_in_lines_that_fit(desk: Desk) -> None:
    text = replayed(desk, "--version=v0.22")
    assert "sync 2: nothing is sent" in text
    for kind in ("A", "AAAA"):
        assert f"{HOST} {kind} moves to ingress/default/web" in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_a_step_is_played_with_the_release_that_it_names_whatever_the_option_says(desk: Desk) -> None:
    scenario = HISTORY["scenarios"][0]
    releases = ("v0.14.2", "v0.14.2", "v0.21.0")
    steps = [{**step, "release": tag} for step, tag in zip(scenario["steps"], releases, strict=True)]
    whole = {"schema": "external-dns-upgrades/1", "scenarios": [{**scenario, "steps": steps}]}
    path = desk.write("upgrade.json", whole)
    for arguments in ((), ("--external-dns", "v0.7.4")):
        result = CliRunner().invoke(dns, ["replay", str(path), *arguments], catch_exceptions=False)
        before, _, after = result.output.partition("ExternalDNS v0.21.0 from here on")
        assert before.count("from here on") == 1
        assert ("AAAA alias" in before, "AAAA" in after) == (False, True)
    compared = ["replay", str(path), "--compare", "v0.7.4", "v0.14.2", "-o", "json"]
    found = orjson.loads(CliRunner().invoke(dns, compared, catch_exceptions=False).output)
    assert found["compare"] == ["v0.7.4", "v0.14.2"]
    assert found["scenarios"][0]["partings"] == []


def test_versions_are_compared_with_what_the_upgrade_would_send(desk: Desk) -> None:
    text = replayed(desk, "--compare", "v0.7.4", "v0.22")
    assert f"only v0.22.0: {HOST} AAAA alias" in text
    assert "upgrade: v0.22.0 over what v0.7.4 left" in text
    found = orjson.loads(replayed(desk, "--compare", "v0.7.4", "v0.22", "-o", "json"))
    assert found["compare"] == ["v0.7.4", "v0.22.0"]
    assert [one["step"] for one in found["scenarios"][0]["partings"]] == [1, 3]


def test_a_list_with_a_broken_item_names_its_line(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    broken = {**ingress(), "spec": {"rules": "app.example.com"}}
    path = desk.objects(service(), broken)
    assert _run(["dns", "plan", "--manifests", str(path), "--zone", str(desk.zone()), *ARGS]) == 2
    error = capsys.readouterr().err
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if '"rules"' in text)
    assert error.startswith(f"testbed: {path}:{line}: Ingress web: ")
    assert error.count("\n") == 1
