"""The files of a first scenario: the script that plays the move, and the traffic that calls the service.

What comes from manifests is written by `repr` or as JSON, so no name can break out of its place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from testbed.kubernetes.manifests import Manifest
from testbed.scaffold.survey import CERTIFICATES, Survey

SCRIPT = "cutover.py"
TRAFFIC = "traffic.toml"
CONFIGURATION = "testbed.toml"

_MINUTE = 60.0
_HEAD = '''\
"""{title}.

Written by `testbed init` from the manifests beside it; it is yours now. Play it with

    testbed rehearse {folder}{version}
"""

from testbed.rehearsal import Cutover, scenario
from testbed.rehearsal.conditions import (
    active,
    alias_at,
    answers_by_its_own_name,
    claimed_by,
    drained,
    gone,
    not_logged,
    only_one,
    only_served_by,
    served_by,
    synced,
)
from testbed.rehearsal.scenario import Targets

MINUTE = 60
SYNC = {sync}  # ExternalDNS looks as often
TTL = 1 * MINUTE  # an alias answers with the load balancer's own TTL
HOST = {host!r}
{more_hosts}NAMESPACE = {namespace!r}
SERVICE = {service!r}
INGRESSES = {ingresses!r}
HOSTNAME = {hostname!r}
CONTROLLER = {controller!r}
'''

_ABOUT = """
ABOUT = {{
    "host": HOST,
    "zone": {zone!r},
    "port": {port!r},
    "lb_controller": {controller!r},
    "traffic": {traffic!r},
    "targets": Targets(
        labels={labels!r},
        namespace=NAMESPACE,
        tls_ports={tls_ports!r},
        plain_ports={plain_ports!r},
        port_names={port_names!r},{proxy_protocol}
    ),
{external_dns}}}
"""

_STORY = '''

def move(cutover: Cutover) -> None:
    """There: the name goes from the NLB to the ALB, and the NLB is drained."""
    with cutover.step("The NLB serves everything", why="This is how production stands."):
        certificate = cutover.request_certificate({certified})
{apply_others}
        cutover.wait_until(alias_at("nlb"), within=3 * SYNC)
        cutover.wait_until(active("nlb"), within=5 * MINUTE)
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=1 * MINUTE)
        cutover.hold(2 * MINUTE)
        cutover.expect(only_served_by("nlb"))

    with cutover.step(
        "The ALB stands beside it, and both claim the name",
        why="The record's TXT names the Service, so nothing moves yet; the ALB can be tried by its own name.",
    ):
{apply_ingresses}
        cutover.wait_until(active("alb"), within=5 * MINUTE)
        cutover.expect(only_one("alb"))
        cutover.wait_until(answers_by_its_own_name("alb"), within=1 * MINUTE)
        cutover.wait_until(synced(), within=3 * SYNC)
        cutover.hold(3 * SYNC)
        cutover.expect(alias_at("nlb"))
        cutover.expect(only_served_by("nlb"))

    with cutover.step(
        "The annotation leaves the Service",
        why="Now only the Ingress claims the name: the alias moves, and new connections reach the ALB.",
    ):
        cutover.annotate(SERVICE, {{HOSTNAME: None}}, namespace=NAMESPACE)
        cutover.wait_until(alias_at("alb"), within=3 * SYNC)
        cutover.wait_until(served_by("alb"), within=2 * TTL)
        cutover.expect(claimed_by("ingress/"))
        cutover.expect(not_logged("Desired change: DELETE"))

    with cutover.step("The NLB is drained", why="An alias moves new connections only; old ones must end."):
        cutover.wait_until(drained("nlb"), within=15 * MINUTE)

    with cutover.step("The ALB serves everything", why="A while without surprises, before it is believed."):
        cutover.hold(5 * MINUTE)
        cutover.expect(only_served_by("alb"))


@scenario({there!r}, **ABOUT)
def cutover(cutover: Cutover) -> None:
    move(cutover)
    with cutover.step("The NLB goes", why="Drained, and out of every cached answer, nobody misses it."):
        cutover.delete(SERVICE, namespace=NAMESPACE)
        cutover.wait_until(gone("nlb"), within=5 * MINUTE)
        cutover.hold(3 * MINUTE)
        cutover.expect(alias_at("alb"))
        cutover.expect(only_served_by("alb"))


@scenario({back!r}, **ABOUT)
def there_and_back(cutover: Cutover) -> None:
    move(cutover)
    with cutover.step(
        "Rollback: the annotation back first, then the Ingresses let go",
        why="The record stays with whom its TXT names for as long as that one claims it; so the Service must "
        "claim it again before the Ingresses are handed to another controller.",
    ):
        cutover.annotate(SERVICE, {{HOSTNAME: {claim}}}, namespace=NAMESPACE)
        cutover.wait_until(synced(), within=3 * SYNC)
        for ingress in INGRESSES:
            cutover.annotate(ingress, {{CONTROLLER: "nobody"}}, namespace=NAMESPACE)
        cutover.wait_until(alias_at("nlb"), within=3 * SYNC)
{served_again}
        cutover.expect(not_logged("Desired change: DELETE"))
        cutover.expect(claimed_by("service/"))
'''

_SERVED_AGAIN = """\
        cutover.wait_until(served_by("nlb"), within=2 * TTL)"""
_CHANNELS_STAY = """\
        # gRPC channels stay on the ALB until it ends them, an hour after they were opened.
        cutover.hold(2 * TTL)"""

_TRAFFIC = """\
# What the clients call: one method or path for each rule of the ALB. docs: testbed.traffic.description
# Name your .proto files for real payloads, and your own server; without them the sample backend answers all.
#
# proto = ["../cart.proto"]
# [backend]
# command = "python server.py --grpc {address}:{grpc_port} --http {address}:{rest_port}"
"""

_CONFIGURATION = """\
# Limits of the verdict beside the demand that no request is lost. More: docs/how-to/my-ci.md
thresholds = [
  "failed == 0",
  "drained_within: 15m",
]
"""


def files(found: Survey, folder: Path) -> Mapping[str, str]:
    """The files by name; `folder` is where they will stand."""
    return {
        SCRIPT: _script(found, folder),
        TRAFFIC: _traffic(found),
        CONFIGURATION: _CONFIGURATION,
    }


def _script(found: Survey, folder: Path) -> str:
    prefix = found.hostname.removesuffix("hostname")
    there = f"{found.host} moves from an NLB to an ALB"
    head = _HEAD.format(
        title=_comment(there),
        folder=_comment(str(folder)),
        version=f" --external-dns {found.version}" if found.version else "",
        sync="1 * MINUTE" if found.interval == _MINUTE else f"{found.interval:g}",
        host=found.host,
        more_hosts=_more_hosts(found),
        namespace=found.namespace,
        service=f"service/{found.service.key[2]}",
        ingresses=tuple(f"ingress/{one.key[2]}" for one in found.ingresses),
        hostname=found.hostname,
        controller=prefix + "controller",
    )
    about = _ABOUT.format(
        zone=found.zone,
        port=found.port,
        controller=found.controller.value,
        traffic=TRAFFIC,
        labels=dict(found.labels),
        tls_ports=found.tls_ports,
        plain_ports=found.plain_ports,
        port_names=dict(found.port_names),
        proxy_protocol="\n        proxy_protocol=True," if found.proxy_protocol else "",
        external_dns=_external_dns(found, prefix),
    )
    story = _STORY.format(
        apply_others=_applies(found.others, folder, found),
        apply_ingresses=_applies(found.ingresses, folder, found),
        there=there,
        certified="*NAMES" if len(found.names) > 1 else "HOST",
        served_again=_SERVED_AGAIN if any(one.protocol == "rest" for one in found.calls) else _CHANNELS_STAY,
        claim="HOST" if found.claim == found.host else "CLAIM",
        back=f"{there}, and back",
    )
    return head + _replaced(found) + about + story


def _more_hosts(found: Survey) -> str:
    """What else the Service claims and the certificate must name, where it is more than the host."""
    claim = "" if found.claim == found.host else f"CLAIM = {found.claim!r}  # all that the Service claims\n"
    names = f"NAMES = {found.names!r}  # of the certificate\n" if len(found.names) > 1 else ""
    return claim + names


def _external_dns(found: Survey, prefix: str) -> str:
    """The flags of the Deployment; and for v0.22 the prefix that the annotations have, if they do not say."""
    lines = []
    given = found.external_dns or ()
    if given:
        inside = "".join(f"        {one!r},\n" for one in given)
        lines.append(f'    "external_dns": [\n{inside}    ],\n')
    if not any(one.startswith("--annotation-prefix") for one in given):
        lines.append("    # v0.22 reads external-dns.kubernetes.io/ unless it is told otherwise.\n")
        lines.append(f'    "external_dns_by_version": {{"v0.22": [{f"--annotation-prefix={prefix}"!r}]}},\n')
    return "".join(lines)


def _replaced(found: Survey) -> str:
    """The annotations that name what an account has."""
    if not found.account and not found.has_certificates:
        return ""
    lines = [f"        {key!r}: None,\n" for key in found.account]
    if found.has_certificates:
        lines += [f"        {key!r}: certificate,\n" for key in CERTIFICATES]
    return (
        "\n\ndef of_this_run(certificate: str) -> dict[str, str | None]:\n"
        '    """Instead of what only your account has."""\n'
        f"    return {{\n{''.join(lines)}    }}\n\n"
    )


def _applies(manifests: Iterable[Manifest], folder: Path, found: Survey) -> str:
    """A line for each file, naming the objects if the file holds others too."""
    by_file: dict[Path, list[Manifest]] = {}
    for one in manifests:
        by_file.setdefault(one.where.path, []).append(one)
    lines = []
    for path, objects in by_file.items():
        name = Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
        names = [f"{one.key[0].lower()}/{one.key[2]}" for one in objects]
        arguments = [repr(name), f"only={names!r}"]
        if found.account or found.has_certificates:
            arguments.append("annotations=of_this_run(certificate)")
        if "${" in path.read_text(encoding="utf-8"):
            arguments.append("CERTIFICATE_ARN=certificate")
        inside = "".join(f"            {one},\n" for one in arguments)
        lines.append(f"        cutover.apply(\n{inside}        )")
    return "\n".join(lines)


def _traffic(found: Survey) -> str:
    tables = []
    for call in found.calls:
        first = (
            f"[[grpc]]\nmethod = {_toml(call.path.lstrip('/'))}\n"
            if call.protocol == "grpc"
            else f"[[rest]]\nrequest = {_toml(call.title)}\n"
        )
        named = "metadata" if call.protocol == "grpc" else "headers"
        given = ", ".join(f"{_toml(name)} = {_toml(value)}" for name, value in call.headers)
        headers = f"{named} = {{ {given} }}\n" if given else ""
        tables.append(f"\n{first}{headers}share = {call.share:g}\n")
    return _TRAFFIC + "".join(tables)


def _toml(text: str) -> str:
    """A basic string; JSON's escapes are TOML's."""
    return json.dumps(text)


def _comment(text: str) -> str:
    """Text that ends no docstring."""
    return text.replace("\\", "/").replace('"', "'")


def names(found: Sequence[Manifest]) -> str:
    """The titles of objects in one line."""
    return ", ".join(one.title for one in found)
