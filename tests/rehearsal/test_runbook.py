"""Commands of a runbook: what reaches them, what is refused, and how they end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from testbed.errors import BadInput, Missing
from testbed.rehearsal import runbook
from testbed.rehearsal.runbook import Done, check, environment, run, words

SERVER = "https://127.81.0.1:6443"
ZONE = "example.com"
TOOLS = {
    "HOME": "/run/home",
    "TESTBED_PROGRAMS": "/run/home/bin",
    "KUBECONFIG": "/run/home/kubeconfig",
    "AWS_ENDPOINT_URL": "http://127.81.0.1:4566",
    "AWS_ACCESS_KEY_ID": "testing",
}


def played(command: str, folder: Path, *, shell: str | None = None, seconds: float = 60.0) -> Done:
    return run(
        command,
        words(command, shell),
        folder=folder,
        variables=environment(TOOLS),
        wall_seconds=seconds,
        watch=lambda: None,
    )


def test_a_command_is_split_as_a_shell_splits_it_and_nothing_else_happens_to_it(tmp_path: Path) -> None:
    done = played("printf '%s|' 'a b' $HOME *", tmp_path)
    assert (done.status, done.stdout) == (0, "a b|$HOME|*|")


def test_a_shell_that_is_asked_for_by_name_has_pipes_and_variables(tmp_path: Path) -> None:
    done = played('echo "$HOME" | tr a-z A-Z', tmp_path, shell="bash")
    assert done.stdout == "/RUN/HOME\n"


def test_a_pipe_fails_with_any_of_its_parts(tmp_path: Path) -> None:
    assert played("cat no-such-file | cat", tmp_path, shell="bash").status == 1


def test_a_failing_command_reports_its_status_and_its_last_line(tmp_path: Path) -> None:
    done = played("echo one; echo two >&2; echo three >&2; exit 3", tmp_path, shell="sh")
    assert (done.status, done.stdout, done.last_words) == (3, "one\n", "three")


def test_a_command_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    done = played("echo begun; sleep 1000 & sleep 1000", tmp_path, shell="bash", seconds=0.5)
    assert (done.status, done.stdout) == (None, "begun\n")


def test_what_the_topology_raises_ends_the_command(tmp_path: Path) -> None:
    def failed() -> None:
        raise Missing("envoy-0 ended")

    with pytest.raises(Missing, match="envoy-0 ended"):
        run(
            "sleep 1000",
            ["sleep", "1000"],
            folder=tmp_path,
            variables=environment(TOOLS),
            wall_seconds=60.0,
            watch=failed,
        )


def test_nothing_of_the_users_own_environment_reaches_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KUBECONFIG", "AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTPS_PROXY", "HOME"):
        monkeypatch.setenv(name, "the user's own")
    shown = dict(line.split("=", 1) for line in played("env", tmp_path).stdout.splitlines())
    assert "the user's own" not in shown.values()
    assert shown["KUBECONFIG"] == "/run/home/kubeconfig"
    assert shown["PATH"].startswith(f"/run/home/bin:{os.environ['PATH']}")


@pytest.mark.parametrize(
    "command",
    [
        "kubectl --kubeconfig /home/me/.kube/config get pods",
        "kubectl --kubeconfig=/home/me/.kube/config get pods",
        "kubectl --context prod delete service envoy",
        "kubectl get pods --server=https://prod.example.com",
        "kubectl get pods -s https://prod.example.com",
        "kubectl get pods -shttps://prod.example.com",
        "kubectl --cluster prod get pods",
        "kubectl --user admin get pods",
        "helm --kube-context prod list",
        "aws --profile prod elbv2 describe-load-balancers",
        "aws elbv2 describe-load-balancers --endpoint-url https://elasticloadbalancing.amazonaws.com",
        "env AWS_PROFILE=prod aws sts get-caller-identity",
        "env KUBECONFIG=/home/me/.kube/config kubectl get pods",
        "bash -c 'kubectl --context prod get pods'",
        'bash -c "export KUBECONFIG=/x; kubectl get pods"',
        "kubectl get pods;kubectl --context=prod get pods",
        "echo a|aws --profile prod s3 ls",
        "AWS_PROFILE=prod aws s3 ls",
        "echo $(kubectl --context prod get pods)",
        "echo `aws --profile prod s3 ls`",
    ],
)
def test_a_command_that_points_elsewhere_is_refused(command: str) -> None:
    with pytest.raises(BadInput, match="not the testbed's") as refusal:
        check(command, TOOLS, SERVER, ZONE)
    assert refusal.value.exit_code == 2


@pytest.mark.parametrize(
    "command",
    [
        "kubectl annotate service envoy external-dns.alpha.kubernetes.io/hostname-",
        "kubectl --context testbed get pods",
        'kubectl --kubeconfig "$KUBECONFIG" get pods',
        f"kubectl --server {SERVER} get pods",
        "aws --endpoint-url $AWS_ENDPOINT_URL elbv2 describe-load-balancers",
        "curl -s --user a:b http://127.81.0.1/",
        "echo it's open",
    ],
)
def test_a_command_that_stays_here_is_not(command: str) -> None:
    check(command, TOOLS, SERVER, ZONE)


@pytest.mark.parametrize(
    "command",
    [
        "wget -q https://api.example.com/measurements/foot-0",
        "nslookup api.example.com",
        "host example.com",
        "grpcurl -plaintext api.example.com:443 list",
        "bash -c 'openssl s_client -connect api.example.com:443'",
        "echo | openssl s_client -connect API.EXAMPLE.COM:443",
        "env TZ=UTC wget api.example.com",
        "sleep 1 && ping -c 1 api.example.com",
        "/usr/bin/curl https://api.example.com/",
        "test $(/usr/bin/dig +short api.example.com)",
    ],
)
def test_a_program_that_would_ask_this_machines_resolver_is_refused(command: str) -> None:
    with pytest.raises(BadInput, match="would ask this machine's resolver"):
        check(command, TOOLS, SERVER, ZONE)


@pytest.mark.parametrize(
    "command",
    [
        "dig +short api.example.com",
        "curl https://api.example.com/measurements/foot-0",
        "wget http://127.81.0.1:4566/",
        "kubectl get ingress host -o jsonpath={.spec.rules[0].host}",
        "kubectl annotate ingress host external-dns.alpha.kubernetes.io/hostname=api.example.com",
        "nslookup api.notexample.com",
        "echo ping api.example.com",
    ],
)
def test_a_program_that_asks_the_testbed_or_nobody_is_not(command: str) -> None:
    check(command, TOOLS, SERVER, ZONE)


@pytest.mark.parametrize(
    ("command", "shell", "what"),
    [
        ("", None, "empty"),
        ("echo 'open", None, "cannot be parsed"),
        ("A=1 kubectl get pods", None, "assignments need a shell"),
        ("echo", "fish", "is not a shell"),
    ],
)
def test_a_command_that_cannot_be_started_is_reported(command: str, shell: str | None, what: str) -> None:
    with pytest.raises(BadInput, match=what):
        words(command, shell)


def test_a_program_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="no-such-program is not on this machine"):
        played("no-such-program --help", tmp_path)


def test_the_journal_keeps_only_so_much_of_an_output(tmp_path: Path) -> None:
    done = played(f"head -c {runbook.MOST_OUTPUT + 7} /dev/zero", tmp_path)
    assert done.stdout.endswith("\n... 7 characters more")
