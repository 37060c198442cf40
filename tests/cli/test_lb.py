"""`testbed lb plan` as an operator uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed.cli.lb import lb
from tests.check.manifests_of_traps import INGRESS, PLAIN, SERVICE, folder
from tests.cli.runs import run
from tests.lb_controller.offline.edits_of_a_shop import ingress

CONTROLLER = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: lbc, namespace: kube-system}
spec: {template: {spec: {containers: [{name: a, image: "eks/aws-load-balancer-controller:TAG"}]}}}
"""


@pytest.fixture
def k8s(tmp_path: Path) -> Path:
    return folder(tmp_path / "k8s", SERVICE, PLAIN, INGRESS)


def test_balancers_are_printed_for_a_person_and_as_json(
    k8s: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = run(capsys, "lb", "plan", "--manifests", str(k8s))
    assert (done.code, done.err) == (0, "")
    assert "Service default/web" in done.out
    found = json.loads(run(capsys, "lb", "plan", "--manifests", str(k8s), "-o", "json").out)
    assert len(found["stacks"]) == 2


def test_the_release_of_the_deployment_decides_and_is_printed(
    tmp_path: Path, k8s: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed = folder(tmp_path / "lbc", CONTROLLER.replace("TAG", "v2.1.3"))
    done = run(capsys, "lb", "plan", "--manifests", str(k8s), "--manifests", str(deployed))
    first = done.out.splitlines()[0]
    assert first == (f"AWS Load Balancer Controller v2.1.3 (Deployment kube-system/lbc, {deployed}/1.yaml:4)")
    rest = done.out.partition("\n\n")[2]
    assert rest == run(capsys, "lb", "plan", "--manifests", str(k8s), "--lb-controller", "v2.1").out


def test_a_tag_that_never_existed_is_played_by_the_one_before_which_is_said(
    tmp_path: Path, k8s: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed = folder(tmp_path / "lbc", CONTROLLER.replace("TAG", "v2.8.9"))
    done = run(capsys, "lb", "plan", "--manifests", str(k8s), "--manifests", str(deployed))
    words = "there is no AWS Load Balancer Controller v2.8.9; the testbed decides as v2.8.3 does"
    assert words in done.out.splitlines()[0]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--controller-version", "v2.1"),
        ("--lb-controller", "v2.1.0"),
        ("--external-dns", "v0.22", "--lb-controller=2.1.3"),
    ],
)
def test_a_release_has_one_name_in_all_commands_and_an_older_one(
    k8s: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    plan = ("lb", "plan", "--manifests", str(k8s))
    assert run(capsys, *plan, *arguments).out == run(capsys, *plan, "--lb-controller", "v2.1").out


def test_a_stack_that_cannot_be_built_is_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = folder(tmp_path / "k8s", PLAIN, INGRESS.replace("idle_timeout.timeout_seconds=350", "nonsense"))
    assert run(capsys, "lb", "plan", "--manifests", str(broken)).code == 1


def test_the_group_lists_its_commands() -> None:
    assert {*lb.commands} >= {"plan", "diff"}


@pytest.fixture
def edited(tmp_path: Path) -> tuple[str, str]:
    old, new = tmp_path / "old.yaml", tmp_path / "new"
    old.write_text(ingress(scheme="internal"))
    new.mkdir()
    (new / "shop.yaml").write_text(ingress(scheme="internet-facing"))
    return str(old), str(new)


def test_an_edit_is_printed_for_a_person_and_as_json(
    edited: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    done = run(capsys, "lb", "diff", *edited)
    assert (done.code, done.err) == (0, "")
    assert "   1 - DeleteLoadBalancer  k8s-shop-web-" in done.out
    found = json.loads(run(capsys, "lb", "diff", *edited, "-o", "json").out)
    assert [one["action"] for one in found["writes"]] == [
        "DeleteLoadBalancer",
        "CreateLoadBalancer",
        "CreateListener",
        "CreateRule",
    ]
    assert [one["kind"] for one in found["clients"]] == ["new name"]


def test_an_edit_that_cannot_be_carried_out_ends_with_1(
    edited: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(ingress(target_type="pods"))
    assert run(capsys, "lb", "diff", edited[0], str(broken)).code == 1


@pytest.mark.parametrize("text", ["kind: [", "{}", "kind: Service\napiVersion: v1\nmetadata: {name: UPPER}"])
def test_a_wrong_file_ends_in_one_line(
    edited: tuple[str, str], tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(text)
    for arguments in ((edited[0], str(broken)), (str(broken), edited[0]), (edited[0], "no/such/file")):
        done = run(capsys, "lb", "diff", *arguments)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)


def test_an_upgrade_is_printed_for_a_person_and_as_json(
    edited: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("lb", "upgrade", "v2.1", "v3.5.0", "--manifests", edited[0])
    done = run(capsys, *arguments)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("From v2.1.3 to v3.5.0.\n")
    found = json.loads(run(capsys, *arguments, "-o", "json").out)
    assert (found["from"], found["to"]) == ("v2.1.3", "v3.5.0")
    assert {"writes", "clients", "annotations", "feature_gates", "iam_actions", "facts"} <= found.keys()


@pytest.mark.parametrize("releases", [("v2.1", "v2.8.9"), ("newest-ish", "v3.5.0"), ("v1.0", "v3.5.0")])
def test_an_upgrade_from_or_to_no_release_ends_in_one_line(
    edited: tuple[str, str], releases: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    done = run(capsys, "lb", "upgrade", *releases, "--manifests", edited[0])
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)


IN_TREE = """\
apiVersion: v1
kind: Service
metadata:
  name: front
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-type: nlb
    service.beta.kubernetes.io/aws-load-balancer-scheme: internal
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 443, targetPort: 8443}]}
"""


@pytest.mark.parametrize(
    ("release", "new", "owner", "says"),
    [
        ("v2.1", (), "cloud provider", False),
        ("v2.4", ("--new",), "cloud provider", False),
        ("v2.5", (), "cloud provider", True),
        ("v2.5", ("--new",), "AWS Load Balancer Controller", False),
        ("v3.5", ("--new",), "AWS Load Balancer Controller", False),
    ],
)
def test_from_v2_5_on_a_service_is_planned_as_it_stands_or_as_new(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    release: str,
    new: tuple[str, ...],
    owner: str,
    says: bool,
) -> None:
    (tmp_path / "svc.yaml").write_text(IN_TREE)
    done = run(capsys, "lb", "plan", "--manifests", str(tmp_path), "--lb-controller", release, *new)
    assert done.out.startswith(f"Service default/front, made by the {owner}\n")
    assert ("applied anew, it gets the class service.k8s.aws/nlb" in done.out) is says
